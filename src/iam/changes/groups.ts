/**
 * Changes of groups and of their members.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html and its neighbours
 * @module
 */

import { type Directory, keyOf } from "../directory.ts";
import type { Change, Group } from "../entities.ts";
import { checkName, checkPath } from "../entity_names.ts";
import { newEntityId, type Sources } from "../identifiers.ts";
import { alreadyExists, inUse, overQuota } from "../refusals.ts";
import { ensureAccount, findGroup, findUser, putGroup, putUser } from "./find.ts";

/** Most groups of an account. */
export const MAX_GROUPS = 300;
/** Most groups of a user. */
export const MAX_GROUPS_OF_USER = 10;

/** A group, by the number of the account and the name. */
export type GroupName = { readonly account: string; readonly name: string };

/** A user's membership. */
export type Membership = {
  readonly account: string;
  readonly group: string;
  readonly user: string;
};

/**
 * Plans a new group.
 *
 * @throws S3Error `ValidationError`, `EntityAlreadyExists`, `LimitExceeded`
 */
export function createGroup(
  directory: Directory,
  { account, name, path = "/" }: GroupName & { readonly path?: string | undefined },
  { now, random }: Sources,
): readonly Change[] {
  checkName("groupName", name, "group");
  checkPath(path);
  if (directory.group(account, name) !== undefined) throw alreadyExists("Group", name);
  if (directory.membersOf(account).groups.length >= MAX_GROUPS) {
    throw overQuota("GroupsPerAccount", MAX_GROUPS);
  }
  const id = newEntityId("group", random);
  const group: Group = { account, id, name, path, created: now, inline: new Map(), attached: [] };
  return [...ensureAccount(directory, account, now), putGroup(group)];
}

/**
 * Plans another name or path of a group. Its members and policies remain.
 *
 * @throws S3Error `NoSuchEntity`, `ValidationError`, `EntityAlreadyExists`
 */
export function updateGroup(
  directory: Directory,
  { account, name, newName, newPath }: GroupName & {
    readonly newName?: string | undefined;
    readonly newPath?: string | undefined;
  },
): readonly Change[] {
  if (newName !== undefined) checkName("newGroupName", newName, "group");
  if (newPath !== undefined) checkPath(newPath, "newPath");
  const group = findGroup(directory, account, name);
  const renamed = { ...group, name: newName ?? group.name, path: newPath ?? group.path };
  const before = keyOf({ kind: "group", value: group });
  if (keyOf({ kind: "group", value: renamed }).name === before.name) return [putGroup(renamed)];
  if (directory.group(account, renamed.name) !== undefined) {
    throw alreadyExists("Group", renamed.name);
  }
  return [{ remove: before }, putGroup(renamed)];
}

/**
 * Plans the end of a group.
 *
 * @throws S3Error `NoSuchEntity`, `DeleteConflict`
 */
export function deleteGroup(
  directory: Directory,
  { account, name }: GroupName,
): readonly Change[] {
  const group = findGroup(directory, account, name);
  const { users } = directory.membersOf(account);
  if (users.some(({ groups }) => groups.includes(group.id))) {
    throw inUse("Cannot delete entity, must remove users from group first.");
  }
  if (group.inline.size > 0) throw inUse("Cannot delete entity, must delete policies first.");
  if (group.attached.length > 0) {
    throw inUse("Cannot delete entity, must detach all policies first.");
  }
  return [{ remove: keyOf({ kind: "group", value: group }) }];
}

/**
 * Plans that a user belongs to a group.
 *
 * @throws S3Error `NoSuchEntity`, `LimitExceeded`
 */
export function addUserToGroup(
  directory: Directory,
  { account, group: groupName, user: userName }: Membership,
): readonly Change[] {
  const group = findGroup(directory, account, groupName);
  const user = findUser(directory, account, userName);
  if (user.groups.includes(group.id)) return [];
  if (user.groups.length >= MAX_GROUPS_OF_USER) {
    throw overQuota("GroupsPerUser", MAX_GROUPS_OF_USER);
  }
  return [putUser({ ...user, groups: [...user.groups, group.id] })];
}

/**
 * Plans that a user no longer belongs to a group. As on Amazon, a user who does not belong to it is no error.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function removeUserFromGroup(
  directory: Directory,
  { account, group: groupName, user: userName }: Membership,
): readonly Change[] {
  const group = findGroup(directory, account, groupName);
  const user = findUser(directory, account, userName);
  if (!user.groups.includes(group.id)) return [];
  return [putUser({ ...user, groups: user.groups.filter((id) => id !== group.id) })];
}
