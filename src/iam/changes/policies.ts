/**
 * Changes of managed policies and of their versions.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html and its neighbours
 * @module
 */

import { arnOf } from "../arns.ts";
import { type Directory, keyOf } from "../directory.ts";
import type { Change, ManagedPolicy, PolicyVersion } from "../entities.ts";
import { checkDescription, checkName, checkPath } from "../entity_names.ts";
import { addTags, removeTags, type Tag } from "../entity_tags.ts";
import { newEntityId, type Sources } from "../identifiers.ts";
import { checkManaged } from "../policy_documents.ts";
import { inUse, noSuchVersion, overQuota, taken, tooMuch } from "../refusals.ts";
import { ensureAccount, findPolicy, putPolicy } from "./find.ts";

/** Most managed policies of an account. */
export const MAX_POLICIES = 1500;
/** Most versions of a managed policy. */
export const MAX_VERSIONS = 5;

/** A managed policy, by the number of the account that changes it and its ARN. */
export type PolicyArn = { readonly account: string; readonly arn: string };
/** A version of a managed policy. */
export type VersionName = PolicyArn & { readonly version: string };

/**
 * Plans a new managed policy with the version `v1`.
 *
 * @throws S3Error `ValidationError`, `InvalidInput`, `MalformedPolicyDocument`, `EntityAlreadyExists`, `LimitExceeded`
 */
export function createPolicy(
  directory: Directory,
  { account, name, path = "/", document, description, tags = [] }: {
    readonly account: string;
    readonly name: string;
    readonly path?: string | undefined;
    readonly document: string;
    readonly description?: string | undefined;
    readonly tags?: readonly Tag[] | undefined;
  },
  { now, random }: Sources,
): readonly Change[] {
  checkName("policyName", name);
  checkPath(path);
  if (description !== undefined) checkDescription(description);
  checkManaged(document);
  if (directory.policy(account, name) !== undefined) {
    throw taken(`A policy called ${name} already exists. Duplicate names are not allowed.`);
  }
  if (directory.membersOf(account).policies.length >= MAX_POLICIES) {
    throw overQuota("PoliciesPerAccount", MAX_POLICIES);
  }
  const policy: ManagedPolicy = {
    account,
    id: newEntityId("policy", random),
    name,
    path,
    created: now,
    description,
    tags: addTags(new Map(), tags),
    versions: [{ id: "v1", document, created: now }],
    defaultVersion: "v1",
    versionCount: 1,
    updated: now,
  };
  return [...ensureAccount(directory, account, now), putPolicy(policy)];
}

/**
 * Plans the end of a managed policy.
 *
 * @param force Removes other versions than the default one also; without it they are a conflict, as on Amazon.
 * @throws S3Error `NoSuchEntity`, `DeleteConflict`
 */
export function deletePolicy(
  directory: Directory,
  { account, arn, force = false }: PolicyArn & { readonly force?: boolean },
): readonly Change[] {
  const policy = findPolicy(directory, account, arn);
  if (isInUse(directory, policy)) throw inUse("Cannot delete a policy attached to entities.");
  if (policy.versions.length > 1 && !force) {
    throw inUse(
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
    );
  }
  return [{ remove: keyOf({ kind: "policy", value: policy }) }];
}

/** Returns whether a user or group has a managed policy, as a permission or as a boundary. */
function isInUse(directory: Directory, policy: ManagedPolicy): boolean {
  const arn = arnOf("policy", policy);
  const { users, groups } = directory.membersOf(policy.account);
  return users.some(({ attached, boundary }) => boundary === arn || attached.includes(arn)) ||
    groups.some(({ attached }) => attached.includes(arn));
}

/**
 * Plans another version of a managed policy, which is then the last of its versions.
 *
 * @throws S3Error `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`
 */
export function createPolicyVersion(
  directory: Directory,
  { account, arn, document, isDefault }: PolicyArn & {
    readonly document: string;
    readonly isDefault: boolean;
  },
  { now }: Pick<Sources, "now">,
): readonly Change[] {
  checkManaged(document);
  const policy = findPolicy(directory, account, arn);
  if (policy.versions.length >= MAX_VERSIONS) {
    throw tooMuch(
      `A managed policy can have up to ${MAX_VERSIONS} versions. Before you create a new version, you must delete an existing version.`,
    );
  }
  const versionCount = policy.versionCount + 1;
  const version = { id: `v${versionCount}`, document, created: now };
  return [putPolicy({
    ...policy,
    versions: [...policy.versions, version],
    versionCount,
    defaultVersion: isDefault ? version.id : policy.defaultVersion,
    updated: now,
  })];
}

/**
 * Plans the end of a version that is not the default one.
 *
 * @throws S3Error `NoSuchEntity`, `DeleteConflict`
 */
export function deletePolicyVersion(
  directory: Directory,
  { version, ...named }: VersionName,
  { now }: Pick<Sources, "now">,
): readonly Change[] {
  const policy = findPolicyWith(directory, named, version);
  if (policy.defaultVersion === version) {
    throw inUse("Cannot delete the default version of a policy.");
  }
  const versions = policy.versions.filter(({ id }) => id !== version);
  return [putPolicy({ ...policy, versions, updated: now })];
}

/**
 * Plans that another version is in force.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function setDefaultPolicyVersion(
  directory: Directory,
  { version, ...named }: VersionName,
  { now }: Pick<Sources, "now">,
): readonly Change[] {
  const policy = findPolicyWith(directory, named, version);
  return [putPolicy({ ...policy, defaultVersion: version, updated: now })];
}

/** Returns the managed policy that has a version, or throws. */
function findPolicyWith(
  directory: Directory,
  { account, arn }: PolicyArn,
  version: string,
): ManagedPolicy {
  const policy = findPolicy(directory, account, arn);
  findVersion(policy, version);
  return policy;
}

/**
 * Returns a version of a managed policy.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function findVersion(
  policy: ManagedPolicy,
  version: string = policy.defaultVersion,
): PolicyVersion {
  const found = policy.versions.find(({ id }) => id === version);
  if (found === undefined) throw noSuchVersion(arnOf("policy", policy), version);
  return found;
}

/**
 * Plans more tags of a managed policy.
 *
 * @throws S3Error `NoSuchEntity`, `InvalidInput`, `ValidationError`, `LimitExceeded`
 */
export function tagPolicy(
  directory: Directory,
  { account, arn, tags }: PolicyArn & { readonly tags: readonly Tag[] },
): readonly Change[] {
  const policy = findPolicy(directory, account, arn);
  return [putPolicy({ ...policy, tags: addTags(policy.tags, tags) })];
}

/**
 * Plans fewer tags of a managed policy.
 *
 * @throws S3Error `NoSuchEntity`, `ValidationError`
 */
export function untagPolicy(
  directory: Directory,
  { account, arn, keys }: PolicyArn & { readonly keys: readonly string[] },
): readonly Change[] {
  const policy = findPolicy(directory, account, arn);
  return [putPolicy({ ...policy, tags: removeTags(policy.tags, keys) })];
}
