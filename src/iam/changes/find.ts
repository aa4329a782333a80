/**
 * Finds the entities that a change is about, or refuses it.
 * @module
 */

import { AMAZON } from "../arns.ts";
import type { Directory } from "../directory.ts";
import type { Account, Change, Group, ManagedPolicy, User } from "../entities.ts";
import { noSuch, noSuchPolicy } from "../refusals.ts";

/**
 * Returns the user of a name.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function findUser(directory: Directory, account: string, name: string): User {
  const user = directory.user(account, name);
  if (user === undefined) throw noSuch("user", name);
  return user;
}

/**
 * Returns the group of a name.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function findGroup(directory: Directory, account: string, name: string): Group {
  const group = directory.group(account, name);
  if (group === undefined) throw noSuch("group", name);
  return group;
}

/**
 * Returns the managed policy of an ARN, if it is the account's own.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function findPolicy(directory: Directory, account: string, arn: string): ManagedPolicy {
  const policy = directory.policyOf(arn);
  if (policy?.account !== account) throw noSuchPolicy(arn);
  return policy;
}

/**
 * Returns the managed policy of an ARN that an account may read and attach: its own, or one that Amazon manages.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function findUsablePolicy(
  directory: Directory,
  account: string,
  arn: string,
): ManagedPolicy {
  const policy = directory.policyOf(arn);
  if (policy === undefined || policy.account !== account && policy.account !== AMAZON) {
    throw noSuchPolicy(arn);
  }
  return policy;
}

/** Returns the account of a number, or what it is before its first record: without a name, keys and alias. */
export function accountOf(directory: Directory, id: string, now: Date): Account {
  return directory.accounts.get(id) ??
    { id, name: id, alias: undefined, created: now, keys: [] };
}

/**
 * Returns the change that makes the record of an account which has none, such as that of configured keys. Without it, the
 * account's users have no keys.
 */
export function ensureAccount(directory: Directory, id: string, now: Date): readonly Change[] {
  return directory.accounts.has(id) ? [] : [putAccount(accountOf(directory, id, now))];
}

/** Returns the change that puts an account. */
export function putAccount(value: Account): Change {
  return { put: { kind: "account", value } };
}

/** Returns the change that puts a user. */
export function putUser(value: User): Change {
  return { put: { kind: "user", value } };
}

/** Returns the change that puts a group. */
export function putGroup(value: Group): Change {
  return { put: { kind: "group", value } };
}

/** Returns the change that puts a managed policy. */
export function putPolicy(value: ManagedPolicy): Change {
  return { put: { kind: "policy", value } };
}
