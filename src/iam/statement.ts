/**
 * Statements of policies.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @module
 */

import { type Condition, parseConditions } from "./conditions.ts";
import type { Context } from "./context.ts";
import { type Glob, parseGlob } from "./glob.ts";
import { alreadyThere, invalidSyntax, PolicyError } from "./policy_error.ts";
import { type HasPrincipal, parsePrincipals, type Principals } from "./principals.ts";
import { parseTemplate, type Template } from "./template.ts";

/** A statement, compiled. */
export type Statement = {
  readonly effect: "Allow" | "Deny";
  readonly sid: string | undefined;
  /** Position in the policy, from 1. */
  readonly number: number;
  /** Undefined in policies of identities. */
  readonly principals: { readonly list: Principals; readonly isNot: boolean } | undefined;
  readonly actions: { readonly list: readonly string[]; readonly isNot: boolean };
  readonly resources: { readonly list: readonly string[]; readonly isNot: boolean };
  readonly conditions: readonly Condition[];
  /** Returns whether the statement is about an action, in lower case. */
  readonly hasAction: (action: string) => boolean;
  /** Returns whether the statement is about a resource. */
  readonly hasResource: (arn: string, context: Context) => boolean;
};

/** How a statement is parsed. */
export type StatementOptions = {
  readonly number: number;
  readonly hasVariables: boolean;
  /** A statement of a bucket policy names principals, and one of an identity does not. */
  readonly hasPrincipals: boolean;
  readonly hasPrincipal?: HasPrincipal | undefined;
};

const MEMBERS: ReadonlySet<string> = new Set([
  ...["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource"],
  ...["NotResource", "Condition"],
]);

/**
 * Parses a statement.
 *
 * @throws PolicyError
 */
export function parseStatement(json: unknown, options: StatementOptions): Statement {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw invalidSyntax();
  const members = json as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(members)) {
    if (!MEMBERS.has(name)) throw new PolicyError(`Unknown field ${name}`);
  }
  const { Effect: effect, Sid: sid } = members;
  if (effect === undefined) throw new PolicyError("Missing required field Effect");
  if (effect !== "Allow" && effect !== "Deny") {
    if (typeof effect !== "string") throw invalidSyntax();
    throw new PolicyError(`Invalid effect: ${effect}`);
  }
  if (sid !== undefined && typeof sid !== "string") throw invalidSyntax();
  const actions = oneOf(members, "Action");
  const resources = oneOf(members, "Resource");
  const globs = actions.list.map((text) => parseGlob(text.toLowerCase()));
  const templates = resources.list.map((text) => parseTemplate(text, options.hasVariables));
  return {
    effect,
    sid: sid === "" ? undefined : sid,
    number: options.number,
    principals: parsePrincipal(members, options),
    actions,
    resources,
    conditions: parseConditions(members["Condition"], options.hasVariables),
    hasAction: (action) => isAnyGlob(globs, action) !== actions.isNot,
    hasResource: (arn, context) => isAnyTemplate(templates, arn, context) !== resources.isNot,
  };
}

function parsePrincipal(
  members: Readonly<Record<string, unknown>>,
  { hasPrincipals, hasPrincipal }: StatementOptions,
): Statement["principals"] {
  const { Principal: principal, NotPrincipal: notPrincipal } = members;
  if (!hasPrincipals) {
    if (principal === undefined && notPrincipal === undefined) return undefined;
    const reason = "Policy document should not specify a principal.";
    throw new PolicyError(reason, { ofIam: reason });
  }
  if (principal !== undefined && notPrincipal !== undefined) throw alreadyThere("Principal");
  if (principal === undefined && notPrincipal === undefined) {
    throw new PolicyError("Missing required field Principal");
  }
  const isNot = principal === undefined;
  if (isNot && members["Effect"] === "Allow") {
    throw new PolicyError("Allow with NotPrincipal is not allowed.");
  }
  return { list: parsePrincipals(isNot ? notPrincipal : principal, hasPrincipal), isNot };
}

/** Returns the texts of an element or of its opposite, of which there must be one. */
function oneOf(
  members: Readonly<Record<string, unknown>>,
  name: "Action" | "Resource",
): { readonly list: readonly string[]; readonly isNot: boolean } {
  const [is, isNot] = [members[name], members[`Not${name}`]];
  if (is !== undefined && isNot !== undefined) throw alreadyThere(name);
  const element = is === undefined ? isNot : is;
  const ofIam = `Policy statement must contain ${name.toLowerCase()}s.`;
  if (element === undefined) throw new PolicyError(`Missing required field ${name}`, { ofIam });
  const list: unknown[] = Array.isArray(element) ? element : [element];
  if (list.length === 0) {
    throw new PolicyError(`Missing required field ${name} cannot be empty!`, { ofIam });
  }
  const texts = list.map((text) => {
    if (typeof text !== "string") throw invalidSyntax();
    return text;
  });
  return { list: texts, isNot: is === undefined };
}

function isAnyGlob(globs: readonly Glob[], text: string): boolean {
  for (const glob of globs) if (glob.matches(text)) return true;
  return false;
}

function isAnyTemplate(templates: readonly Template[], arn: string, context: Context): boolean {
  for (const template of templates) if (template.matches(arn, context)) return true;
  return false;
}
