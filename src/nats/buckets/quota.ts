/**
 * Room in a bucket: PUTs stop at the quota. Requests that free room go on in the reserve above it.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketsContext } from "./context.ts";
import type { BucketStream } from "./streams.ts";

/**
 * Refuses bytes that a bucket has no room for. A body of unknown length is accepted while there is any room.
 *
 * @throws S3Error `QuotaExceeded`
 */
export async function checkRoom(
  { streams }: Pick<BucketsContext, "streams">,
  { bucket, quota }: BucketStream,
  size: number | undefined,
): Promise<void> {
  if (quota === Infinity) return;
  const { bytes } = await streams.read(bucket);
  if (bytes + (size ?? 0) < quota) return;
  throw new S3Error("QuotaExceeded", { BucketName: bucket, Quota: quota, Used: bytes });
}
