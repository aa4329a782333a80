/**
 * Amazon Resource Names of accounts, users, groups and policies.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
 * @module
 */

/** The account in the ARNs of the policies that Amazon manages. */
export const AMAZON = "aws";

/** The facts of an entity that its ARN states. */
type Located = { readonly account: string; readonly path: string; readonly name: string };

/** A resource of IAM, each time as an ARN or `*`. */
export type AskedResource = {
  /** As it is: with the path and the case that are stored. */
  readonly arn: string;
  /** As the request alone tells it, whether it exists or not. */
  readonly named: string;
};

/** Returns `arn:aws:iam::<account>:root`. */
export function rootArn(account: string): string {
  return `arn:aws:iam::${account}:root`;
}

/**
 * Returns the ARN of a user, a group or a policy.
 *
 * @example Usage
 * ```ts
 * import { arnOf } from "./arns.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const alice = { account: "111122223333", path: "/staff/", name: "alice" };
 * strictEqual(arnOf("user", alice), "arn:aws:iam::111122223333:user/staff/alice");
 * ```
 */
export function arnOf(
  kind: "user" | "group" | "policy",
  { account, path, name }: Located,
): string {
  return `arn:aws:iam::${account}:${kind}${path}${name}`;
}

/**
 * Parses the ARN of a managed policy; returns undefined for any other text.
 *
 * @example Usage
 * ```ts
 * import { parsePolicyArn } from "./arns.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(parsePolicyArn("arn:aws:iam::aws:policy/a/b"), { account: "aws", path: "/a/", name: "b" });
 * ```
 */
export function parsePolicyArn(arn: string): Located | undefined {
  return parse(arn, "policy");
}

/** Parses the ARN of a user; returns undefined for any other text. */
export function parseUserArn(arn: string): Located | undefined {
  return parse(arn, "user");
}

/** Parses the ARN of a group; returns undefined for any other text. */
export function parseGroupArn(arn: string): Located | undefined {
  return parse(arn, "group");
}

function parse(arn: string, kind: string): Located | undefined {
  const [scheme, partition, service, region, account = "", ...rest] = arn.split(":");
  if (scheme !== "arn" || partition !== "aws" || service !== "iam" || region !== "") {
    return undefined;
  }
  const resource = rest.join(":");
  const end = resource.lastIndexOf("/") + 1;
  const name = resource.slice(end);
  if (!resource.startsWith(`${kind}/`) || name === "") return undefined;
  return { account, path: resource.slice(kind.length, end), name };
}
