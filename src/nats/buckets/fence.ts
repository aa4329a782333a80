/**
 * The fence of a bucket: while DeleteBucket runs, the bucket's stream does not capture object info, so nobody can write an
 * object. The fence belongs to the gateway that holds the lock `delete`, and only that gateway takes it down.
 * @module
 */

import type { Requests } from "../jetstream/requests.ts";
import { type StoreName, streamOf } from "../layout/names.ts";
import { records } from "../layout/subjects.ts";
import { lockDeletion } from "./deletion_lock.ts";
import { readMark } from "./deletion_mark.ts";
import { type StreamConfig, type StreamInfo, withFence } from "./stream_config.ts";

/** Seconds for which a gateway that takes an abandoned fence down keeps others from deleting the bucket. */
const LIFT_SECONDS = 30;

/** Reads a stream's configuration and state. */
export async function readInfo(requests: Requests, store: StoreName): Promise<StreamInfo> {
  return await requests.call<StreamInfo>(`STREAM.INFO.${streamOf(store)}`);
}

/** Changes a stream's configuration. */
export async function updateStream(
  requests: Requests,
  store: StoreName,
  config: StreamConfig,
): Promise<StreamInfo> {
  return await requests.call<StreamInfo>(`STREAM.UPDATE.${streamOf(store)}`, config);
}

/** Puts a fence up or takes it down. */
export async function setFence(
  requests: Requests,
  store: StoreName,
  fenced: boolean,
): Promise<StreamInfo> {
  const { config } = await readInfo(requests, store);
  return await updateStream(requests, store, withFence(store, config, fenced));
}

/**
 * Takes a fence down whose lock has expired: its gateway died while it deleted the bucket. It takes the lock first, so
 * that no other gateway deletes the bucket behind this fence in the meantime.
 *
 * @returns undefined if the fence has its lock
 */
export async function liftAbandoned(
  requests: Requests,
  store: StoreName,
  info: StreamInfo,
): Promise<StreamInfo | undefined> {
  const stream = streamOf(store);
  if (readMark(store, info) !== undefined) return undefined;
  const held = await requests.leaderGet(stream, { last_by_subj: records.lock(store, "delete") });
  if (held !== undefined) return undefined;
  const lock = await lockDeletion({ requests }, { store, stream }, LIFT_SECONDS);
  if (lock === undefined) return undefined;
  try {
    return await setFence(requests, store, false);
  } finally {
    await lock.release().catch(() => {}); // it expires
  }
}
