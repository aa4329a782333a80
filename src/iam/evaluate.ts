/**
 * Decides whether policies allow something, as AWS does.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html and,
 * across accounts, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
 *
 * An explicit deny wins, for roots as well. Otherwise the root of the account that owns the resource may do everything.
 * Within an account, a policy of the caller or of the bucket must allow; across accounts both must, and for the root of
 * another account the bucket's suffices. A permissions boundary and a session must allow, too; a boundary does not restrict
 * what the policy of a bucket in the account grants to the user itself.
 * @module
 */

import type { Context } from "./context.ts";
import type { CompiledPolicy } from "./policy.ts";
import type { Principal } from "./principal.ts";
import { isExcepted, type Naming, namingOf } from "./principals.ts";
import type { Statement } from "./statement.ts";

/** What a caller wants. */
export type Question = {
  /** Undefined for an anonymous caller. */
  readonly principal: Principal | undefined;
  /** `s3:GetObject`, `iam:CreateUser`. */
  readonly action: string;
  /** An ARN, or `*` for an action without a resource. */
  readonly resource: string;
  /** The account that owns the resource; undefined if nobody knows. */
  readonly resourceAccount: string | undefined;
  readonly context: Context;
};

/** The policies that are not the caller's. */
export type Policies = { readonly resource?: CompiledPolicy };

/** The statement that decided. */
export type Deciding = {
  /** Origin of its policy. */
  readonly origin: string;
  readonly sid: string | undefined;
  /** Position in its policy, from 1. */
  readonly number: number;
};

/** A decision and its reason. */
export type Decision = {
  readonly allowed: boolean;
  readonly because:
    /** A statement denies it. */
    | "explicit deny"
    /** Nothing allows it. */
    | "no allow"
    /** The caller's policy allows it, and a permissions boundary or a session does not. */
    | "limit"
    /** The resource belongs to another account, and one of the two policies does not allow it. */
    | "other account"
    /** The bucket is public, and a public access block restricts it to its owner's account. */
    | "public access block"
    | "root"
    | "identity policy"
    | "bucket policy";
  /** Undefined if no statement decided. */
  readonly statement?: Deciding;
};

/** Actions by which the owner of a bucket gets back in, whatever its policy says. */
const NEVER_LOCKED: ReadonlySet<string> = new Set([
  "s3:deletebucketpolicy",
  "s3:getbucketpolicy",
  "s3:putbucketpolicy",
]);

/** Decides. */
export function evaluate(question: Question, { resource }: Policies): Decision {
  const { principal, resourceAccount, action } = question;
  const isOwner = principal !== undefined &&
    (principal.isAdmin || principal.isRoot && principal.account === resourceAccount);
  const isLockable = !isOwner || !NEVER_LOCKED.has(action.toLowerCase());

  const byBucket = resource === undefined ? undefined : findInBucket(resource, question);
  if (byBucket?.deny !== undefined && isLockable) return denied(resource, byBucket.deny);
  for (const policy of principal?.policies ?? NO_POLICIES) {
    const deny = find(policy, "Deny", question);
    if (deny !== undefined) return denied(policy, deny);
  }
  for (const policy of principal?.limits ?? NO_POLICIES) {
    const deny = find(policy, "Deny", question);
    if (deny !== undefined) return denied(policy, deny);
  }
  const bucket = allowed("bucket policy", resource, byBucket?.allow?.statement);
  if (principal === undefined) return bucket ?? NOTHING;
  if (isOwner) return isWithin(principal, question, "all") ? ROOT : LIMIT;
  const isSameAccount = principal.account === resourceAccount;
  const naming = isSameAccount ? byBucket?.allow?.naming : undefined;
  // What is granted to the user itself is no matter of the boundary, but a session restricts it.
  if (naming === "self" && bucket !== undefined && isWithin(principal, question, "sessions")) {
    return bucket;
  }
  if (!isSameAccount && bucket === undefined) return OTHER_ACCOUNT;
  // An account's own bucket policy that names the account leaves it to the policies of its users.
  const isEnough = isSameAccount ? naming !== "account" : principal.isRoot;
  const decision = findOwn(principal, question) ?? (isEnough ? bucket : undefined);
  if (decision === undefined) return isSameAccount ? NOTHING : OTHER_ACCOUNT;
  return isWithin(principal, question, "all") ? decision : LIMIT;
}

