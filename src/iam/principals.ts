/**
 * The elements `Principal` and `NotPrincipal` of a bucket policy.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html and
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 *
 * An account stands for everybody in it, but leaves it to the account who of them may do something. Services of AWS and
 * federated users are accepted and are nobody here.
 * @module
 */

import { isAccountId } from "../s3/account.ts";
import { isUserId } from "./identifiers.ts";
import { PolicyError } from "./policy_error.ts";

/** A caller whom statements may name. */
export type Nameable = {
  readonly arn: string;
  /** 12 digits. */
  readonly account: string;
  readonly isRoot: boolean;
  /** The value of `aws:userid`. */
  readonly userId: string;
};

/** How a statement names a caller: as everybody, by the account, or as the user or root itself. */
export type Naming = "everybody" | "account" | "self";

/** The callers that a statement names. */
export type Principals = {
  readonly everybody: boolean;
  /** There are federated users in it, who may be anybody. */
  readonly federated: boolean;
  /** Numbers of accounts. */
  readonly accounts: ReadonlySet<string>;
  /** ARNs of users, and stable ids of those whom the policy was bound to. */
  readonly users: ReadonlySet<string>;
  /** There is an account, a user, a service or a federation in it, so that it is not empty. */
  readonly count: number;
};

/** Returns whether there is a user or an account of this ARN; used when a policy is put. */
export type HasPrincipal = (arn: string) => boolean;

const USER = /^arn:aws[a-z-]*:iam::(\d{12}):(user|role)\/[\w+=,.@/-]{1,640}$/;
const SESSION = /^arn:aws[a-z-]*:sts::(\d{12}):(assumed-role|federated-user)\/[\w+=,.@/-]{1,640}$/;
const ROOT = /^arn:aws[a-z-]*:iam::(\d{12}):root$/;
/** Kinds of principals that are nobody here. */
const NOBODY = ["Service", "Federated"];

/**
 * Parses the element.
 *
 * @throws PolicyError
 */
export function parsePrincipals(element: unknown, has: HasPrincipal = () => true): Principals {
  if (element === "*") return { ...NONE, everybody: true, count: 1 };
  if (typeof element !== "object" || element === null || Array.isArray(element)) throw invalid();
  if (Object.keys(element).length === 0) {
    throw new PolicyError("Missing required field Principal cannot be empty!");
  }
  const accounts = new Set<string>();
  const users = new Set<string>();
  let everybody = false;
  let federated = false;
  let count = 0;
  for (const [kind, value] of Object.entries(element)) {
    const names = namesOf(value);
    count += names.length;
    if (kind === "Federated") federated = true;
    if (NOBODY.includes(kind)) continue;
    // No account has a canonical user id here.
    if (kind !== "AWS") throw invalid();
    for (const name of names) {
      const account = isAccountId(name) ? name : ROOT.exec(name)?.[1];
      if (name === "*") everybody = true;
      else if (account !== undefined && has(`arn:aws:iam::${account}:root`)) accounts.add(account);
      else if (isUser(name) && has(name)) users.add(name);
      else throw invalid();
    }
  }
  if (count === 0) throw invalid();
  return { everybody, federated, accounts, users, count };
}

const NONE: Principals = {
  everybody: false,
  federated: false,
  accounts: new Set(),
  users: new Set(),
  count: 0,
};

function isUser(name: string): boolean {
  return USER.test(name) || SESSION.test(name) || isUserId(name);
}

function namesOf(value: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((name) => {
    if (typeof name !== "string") throw invalid();
    return name;
  });
}

/**
 * Returns how principals name a caller, by the strongest of the ways; undefined if they do not.
 *
 * @param caller Undefined for an anonymous one.
 */
export function namingOf(
  { everybody, accounts, users }: Principals,
  caller: Nameable | undefined,
): Naming | undefined {
  if (caller !== undefined) {
    if (users.has(caller.arn) || users.has(caller.userId)) return "self";
    if (caller.isRoot && accounts.has(caller.account)) return "self";
  }
  if (everybody) return "everybody";
  return caller !== undefined && accounts.has(caller.account) ? "account" : undefined;
}

/**
 * Returns whether `NotPrincipal` excepts a caller: everybody whom it names as itself. An account in it excepts the account's
 * root alone, as on AWS, where the account must be named in addition to its users.
 */
export function isExcepted(principals: Principals, caller: Nameable | undefined): boolean {
  const naming = namingOf(principals, caller);
  return naming === "self" || naming === "everybody";
}

function invalid(): PolicyError {
  return new PolicyError("Invalid principal in policy");
}
