/**
 * Policies, parsed and compiled once.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @module
 */

import { checkBucketStatement } from "./bucket_statement.ts";
import { checkIdentityStatement } from "./identity_statement.ts";
import { alreadyThere, invalidSyntax, PolicyError } from "./policy_error.ts";
import type { HasPrincipal } from "./principals.ts";
import { parseStatement, type Statement } from "./statement.ts";
import { parseStrictJson, StrictJsonError } from "./strict_json.ts";

/** A policy that was parsed and compiled. */
export type CompiledPolicy = {
  /** Where it comes from, for explanations: an ARN, `inline policy NAME of user ALICE`, `bucket policy`. */
  readonly origin: string;
  readonly kind: PolicyKind;
  readonly statements: readonly Statement[];
  /** Returns the statements about an action. */
  readonly about: (action: string) => readonly Statement[];
  /** Returns whether a statement about an action depends on the tags that an object has. */
  readonly usesExistingTags: (action: string) => boolean;
};

/** The kinds of policies: of a user, a group or a boundary; of a bucket; and of a session. */
export type PolicyKind = "identity" | "bucket" | "session";

/** Options of {@linkcode parsePolicy}. */
export type PolicyOptions = {
  readonly origin: string;
  /** Name of the bucket, for a bucket policy. */
  readonly bucket?: string;
  /** Returns whether there is such a principal; given when a policy is put, and not for one that is kept. */
  readonly hasPrincipal?: HasPrincipal;
};

const VERSIONS = ["2012-10-17", "2008-10-17"];
const MEMBERS: ReadonlySet<string> = new Set(["Version", "Id", "Statement"]);
const EXISTING_TAGS = "s3:existingobjecttag/";
const NOT_JSON = "Policies must be valid JSON and the first byte must be '{'";

/**
 * Parses and compiles a policy.
 *
 * @throws PolicyError
 *
 * @example Usage
 * ```ts
 * import { parsePolicy } from "./policy.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const text = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}';
 * const policy = parsePolicy(text, "identity", { origin: "an example" });
 * strictEqual(policy.about("s3:GetObject").length, 1);
 * strictEqual(policy.about("s3:PutObject").length, 0);
 * ```
 */
export function parsePolicy(
  text: string,
  kind: PolicyKind,
  options: PolicyOptions,
): CompiledPolicy {
  try {
    return compile(options.origin, kind, parseStatements(text, kind, options));
  } catch (cause) {
    const isOfIam = cause instanceof PolicyError && kind !== "bucket";
    throw isOfIam ? new PolicyError(cause.ofIam, { cause }) : cause;
  }
}

function parseStatements(
  text: string,
  kind: PolicyKind,
  { bucket = "", hasPrincipal }: PolicyOptions,
): readonly Statement[] {
  const members = parseMembers(text);
  const { Version: version, Id: id, Statement: element } = members;
  if (version !== undefined && !VERSIONS.includes(String(version)) || Array.isArray(version)) {
    throw new PolicyError("The policy must contain a valid version string");
  }
  if (id !== undefined && typeof id !== "string") throw invalidSyntax();
  if (element === undefined) throw new PolicyError("Missing required field Statement");
  const list: unknown[] = Array.isArray(element) ? element : [element];
  if (list.length === 0) throw new PolicyError("Could not parse the policy: Statement is empty!");
  const statements = list.map((json, i) =>
    parseStatement(json, {
      number: i + 1,
      hasVariables: version === VERSIONS[0],
      hasPrincipals: kind === "bucket",
      hasPrincipal,
    })
  );
  if (kind !== "bucket" && version === undefined) {
    const reason = "Policy document must be version 2012-10-17 or greater.";
    throw new PolicyError(reason, { ofIam: reason });
  }
  checkSids(statements, kind);
  if (kind === "bucket") { for (const one of statements) checkBucketStatement(one, bucket); }
  else for (const one of statements) checkIdentityStatement(one);
  return statements;
}

function parseMembers(text: string): Readonly<Record<string, unknown>> {
  if (!text.startsWith("{")) throw new PolicyError(NOT_JSON);
  const members = parseJson(text);
  for (const name of Object.keys(members)) {
    if (!MEMBERS.has(name)) throw new PolicyError(`Unknown field ${name}`);
  }
  return members;
}

/** Parses JSON that begins with a brace. */
function parseJson(text: string): Readonly<Record<string, unknown>> {
  try {
    return parseStrictJson(text) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) {
      throw new PolicyError("This policy contains invalid Json", { cause });
    }
    throw cause.member === undefined ? invalidSyntax() : alreadyThere(cause.member);
  }
}

function checkSids(statements: readonly Statement[], kind: PolicyKind): void {
  const sids = new Set<string>();
  for (const { sid } of statements) {
    if (sid === undefined) continue;
    if (sids.has(sid)) {
      throw new PolicyError("The Statement Ids in the policy are not unique", {
        ofIam: "Statement IDs (SID) in a single policy must be unique.",
      });
    }
    if (kind !== "bucket" && !/^[A-Za-z0-9]+$/.test(sid)) {
      const reason = "Statement IDs (SID) must be alpha-numeric. " +
        "Check that your input satisfies the regular expression [0-9A-Za-z]*";
      throw new PolicyError(reason, { ofIam: reason });
    }
    sids.add(sid);
  }
}

/** Number of actions whose statements are kept. Callers ask for few, but nobody shall fill the memory. */
const MAX_KEPT = 1000;

function compile(
  origin: string,
  kind: PolicyKind,
  statements: readonly Statement[],
): CompiledPolicy {
  const kept = new Map<string, readonly Statement[]>();
  const about = (action: string): readonly Statement[] => {
    const known = kept.get(action);
    if (known !== undefined) return known;
    const name = action.toLowerCase();
    const found = statements.filter(({ hasAction }) => hasAction(name));
    if (kept.size < MAX_KEPT) kept.set(action, found);
    return found;
  };
  const seesTags = new Set(statements.filter(usesTags));
  return {
    origin,
    kind,
    statements,
    about,
    usesExistingTags: (action) =>
      seesTags.size > 0 && about(action).some((one) => seesTags.has(one)),
  };
}

/** Returns whether a statement names the tags of an object in a condition or a variable. */
function usesTags({ conditions, resources }: Statement): boolean {
  return conditions.some(({ key, values }) =>
    key.startsWith(EXISTING_TAGS) ||
    values.some((text) => text.toLowerCase().includes(EXISTING_TAGS))
  ) || resources.list.some((text) => text.toLowerCase().includes(EXISTING_TAGS));
}