/** Returns whether the limits of a caller allow something: all of them, or those of sessions. */
function isWithin(
  { limits }: Principal,
  question: Question,
  which: "all" | "sessions",
): boolean {
  for (const limit of limits) {
    if (which === "sessions" && limit.kind !== "session") continue;
    if (find(limit, "Allow", question) === undefined) return false;
  }
  return true;
}

const NO_POLICIES: readonly CompiledPolicy[] = [];
const ROOT: Decision = { allowed: true, because: "root" };
const NOTHING: Decision = { allowed: false, because: "no allow" };
const OTHER_ACCOUNT: Decision = { allowed: false, because: "other account" };
const LIMIT: Decision = { allowed: false, because: "limit" };

/** What a bucket policy says: the first statement that denies, else the one that allows with the strongest naming. */
type BucketAnswer = {
  readonly deny?: Statement;
  readonly allow?: { readonly statement: Statement; readonly naming: Naming };
};

const STRENGTH: Readonly<Record<Naming, number>> = { account: 1, everybody: 2, self: 3 };

function findInBucket(policy: CompiledPolicy, question: Question): BucketAnswer {
  let allow: BucketAnswer["allow"];
  for (const statement of policy.about(question.action)) {
    const naming = namingIn(statement, question.principal);
    if (naming === undefined) continue;
    const { effect } = statement;
    if (effect === "Allow" && allow !== undefined && STRENGTH[naming] <= STRENGTH[allow.naming]) {
      continue;
    }
    if (!applies(statement, question)) continue;
    if (effect === "Deny") return { deny: statement };
    allow = { statement, naming };
  }
  return allow === undefined ? {} : { allow };
}

/**
 * Returns how a statement names a caller. One that denies everybody except some denies every user who has a permissions
 * boundary, as on AWS.
 */
function namingIn(
  { principals, effect }: Statement,
  caller: Principal | undefined,
): Naming | undefined {
  if (principals === undefined) return undefined;
  const { list, isNot } = principals;
  if (!isNot) return namingOf(list, caller);
  if (effect === "Deny" && caller?.limits.some(isBoundary) === true) return "everybody";
  return isExcepted(list, caller) ? undefined : "everybody";
}

const isBoundary = ({ kind }: CompiledPolicy): boolean => kind !== "session";

function findOwn({ policies }: Principal, question: Question): Decision | undefined {
  for (const policy of policies) {
    const found = allowed("identity policy", policy, find(policy, "Allow", question));
    if (found !== undefined) return found;
  }
  return undefined;
}

function find(
  policy: CompiledPolicy,
  effect: Statement["effect"],
  question: Question,
): Statement | undefined {
  for (const statement of policy.about(question.action)) {
    if (statement.effect === effect && applies(statement, question)) return statement;
  }
  return undefined;
}

/** Returns whether a statement about the action applies to the resource under its conditions. */
function applies(
  { hasResource, conditions }: Statement,
  { resource, context }: Question,
): boolean {
  if (!hasResource(resource, context)) return false;
  for (const { holds } of conditions) if (!holds(context)) return false;
  return true;
}

function allowed(
  because: Decision["because"],
  policy: CompiledPolicy | undefined,
  statement: Statement | undefined,
): Decision | undefined {
  if (policy === undefined || statement === undefined) return undefined;
  return { allowed: true, because, statement: describe(policy, statement) };
}

function denied(policy: CompiledPolicy | undefined, statement: Statement): Decision {
  const described = describe(policy, statement);
  return { allowed: false, because: "explicit deny", statement: described };
}

function describe(policy: CompiledPolicy | undefined, { sid, number }: Statement): Deciding {
  return { origin: policy?.origin ?? "", sid, number };
}
