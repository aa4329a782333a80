/**
 * Creating the stream of a bucket, also if others create it at the same time.
 * @module
 */

import { pause, wallClock } from "../../world/world.ts";
import { JetStreamCode, JetStreamError } from "../jetstream/errors.ts";
import type { Requests } from "../jetstream/requests.ts";
import { type StoreName, streamOf } from "../layout/names.ts";
import { readInfo } from "./fence.ts";
import { newStreamConfig, type StreamInfo, type StreamSettings } from "./stream_config.ts";

/** Number of attempts to create a stream while an earlier stream's files of the same name are being removed. */
const CREATE_ATTEMPTS = 8;
/** Milliseconds that a cluster takes to create a stream, and number of looks that follow. */
const CREATION = 200;
const LOOKS = 8;

/**
 * Creates a bucket's stream, unless one has its name.
 *
 * @param location A location of S3, see {@linkcode newStreamConfig}.
 * @returns the stream that has the name, once it can be read
 */
export async function createStream(
  requests: Requests,
  store: StoreName,
  settings: StreamSettings,
  location?: string,
): Promise<StreamInfo> {
  const config = newStreamConfig(store, settings, wallClock(), location);
  for (let attempt = 1;; attempt++) {
    try {
      const info = await requests.call<StreamInfo>(`STREAM.CREATE.${streamOf(store)}`, config);
      return hasLeader(info) ? info : await readNew(requests, store);
    } catch (cause) {
      if (!(cause instanceof JetStreamError)) throw cause;
      if (cause.code === JetStreamCode.StreamNameInUse) return await readNew(requests, store);
      if (cause.code !== JetStreamCode.StreamStoreFailed || attempt === CREATE_ATTEMPTS) {
        throw cause;
      }
      await pause(20 * attempt); // nats-server is still removing the files of the earlier stream
    }
  }
}

/**
 * Reads a stream that somebody is creating. A cluster reserves the name first. Then it has no such stream, and then one
 * without a leader, whose messages nobody returns.
 */
async function readNew(requests: Requests, store: StoreName): Promise<StreamInfo> {
  for (let look = 1;; look++) {
    await pause(CREATION);
    try {
      const info = await readInfo(requests, store);
      if (hasLeader(info) || look === LOOKS) return info;
    } catch (cause) {
      const isMissing = cause instanceof JetStreamError &&
        cause.code === JetStreamCode.StreamNotFound;
      if (!isMissing || look === LOOKS) throw cause;
    }
  }
}

/** Returns whether a stream can be read and written: a server without a cluster leads its streams. */
export function hasLeader({ cluster }: StreamInfo): boolean {
  return cluster === undefined || Boolean(cluster.leader);
}
