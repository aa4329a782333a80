/**
 * Changes of users.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html and its neighbours
 *
 * Every function here returns the records to change, and throws an S3Error with the code and the message of IAM.
 * @module
 */

import { AMAZON } from "../arns.ts";
import { type Directory, keyOf } from "../directory.ts";
import type { Change, User } from "../entities.ts";
import { checkName, checkPath } from "../entity_names.ts";
import { addTags, removeTags, type Tag } from "../entity_tags.ts";
import { newEntityId, type Sources } from "../identifiers.ts";
import { alreadyExists, inUse, notAttachable, overQuota } from "../refusals.ts";
import { ensureAccount, findUser, putUser } from "./find.ts";

/** Most users of an account. */
export const MAX_USERS = 5000;

/** A user, by the number of the account and the name. */
export type UserName = { readonly account: string; readonly name: string };

/**
 * Plans a new user, who has no keys and no rights.
 *
 * @throws S3Error `ValidationError`, `InvalidInput`, `EntityAlreadyExists`, `LimitExceeded`; `NoSuchEntity` for a boundary
 */
export function createUser(
  directory: Directory,
  { account, name, path = "/", tags = [], boundary }: UserName & {
    readonly path?: string | undefined;
    readonly tags?: readonly Tag[] | undefined;
    /** ARN of a managed policy. */
    readonly boundary?: string | undefined;
  },
  { now, random }: Sources,
): readonly Change[] {
  checkName("userName", name, "user");
  checkPath(path);
  if (directory.user(account, name) !== undefined) throw alreadyExists("User", name);
  if (directory.membersOf(account).users.length >= MAX_USERS) {
    throw overQuota("UsersPerAccount", MAX_USERS);
  }
  if (boundary !== undefined) checkBoundary(directory, account, boundary);
  const user: User = {
    account,
    id: newEntityId("user", random),
    name,
    path,
    created: now,
    tags: addTags(new Map(), tags),
    keys: [],
    inline: new Map(),
    attached: [],
    groups: [],
    boundary,
    isDisabled: false,
  };
  return [...ensureAccount(directory, account, now), putUser(user)];
}

/**
 * Plans another name or path of a user. Groups, keys and policies remain.
 *
 * @throws S3Error `NoSuchEntity`, `ValidationError`, `EntityAlreadyExists`
 */
export function updateUser(
  directory: Directory,
  { account, name, newName, newPath }: UserName & {
    readonly newName?: string | undefined;
    readonly newPath?: string | undefined;
  },
): readonly Change[] {
  if (newName !== undefined) checkName("newUserName", newName, "user");
  if (newPath !== undefined) checkPath(newPath, "newPath");
  const user = findUser(directory, account, name);
  const renamed = { ...user, name: newName ?? user.name, path: newPath ?? user.path };
  const before = keyOf({ kind: "user", value: user });
  if (keyOf({ kind: "user", value: renamed }).name === before.name) return [putUser(renamed)];
  if (directory.user(account, renamed.name) !== undefined) {
    throw alreadyExists("User", renamed.name);
  }
  return [{ remove: before }, putUser(renamed)];
}

/**
 * Plans the end of a user.
 *
 * @param force Removes the user's keys, policies and memberships also; without it they are a conflict, as on Amazon.
 * @throws S3Error `NoSuchEntity`, `DeleteConflict`
 */
export function deleteUser(
  directory: Directory,
  { account, name, force = false }: UserName & { readonly force?: boolean },
): readonly Change[] {
  const user = findUser(directory, account, name);
  if (!force) checkUnused(user);
  return [{ remove: keyOf({ kind: "user", value: user }) }];
}

function checkUnused({ keys, inline, attached, groups }: User): void {
  const left = keys.length > 0
    ? "delete access keys"
    : inline.size > 0
    ? "delete policies"
    : attached.length > 0
    ? "detach all policies"
    : groups.length > 0
    ? "remove users from group"
    : undefined;
  if (left !== undefined) throw inUse(`Cannot delete entity, must ${left} first.`);
}

/**
 * Plans the permissions boundary of a user, or its end.
 *
 * @param boundary ARN of a managed policy; undefined for none.
 * @throws S3Error `NoSuchEntity` for the user, for the policy, or for a boundary that is not there
 */
export function setBoundary(
  directory: Directory,
  { account, name, boundary }: UserName & { readonly boundary: string | undefined },
): readonly Change[] {
  const user = findUser(directory, account, name);
  if (boundary !== undefined) checkBoundary(directory, account, boundary);
  return [putUser({ ...user, boundary })];
}

function checkBoundary(directory: Directory, account: string, arn: string): void {
  if (!isUsable(directory, account, arn)) throw notAttachable(arn);
}

/** Returns whether an account may attach a managed policy: its own, or one that Amazon manages. */
export function isUsable(directory: Directory, account: string, arn: string): boolean {
  const policy = directory.policyOf(arn);
  return policy !== undefined && (policy.account === account || policy.account === AMAZON);
}

/**
 * Plans that a user may do nothing, or again what policies allow. It has no counterpart at Amazon.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function setDisabled(
  directory: Directory,
  { account, name, isDisabled }: UserName & { readonly isDisabled: boolean },
): readonly Change[] {
  return [putUser({ ...findUser(directory, account, name), isDisabled })];
}

/**
 * Plans more tags of a user.
 *
 * @throws S3Error `NoSuchEntity`, `InvalidInput`, `ValidationError`, `LimitExceeded`
 */
export function tagUser(
  directory: Directory,
  { account, name, tags }: UserName & { readonly tags: readonly Tag[] },
): readonly Change[] {
  const user = findUser(directory, account, name);
  return [putUser({ ...user, tags: addTags(user.tags, tags) })];
}

/**
 * Plans fewer tags of a user.
 *
 * @throws S3Error `NoSuchEntity`, `ValidationError`
 */
export function untagUser(
  directory: Directory,
  { account, name, keys }: UserName & { readonly keys: readonly string[] },
): readonly Change[] {
  const user = findUser(directory, account, name);
  return [putUser({ ...user, tags: removeTags(user.tags, keys) })];
}
