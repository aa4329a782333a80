/**
 * The number of objects in a bucket that has a limit for it.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { BucketStream } from "../buckets/streams.ts";
import type { ObjectsContext } from "./context.ts";

/** The fields of a context that a check of the number needs. */
export type CountNeeds = Pick<ObjectsContext, "countKeys">;

/**
 * Refuses a new object in a bucket that has as many as its limit. Keys that have an object may get another one.
 *
 * It counts every object that was acknowledged before the call, and none that is being written: writes at the same time may
 * together exceed the limit.
 *
 * @throws S3Error `QuotaExceeded`; `ServiceUnavailable` if this gateway cannot list the bucket
 */
export async function checkCount(
  { countKeys }: CountNeeds,
  { bucket, objectLimit }: Pick<BucketStream, "bucket" | "objectLimit">,
  key: ObjectKey,
): Promise<void> {
  const { count, hasKey } = await countKeys(bucket, key);
  if (hasKey || count < objectLimit) return;
  throw new S3Error("QuotaExceeded", {
    BucketName: bucket,
    ObjectLimit: objectLimit,
    Objects: count,
  }, { message: "The bucket has as many objects as its limit allows." });
}
