/**
 * The facts about buckets that decide who may use them: the account that owns a bucket, its policy, compiled once, and for a
 * public one the public access block.
 *
 * A policy is as of at most a second ago. One that cannot be read is an error, so nobody is let in by mistake.
 * @module
 */

import { BoundedCache } from "../collections/bounded_cache.ts";
import type { CompiledPolicy } from "../iam/policy.ts";
import { parsePolicy } from "../iam/policy.ts";
import { isPublicPolicy } from "../iam/public_policy.ts";
import { S3Error } from "../s3/errors.ts";
import type { BucketName } from "../s3/names.ts";
import type { Store } from "../store/store.ts";
import type { Block, PublicAccessBlocks } from "./public_access_blocks.ts";

/** What decides about a bucket. */
export type BucketAccess = {
  readonly bucket: BucketName;
  /** Account that owns it; undefined if nobody knows. */
  readonly account: string | undefined;
  /** Undefined for a bucket without a policy. */
  readonly policy: CompiledPolicy | undefined;
  /** Somebody else wrote a policy that nobody can read: it lets nobody in but an owner who replaces it. */
  readonly isBroken: boolean;
  /** Its policy is public and its public access block keeps everybody out but the owner's account. */
  readonly isRestricted: boolean;
};

/** Finds out what decides about a bucket. */
export type BucketAccesses = {
  /** Returns it if it is known to be current; undefined if it must be read. */
  readonly current: (bucket: BucketName) => BucketAccess | undefined;
  /**
   * Reads it.
   *
   * @throws S3Error `NoSuchBucket`; `SlowDown` for an anonymous caller while too many unknown buckets are looked up; what
   * the store throws
   */
  readonly read: (bucket: BucketName, isAnonymous: boolean) => Promise<BucketAccess>;
  /**
   * Reads whether a switch of the public access block is on for a bucket.
   *
   * @throws S3Error as {@linkcode PublicAccessBlocks.read} does
   */
  readonly blocks: (block: Block, bucket: BucketName) => Promise<boolean>;
};

/** Where the facts come from. */
export type BucketAccessSources = {
  readonly store: Pick<Store, "readDocument" | "knownDocument">;
  /** Reads for callers whom nobody knows (`strangers.ts`). */
  readonly strangers: Pick<Store, "readDocument">;
  readonly blocks: PublicAccessBlocks;
  /** Returns the account of a bucket if it is known to be current. */
  readonly knownAccount: (bucket: BucketName) => string | undefined;
  /** Reads the account of a bucket. */
  readonly accountOf: (bucket: BucketName) => Promise<string | undefined>;
};

/** Number of buckets whose facts are kept, and characters of their policies. */
const MAX_KEPT = 32 * 1024 * 1024;
/** What an entry counts beside the text of its policy, which is compiled into something larger. */
const ENTRY = 512;

type Kept = {
  readonly text: string | undefined;
  readonly access: BucketAccess;
  /** The same while the block restricts it; undefined for a bucket that is not public. */
  readonly restricted: BucketAccess | undefined;
};

/** Creates the functions. A policy is compiled once for as long as it does not change. */
export function createBucketAccesses(
  { store, strangers, blocks, knownAccount, accountOf }: BucketAccessSources,
): BucketAccesses {
  const kept = new BoundedCache<Kept>(MAX_KEPT);
  const keep = (
    bucket: BucketName,
    text: string | undefined,
    account: string | undefined,
  ): Kept => {
    const known = kept.get(bucket);
    if (known !== undefined && known.text === text && known.access.account === account) {
      return known;
    }
    const access = { bucket, account, ...compile(bucket, text), isRestricted: false };
    const isPublic = access.policy !== undefined && isPublicPolicy(access.policy);
    const entry = {
      text,
      access,
      restricted: isPublic ? { ...access, isRestricted: true } : undefined,
    };
    kept.set(bucket, entry, ENTRY + 4 * (text?.length ?? 0));
    return entry;
  };
  return {
    current(bucket) {
      const text = store.knownDocument(bucket, "policy");
      if (text === undefined) return undefined;
      const account = knownAccount(bucket);
      if (account === undefined) return undefined;
      const { access, restricted } = keep(bucket, text ?? undefined, account);
      if (restricted === undefined) return access;
      const isRestricted = blocks.current("RestrictPublicBuckets", bucket, account);
      return isRestricted === true ? restricted : isRestricted === false ? access : undefined;
    },
    async read(bucket, isAnonymous) {
      const reader = isAnonymous ? strangers : store;
      const text = await reader.readDocument(bucket, "policy");
      const account = await accountOf(bucket);
      const { access, restricted } = keep(bucket, text, account);
      if (restricted === undefined) return access;
      const block = "RestrictPublicBuckets";
      return await blocks.read(block, bucket, account, reader) ? restricted : access;
    },
    async blocks(block, bucket) {
      return await blocks.read(block, bucket, await accountOf(bucket));
    },
  };
}

function compile(
  bucket: BucketName,
  text: string | undefined,
): Pick<BucketAccess, "policy" | "isBroken"> {
  if (text === undefined) return { policy: undefined, isBroken: false };
  try {
    const policy = parsePolicy(text, "bucket", { origin: "bucket policy", bucket });
    return { policy, isBroken: false };
  } catch {
    return { policy: undefined, isBroken: true };
  }
}

/** Returns the error for a bucket whose policy nobody can read. */
export function brokenPolicy(bucket: BucketName): S3Error {
  return new S3Error("AccessDenied", {}, {
    cause: new Error(
      `The policy of bucket ${bucket} cannot be read: put or delete it as its owner`,
    ),
  });
}
