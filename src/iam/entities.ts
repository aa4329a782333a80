/**
 * What IAM keeps: accounts and their settings, users, groups, access keys and managed policies, as plain values.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 *
 * An entity is never changed in place. Names are unique without regard to case within an account and a kind, so the maps of
 * the directory use them in lower case.
 * @module
 */

import type { PublicAccessBlock } from "../s3/public_access_block.ts";

/** Tags by key, in the order in which they were set. */
export type Tags = ReadonlyMap<string, string>;

/** Policy documents by the name of the policy, as they were put. */
export type InlinePolicies = ReadonlyMap<string, string>;

/** A secret access key. It is in the clear in memory and sealed in records. */
export type AccessKey = {
  /** 16 to 128 characters of `A-Z`, `a-z`, `0-9` and `_`; those that IAM makes begin with `AKIA` and have 20. */
  readonly id: string;
  readonly secret: string;
  readonly isActive: boolean;
  readonly created: Date;
};

/** Most access keys of a user, and of the root of an account. */
export const MAX_ACCESS_KEYS = 2;

/** An account: a team that owns buckets and objects. */
export type Account = {
  /** 12 digits. */
  readonly id: string;
  readonly name: string;
  readonly alias: string | undefined;
  readonly created: Date;
  /** The access keys of its root user. */
  readonly keys: readonly AccessKey[];
};

/** The facts that users, groups and managed policies have in common. */
type Named = {
  /** 12 digits. */
  readonly account: string;
  /** The stable id: four letters for the kind, and 17 characters. It outlives a change of name and is never used again. */
  readonly id: string;
  readonly name: string;
  /** `/`, or a path that begins and ends with a slash. */
  readonly path: string;
  readonly created: Date;
};

/** A user, whose id begins with `AIDA`. */
export type User = Named & {
  readonly tags: Tags;
  readonly keys: readonly AccessKey[];
  readonly inline: InlinePolicies;
  /** ARNs of managed policies. */
  readonly attached: readonly string[];
  /** Ids of groups. */
  readonly groups: readonly string[];
  /** ARN of the managed policy that bounds the user's permissions. */
  readonly boundary: string | undefined;
  /** The user keeps keys and policies and may do nothing (`nats-s3 users disable`). */
  readonly isDisabled: boolean;
};

/** A group, whose id begins with `AGPA`. */
export type Group = Named & {
  readonly inline: InlinePolicies;
  readonly attached: readonly string[];
};

/** A managed policy, whose id begins with `ANPA`. */
export type ManagedPolicy = Named & {
  readonly description: string | undefined;
  readonly tags: Tags;
  /** Five at most, oldest first. */
  readonly versions: readonly PolicyVersion[];
  /** Id of the version in force. */
  readonly defaultVersion: string;
  /** Number of versions that there ever were. */
  readonly versionCount: number;
  readonly updated: Date;
};

/** A version of a managed policy: `v1`, `v2` and so on. */
export type PolicyVersion = {
  readonly id: string;
  readonly document: string;
  readonly created: Date;
};

/** What holds for all buckets of an account. It may be set where the account has no record of its own. */
export type AccountSettings = {
  /** 12 digits. */
  readonly account: string;
  readonly publicAccessBlock: PublicAccessBlock;
};

/** An entity with its kind, as one record holds it. */
export type Entity =
  | { readonly kind: "account"; readonly value: Account }
  | { readonly kind: "settings"; readonly value: AccountSettings }
  | { readonly kind: "user"; readonly value: User }
  | { readonly kind: "group"; readonly value: Group }
  | { readonly kind: "policy"; readonly value: ManagedPolicy };

/** The identity of a record: its kind, its account and its name, which is "" for an account and its settings. */
export type EntityKey = {
  readonly kind: Entity["kind"];
  readonly account: string;
  /** In lower case. */
  readonly name: string;
};

/** A change of one record: a new value, or its removal. */
export type Change =
  | { readonly put: Entity }
  | { readonly remove: EntityKey };
