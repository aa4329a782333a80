/**
 * What callers learn about a bucket although they may not use it: whether it exists, and its region.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 *
 * Amazon tells both to everybody, and nothing about keys. boto3, aws-cli and the SDKs find the region of a bucket this
 * way.
 * @module
 */

import { isS3Error, S3Error } from "../s3/errors.ts";
import type { Target } from "../s3/request.ts";
import type { Store } from "../store/store.ts";

/** A request whose caller was not let in. */
export type RefusedRequest = {
  readonly method: string;
  readonly target: Target;
  /** The request carries no signature, as opposed to a wrong one. */
  readonly isAnonymous: boolean;
  /** The region of the bucket, if there is one and it has no location. */
  readonly region: string;
};

/** The error that the caller receives, and the region of the bucket if the response may name it. */
export type Disclosed = { readonly error: unknown; readonly region: string | undefined };

/** Adds the public facts about the bucket to a refusal. */
export type Disclose = (cause: unknown, request: RefusedRequest) => Promise<Disclosed>;

/**
 * The most buckets that are looked up at a time. Anybody can ask for buckets that do not exist, of which nothing is
 * kept, so this bounds what such requests cost JetStream. More of them are refused without a word about the bucket.
 */
const LOOKUPS_AT_ONCE = 32;

/** Creates the step that follows a refusal. */
export function createDisclose(store: Pick<Store, "hasBucket" | "knownLocation">): Disclose {
  let lookups = 0;
  return async (cause, { method, target, isAnonymous, region }) => {
    if (!("bucket" in target)) return { error: cause, region: undefined };
    // Whether everybody may read the bucket was asked before, and it has said all there is to say.
    if (isAnonymous && isS3Error(cause, "NoSuchBucket", "SlowDown")) {
      return { error: cause, region: undefined };
    }
    const { bucket } = target;
    // A refusal for the wrong region names one that is right for all buckets.
    const expected = isS3Error(cause) ? cause.fields.Region : undefined;
    if (typeof expected === "string") return { error: cause, region: expected };
    if (lookups >= LOOKUPS_AT_ONCE) return { error: cause, region: undefined };
    lookups++;
    let exists: boolean | undefined;
    try {
      exists = await store.hasBucket(bucket);
    } catch { // JetStream does not respond, and the refusal stands without it
    } finally {
      lookups--;
    }
    if (exists === true) {
      return { error: cause, region: store.knownLocation(bucket) ?? region };
    }
    if (exists === false && isS3Error(cause, "AccessForbidden")) {
      return { error: preflightOfNothing(cause), region: undefined };
    }
    // An unsigned CreateBucket is denied although its bucket need not exist.
    const tells = exists === false && isAnonymous && !(method === "PUT" && target.on === "bucket");
    const error = tells ? new S3Error("NoSuchBucket", { BucketName: bucket }, { cause }) : cause;
    return { error, region: undefined };
  };
}

function preflightOfNothing({ fields }: S3Error): S3Error {
  return new S3Error("AccessForbidden", fields, { message: "CORSResponse: Bucket not found" });
}
