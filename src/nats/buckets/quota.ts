/**
 * Room in a bucket: PUTs stop at the quota. Requests that free room go on in the reserve above it. Work in the background
 * leaves the same reserve in the account.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketsContext } from "./context.ts";
import { quotaOf } from "./reserve.ts";
import type { StreamInfo } from "./stream_config.ts";
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

/** What an account uses, and its limits. */
type Usage = {
  readonly memory: number;
  readonly storage: number;
  readonly limits: { readonly max_memory: number; readonly max_storage: number };
};

/** JetStream's response about an account. Its tiers, if it has any, are named after the number of replicas. */
type AccountInfo = Usage & { readonly tiers?: Readonly<Record<string, Usage>> };

/** Returns the number of bytes that background work may add to a bucket: what its quota and its account have left. */
export async function readRoom(
  { requests }: Pick<BucketsContext, "requests">,
  { stream }: Pick<BucketStream, "stream">,
): Promise<number> {
  const [{ config, state }, account] = await Promise.all([
    requests.call<StreamInfo>(`STREAM.INFO.${stream}`),
    requests.call<AccountInfo>("INFO"),
  ]);
  const replicas = config.num_replicas;
  const { memory, storage, limits } = account.tiers?.[`R${replicas}`] ?? account;
  // Accounts count every replica; the limit of a tier is that of one.
  const scale = account.tiers === undefined ? 1 : replicas;
  const left = config.storage === "memory"
    ? quotaOf(limits.max_memory * scale) - memory
    : quotaOf(limits.max_storage * scale) - storage;
  return Math.min(quotaOf(config.max_bytes ?? -1) - state.bytes, left / replicas);
}
