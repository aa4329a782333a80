/**
 * The claim on carrying out the lifecycle rules of a bucket, and the clock that they count by.
 * @module
 */

import type { BucketName } from "../../s3/names.ts";
import type { TaskClaim } from "../../store/maintenance.ts";
import { isFull } from "../jetstream/errors.ts";
import type { BucketsContext } from "./context.ts";
import { keepRenewing, lockTask } from "./lock.ts";

type ClaimContext = Pick<BucketsContext, "requests" | "streams">;

/** Seconds after which another gateway may go on where one has died. */
const LEASE = 60;

/**
 * Claims the lifecycle rules of a bucket; undefined while another gateway has the claim, and for a bucket from which this
 * gateway removes nothing. A full bucket has no room for the claim, so each gateway carries its rules out: what one of them
 * has removed, the others do not find.
 *
 * @throws S3Error `NoSuchBucket`
 */
export async function claimLifecycle(
  context: ClaimContext,
  bucket: BucketName,
): Promise<TaskClaim | undefined> {
  const stream = await context.streams.read(bucket);
  // No gateway has written to it, it is a mirror, or one is deleting it.
  if (!stream.prepared || stream.fenced || stream.readOnly || stream.sealed) return undefined;
  try {
    const lock = await lockTask(context, stream, "lifecycle", LEASE);
    if (lock === undefined) return undefined;
    // A claim that was lost does no harm: two gateways remove the same.
    const renewal = keepRenewing(lock, LEASE, () => {});
    return {
      async release() {
        renewal[Symbol.dispose]();
        await lock.release();
      },
    };
  } catch (cause) {
    if (isFull(cause)) return { release: () => Promise.resolve() };
    throw cause;
  }
}

/** Reads the time of nats-server. Throws `NoSuchBucket`. */
export async function readServerTime(
  { streams }: Pick<ClaimContext, "streams">,
  bucket: BucketName,
): Promise<Date> {
  return (await streams.read(bucket)).at;
}
