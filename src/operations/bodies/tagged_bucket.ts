/**
 * The bucket whose tags a request of S3 Control is about. They are the document that PutBucketTagging writes.
 * @module
 */

import { isS3Error, S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import type { Permission } from "../../s3/permission.ts";
import { parseTaggedBucket } from "../../s3/resource_arn.ts";
import { BUCKET_TAGS, formatTagging, parseTagSet, type TagSet } from "../../s3/tags.ts";
import type { Call } from "../operation.ts";

type ControlCall = Pick<Call<"account", unknown>, "target" | "access" | "store">;

/**
 * Works on the bucket that a request names.
 *
 * @throws S3Error `InvalidURI`, `InvalidRequest`, `AccessDenied`; `NoSuchResource` for a missing bucket, and what `work`
 * throws
 */
export async function onTaggedBucket<T>(
  { target: { path, account }, access }: ControlCall,
  { action, facts }: Pick<Permission, "action" | "facts">,
  work: (bucket: BucketName) => Promise<T>,
): Promise<T> {
  const bucket = parseTaggedBucket(path, account);
  try {
    await access.allow({ action, resource: { on: "bucket", bucket }, ...(facts && { facts }) });
    return await work(bucket);
  } catch (cause) {
    throw isS3Error(cause, "NoSuchBucket") ? new S3Error("NoSuchResource", {}, { cause }) : cause;
  }
}

/** Returns the tags that a bucket has. */
export async function readBucketTags(
  { store }: Pick<ControlCall, "store">,
  bucket: BucketName,
): Promise<TagSet> {
  return parseKept(await store.readDocument(bucket, "tagging"));
}

/**
 * Changes the tags of a bucket, so that no other change is lost.
 *
 * @param change Returns the new tags for the present ones; what it throws is thrown.
 */
export async function changeBucketTags(
  { store }: Pick<ControlCall, "store">,
  bucket: BucketName,
  change: (tags: TagSet) => TagSet,
): Promise<void> {
  await store.changeDocument(bucket, "tagging", (text) => {
    const present = parseKept(text);
    const tags = change(present);
    if (isSame(tags, present)) return text;
    return tags.size === 0 ? undefined : formatTagging(tags);
  });
}

/** Parses the document of a bucket, which somebody else may have written into its stream. */
function parseKept(text: string | undefined): TagSet {
  if (text === undefined) return new Map();
  try {
    return parseTagSet(text, BUCKET_TAGS);
  } catch (cause) {
    throw new S3Error("InternalError", {}, {
      message: "The tagging configuration of the bucket cannot be read.",
      cause,
    });
  }
}

function isSame(a: TagSet, b: TagSet): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
