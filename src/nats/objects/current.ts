/**
 * Reads the current object info of a key.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { isDefinite, NoResponders, Unanswered } from "../jetstream/errors.ts";
import type { StoredMessage } from "../jetstream/messages.ts";
import { type ReadInfo, readInfo } from "../layout/object_info.ts";
import { firstChunkIn, withoutStray } from "../layout/stray_info.ts";
import { infoSubject } from "../layout/subjects.ts";
import type { ObjectsContext } from "./context.ts";

type Needs = Pick<ObjectsContext, "requests" | "streams">;

/** A key's object info at one moment. */
export type Current = ReadInfo & {
  /** Stream sequence of the message; 0 if there is none. */
  readonly sequence: number;
  /** When JetStream stored it; 1970 if there is none. */
  readonly time: Date;
  /** The message as it is. */
  readonly data: Uint8Array;
};

const NOTHING = new Uint8Array();
/** How often a write reads what it replaces while no response comes. */
const READ_ATTEMPTS = 3;
/**
 * Reads a key's object info, never older than the last acknowledged write.
 *
 * @param retries How often it is read again while no response comes.
 */
export function readCurrent(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
  retries = 0,
): Promise<Current> {
  return fetchCurrent(needs, stream, key, { believesMissing: false, retries });
}

/**
 * Reads a key's object info for a write that may replace it. If it is found, it is never older than the last acknowledged
 * write. That it is missing may be a mirror's opinion: a commit finds out, so only what leads to a commit may rest on it.
 */
export function peekCurrent(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
  retries = 0,
): Promise<Current> {
  return fetchCurrent(needs, stream, key, { believesMissing: true, retries });
}

async function fetchCurrent(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
  { believesMissing, retries }: { readonly believesMissing: boolean; readonly retries: number },
): Promise<Current> {
  let message: StoredMessage | undefined;
  try {
    message = await readLast(needs, stream, infoSubject(stream.store, key), believesMissing);
  } catch (cause) {
    if (cause instanceof Unanswered && retries > 0) {
      return await fetchCurrent(needs, stream, key, { believesMissing, retries: retries - 1 });
    }
    return await failed(needs, stream, cause);
  }
  return currentOf(needs, stream, key, message);
}

/** Throws the cause of a failed read, or NoSuchBucket if the bucket is gone. */
async function failed(needs: Needs, { bucket }: BucketStream, cause: unknown): Promise<never> {
  if (isDefinite(cause)) await needs.streams.read(bucket);
  throw cause;
}

/** Reads the message of a key's object info, without its content; never older than the last acknowledged write. */
export async function readCurrentMessage(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
): Promise<StoredMessage | undefined> {
  try {
    return await readLast(needs, stream, infoSubject(stream.store, key), false);
  } catch (cause) {
    return await failed(needs, stream, cause);
  }
}

/** Reads the message of a key's object info; undefined stands for no message. */
export function currentOf(
  needs: Pick<Needs, "streams">,
  stream: BucketStream,
  key: ObjectKey,
  message: StoredMessage | undefined,
): Current | Promise<Current> {
  if (message === undefined) {
    const parsed = { kind: "absent", isBare: true } as const;
    const time = new Date(0);
    return {
      ...{ sequence: 0, time, parsed, raw: undefined, nuid: undefined },
      ...{ lockedUntil: undefined, version: undefined, marker: undefined, data: NOTHING },
    };
  }
  const { sequence, time, data } = message;
  const info = readInfo(key, data, time);
  if (stream.since === 0 || firstChunkIn(info) === undefined) {
    return { sequence, time, data, ...info };
  }
  const holder = needs.streams.holding(stream.bucket, sequence);
  const read = ({ since }: Pick<BucketStream, "since">): Current => {
    return { sequence, time, data, ...withoutStray(key, info, { since, sequence }) };
  };
  return holder instanceof Promise ? holder.then(read) : read(holder);
}

/**
 * Reads the last message of a subject. A stream of one copy returns it in a direct get. nats-server lets mirrors of the
 * stream respond as well, so a message that names another stream, and a missing one, are read again at the leader.
 */
export async function readLast(
  { requests }: Pick<Needs, "requests">,
  { stream, single }: BucketStream,
  subject: string,
  believesMissing: boolean,
): Promise<StoredMessage | undefined> {
  const query = { last_by_subj: subject };
  if (single) {
    try {
      const message = await requests.directGet(stream, query);
      if (message === undefined ? believesMissing : message.stream === stream) return message;
    } catch (cause) {
      if (!(cause instanceof NoResponders)) throw cause; // direct gets have just been switched off
    }
  }
  return await requests.leaderGet(stream, query);
}

/**
 * Reads the object info that a write will replace, and reads again if no response comes: a lost response to a read puts
 * nothing in doubt.
 *
 * @param look {@linkcode peekCurrent} if a missing object leads to nothing but a commit.
 */
export function readBefore(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
  look: typeof readCurrent = readCurrent,
): Promise<Current> {
  return look(needs, stream, key, READ_ATTEMPTS - 1);
}
