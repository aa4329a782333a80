/**
 * A caller whom the gateway knows, as policies see one.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * @module
 */

import type { Tags } from "./entities.ts";
import type { CompiledPolicy } from "./policy.ts";

/** The root user of an account, or a user that the account made. */
export type Principal = {
  /** 12 digits. */
  readonly account: string;
  /** `arn:aws:iam::<account>:root`, or `arn:aws:iam::<account>:user/<path><name>`. */
  readonly arn: string;
  /** The value of `aws:userid`: the number of the account for its root, else the stable id of the user. */
  readonly userId: string;
  /** The value of `aws:username`; undefined for a root. */
  readonly name: string | undefined;
  /** It may do everything in its account, except what a bucket policy denies. */
  readonly isRoot: boolean;
  /** It is the root of every account. */
  readonly isAdmin: boolean;
  readonly tags: Tags;
  /** What allows: inline and managed policies of the user and of the user's groups. Empty for a root. */
  readonly policies: readonly CompiledPolicy[];
  /** What only restricts: the permissions boundary, and the policies of a session. Each must allow. */
  readonly limits: readonly CompiledPolicy[];
};

/** Returns the root user of an account. */
export function rootOf(account: string, { isAdmin }: { readonly isAdmin: boolean }): Principal {
  return {
    account,
    arn: `arn:aws:iam::${account}:root`,
    userId: account,
    name: undefined,
    isRoot: true,
    isAdmin,
    tags: new Map(),
    policies: [],
    limits: [],
  };
}

/** Returns the account that buckets of a caller record; undefined as long as accounts are not isolated. */
export function recordedAccount({ account, arn, isRoot }: Principal): string | undefined {
  return isRoot && !arn.endsWith(":root") ? undefined : account;
}

/**
 * Returns the holder of a configured key as long as accounts are not isolated: the root of every account, under a name
 * that tells keys apart.
 */
export function unlimitedHolderOf(accessKeyId: string, account: string): Principal {
  return {
    ...rootOf(account, { isAdmin: true }),
    arn: `arn:aws:iam::${account}:user/${accessKeyId}`,
    userId: accessKeyId,
  };
}
