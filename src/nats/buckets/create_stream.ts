/**
 * Creating the stream of a bucket, also if others create it at the same time.
 * @module
 */

import { pause, wallClock } from "../../world/world.ts";
import { JetStreamCode, JetStreamError } from "../jetstream/errors.ts";
import type { Requests } from "../jetstream/requests.ts";
import { type StoreName, streamOf } from "../layout/names.ts";
import { records, subjectsOf } from "../layout/subjects.ts";
import { isCreator } from "./creator.ts";
import { readInfo } from "./fence.ts";
import {
  capturesRecords,
  type GivenStream,
  newStreamConfig,
  type StreamConfig,
  type StreamInfo,
  type StreamSettings,
} from "./stream_config.ts";

/** Number of attempts to create a stream while an earlier stream's files of the same name are being removed. */
const CREATE_ATTEMPTS = 8;
/** Milliseconds that a cluster takes to create a stream, and number of looks that follow. */
const CREATION = 200;
const LOOKS = 8;

/**
 * Creates a bucket's stream, unless one has its name.
 *
 * @returns the stream that has the name, once it can be read
 */
export async function createStream(
  requests: Requests,
  store: StoreName,
  settings: StreamSettings,
  given: GivenStream,
): Promise<StreamInfo> {
  const config = newStreamConfig(store, settings, wallClock(), given);
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

/**
 * Tells whether the owner of a stream with our layout may be recorded: the stream has the same creator and no owner, or it
 * holds neither objects nor a record of the bucket.
 *
 * @param creator Text of the owner's record.
 */
export async function mayTakeOwner(
  requests: Requests,
  store: StoreName,
  config: StreamConfig,
  creator: string,
): Promise<boolean> {
  if (!capturesRecords(store, config)) return false;
  const { chunks, infos } = subjectsOf(store);
  const absent = isCreator(config.metadata, creator)
    ? [records.bucket(store, "owner")]
    : [records.bucket(store, "*"), infos, chunks];
  const firsts = absent.map((next_by_subj) =>
    requests.leaderGet(streamOf(store), { seq: 1, next_by_subj })
  );
  return (await Promise.all(firsts)).every((first) => first === undefined);
}

/** Returns whether a stream can be read and written: a server without a cluster leads its streams. */
export function hasLeader({ cluster }: StreamInfo): boolean {
  return cluster === undefined || Boolean(cluster.leader);
}
