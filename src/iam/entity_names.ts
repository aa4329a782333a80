/**
 * Checks of the texts that name entities: Amazon's patterns and lengths.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
 *
 * Each check throws `ValidationError`. Its first argument is the parameter of the API, which the message names.
 * @module
 */

import { invalid, invalidInput, violates } from "./refusals.ts";

const NAME = /^[\w+=,.@-]*$/;
/** A slash; or printable characters between two. */
const PATH = /^\/(?:[!-~]+\/)?$/;
const ALIAS = /^[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]$/;

/** Longest names, in characters. */
const MAX_NAME = { user: 64, group: 128, policy: 128 } as const;
const MAX_PATH = 512;
const MAX_DESCRIPTION = 1000;

/** Checks the name of a new user, group or policy, or of an inline policy. */
export function checkName(
  parameter: string,
  name: string,
  kind: keyof typeof MAX_NAME = "policy",
): void {
  if (name === "") {
    throw violates(parameter, "Member must have length greater than or equal to 1");
  }
  const max = MAX_NAME[kind];
  if (name.length > max) {
    throw violates(parameter, `Member must have length less than or equal to ${max}`);
  }
  if (!NAME.test(name)) {
    throw invalid(
      `The specified value for ${parameter} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
    );
  }
}

/** Checks the path of a new entity. */
export function checkPath(path: string, parameter = "path"): void {
  if (path.length > MAX_PATH) {
    throw violates(parameter, `Member must have length less than or equal to ${MAX_PATH}`);
  }
  if (!PATH.test(path)) {
    throw invalid(
      `The specified value for ${parameter} is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.`,
    );
  }
}

/** Checks the alias of an account. */
export function checkAlias(alias: string): void {
  if (!ALIAS.test(alias)) {
    throw violates(
      "accountAlias",
      "Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$",
    );
  }
  if (/^\d{12}$/.test(alias)) {
    throw invalidInput("The account alias cannot be a number with 12 digits.");
  }
}

/** Checks the description of a managed policy. */
export function checkDescription(description: string): void {
  if (description.length > MAX_DESCRIPTION) {
    throw violates(
      "description",
      `Member must have length less than or equal to ${MAX_DESCRIPTION}`,
    );
  }
}
