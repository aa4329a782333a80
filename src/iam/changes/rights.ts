/**
 * Changes of what users and groups may do: inline policies, and managed policies that are attached.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html and
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html
 * @module
 */

import type { Directory } from "../directory.ts";
import type { Change, Group, User } from "../entities.ts";
import { checkName } from "../entity_names.ts";
import { checkInline } from "../policy_documents.ts";
import { noSuch, noSuchPolicy, notAttachable, overQuota } from "../refusals.ts";
import { findGroup, findUser, putGroup, putUser } from "./find.ts";
import { isUsable } from "./users.ts";

/** Most managed policies that are attached to a user or a group. */
export const MAX_ATTACHED = 10;

/** A user or a group, by the number of the account and the name. */
export type Owner = {
  readonly kind: "user" | "group";
  readonly account: string;
  readonly name: string;
};

/**
 * Plans an inline policy, which replaces the one of the same name.
 *
 * @throws S3Error `NoSuchEntity`, `ValidationError`, `MalformedPolicyDocument`, `LimitExceeded`
 */
export function putInlinePolicy(
  directory: Directory,
  { policy, document, ...owner }: Owner & { readonly policy: string; readonly document: string },
): readonly Change[] {
  checkName("policyName", policy);
  const { name, inline } = findOwner(directory, owner);
  const all = new Map(inline).set(policy, document);
  checkInline(owner.kind, name, document, all);
  return [changeOwner(directory, owner, { inline: all })];
}

/**
 * Plans the end of an inline policy.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function deleteInlinePolicy(
  directory: Directory,
  { policy, ...owner }: Owner & { readonly policy: string },
): readonly Change[] {
  const { inline } = findOwner(directory, owner);
  if (!inline.has(policy)) throw noSuch(`${owner.kind} policy`, policy);
  const others = new Map([...inline].filter(([name]) => name !== policy));
  return [changeOwner(directory, owner, { inline: others })];
}

/**
 * Plans that a managed policy is attached. One that is attached already is no error.
 *
 * @throws S3Error `NoSuchEntity`, `LimitExceeded`
 */
export function attachPolicy(
  directory: Directory,
  { arn, ...owner }: Owner & { readonly arn: string },
): readonly Change[] {
  const { attached } = findOwner(directory, owner);
  if (!isUsable(directory, owner.account, arn)) throw notAttachable(arn);
  if (attached.includes(arn)) return [];
  if (attached.length >= MAX_ATTACHED) {
    throw overQuota(owner.kind === "user" ? "PoliciesPerUser" : "PoliciesPerGroup", MAX_ATTACHED);
  }
  return [changeOwner(directory, owner, { attached: [...attached, arn] })];
}

/**
 * Plans that a managed policy is no longer attached.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function detachPolicy(
  directory: Directory,
  { arn, ...owner }: Owner & { readonly arn: string },
): readonly Change[] {
  const { attached } = findOwner(directory, owner);
  if (!attached.includes(arn)) throw noSuchPolicy(arn);
  return [changeOwner(directory, owner, { attached: attached.filter((other) => other !== arn) })];
}

/**
 * Returns a user or a group.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function findOwner(directory: Directory, { kind, account, name }: Owner): User | Group {
  return kind === "user" ? findUser(directory, account, name) : findGroup(directory, account, name);
}

function changeOwner(
  directory: Directory,
  { kind, account, name }: Owner,
  rights: Partial<Pick<Group, "inline" | "attached">>,
): Change {
  return kind === "user"
    ? putUser({ ...findUser(directory, account, name), ...rights })
    : putGroup({ ...findGroup(directory, account, name), ...rights });
}
