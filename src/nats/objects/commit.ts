/**
 * Commits object info: always by compare-and-set, and with a definite outcome wherever there can be one.
 *
 * A commit without a response may still land, even minutes later. Therefore the same publish is repeated with the same
 * expected sequence. The first one to land turns the others into conflicts, and then the stored message tells whose it
 * was.
 * @module
 */

import { isS3Error, S3Error } from "../../s3/errors.ts";
import type { ObjectKey } from "../../s3/names.ts";
import { pause } from "../../world/world.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { isConflict, isDefinite, NoResponders, Unanswered } from "../jetstream/errors.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { groupNamedBy } from "../layout/info_json.ts";
import type { Nuid } from "../layout/nuid.ts";
import { type ReadInfo, readInfo } from "../layout/object_info.ts";
import { infoSubject } from "../layout/subjects.ts";
import type { ObjectsContext } from "./context.ts";

type Needs = Pick<ObjectsContext, "requests" | "streams">;

/** A key's object info at one moment. */
export type Current = ReadInfo & {
  /** Stream sequence of the message; 0 if there is none. */
  readonly sequence: number;
  /** When JetStream stored it; 1970 if there is none. */
  readonly time: Date;
};

/** The result of a commit. */
export type Outcome =
  | { readonly kind: "committed"; readonly sequence: number }
  /** Another write was faster. Nothing of ours was stored, or ever will be. */
  | { readonly kind: "refused" }
  /** Another write is stored now. Ours may have been stored before it. */
  | { readonly kind: "overtaken" };

/** A message that replaces the last one of its subject. */
export type Write = {
  readonly subject: string;
  readonly data: string;
  /** Sequence of the message to replace; 0 if there is none. */
  readonly expect: number;
  readonly ttl: string | undefined;
};

/** A message of object info. */
export type NewInfo = {
  /** The nuid that the message names, by which a repeated commit recognises itself. */
  readonly nuid: Nuid;
  readonly message: string;
  readonly ttl?: string | undefined;
  /** The current message names this nuid as well, so a repeated commit recognises itself by the whole message. */
  readonly isRewrite?: true;
};

/** How often a write reads what it replaces while no response comes. */
const READ_ATTEMPTS = 3;
/** How often a commit is sent while no response comes. */
const SEND_ATTEMPTS = 3;
/** How often, and at which interval in milliseconds, a commit is repeated while an earlier one is still on its way. */
const MAX_LOOKS = 20;
const LOOK_INTERVAL = 100;

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
    // Throws NoSuchBucket if the bucket is gone.
    if (isDefinite(cause)) await needs.streams.read(stream.bucket);
    throw cause;
  }
  if (message === undefined) {
    const parsed = { kind: "absent", isBare: true } as const;
    const time = new Date(0);
    return { sequence: 0, time, parsed, raw: undefined, nuid: undefined, lockedUntil: undefined };
  }
  const { sequence, time, data } = message;
  return { sequence, time, ...readInfo(key, data, time) };
}

/**
 * Reads the last message of a subject. A stream of one copy returns it in a direct get. nats-server lets mirrors of the
 * stream respond as well, so a message that names another stream, and a missing one, are read again at the leader.
 */
async function readLast(
  { requests }: Needs,
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

/**
 * Publishes a message in place of the last one of its subject.
 *
 * @param isOurs Returns whether a message of the subject is this write, stored without a response.
 * @throws Unanswered if no response came: the message may have been stored, or may yet be. JetStreamError, NoResponders,
 * NotConnected or S3Error if it definitely was not.
 */
export async function compareAndSet<W extends Write>(
  needs: Needs,
  stream: BucketStream,
  write: W,
  isOurs: (message: StoredMessage, write: W) => boolean,
): Promise<Outcome> {
  const { subject, data, expect, ttl } = write;
  const options = { expect, rollup: true, ...(ttl !== undefined && { ttl }) };
  let doubt: Unanswered | undefined;
  for (let attempts = 0, looks = 0; attempts < SEND_ATTEMPTS && looks < MAX_LOOKS;) {
    try {
      return { kind: "committed", sequence: await needs.requests.publish(subject, data, options) };
    } catch (cause) {
      if (isConflict(cause)) {
        if (doubt === undefined) return { kind: "refused" };
        const outcome = await findOutcome(needs, stream, write, isOurs);
        if (outcome !== undefined) return outcome;
        looks++;
        await pause(LOOK_INTERVAL);
        continue;
      }
      attempts++;
      if (cause instanceof Unanswered) doubt ??= cause;
      else if (doubt === undefined) {
        if (cause instanceof NoResponders) await checkBucketState(needs, stream);
        if (isDefinite(cause)) throw cause;
        throw new Unanswered(subject, String(cause));
      }
    }
  }
  throw doubt ?? new Unanswered(subject, "it was never sent");
}

/**
 * Finds out why a repeated commit conflicts; returns undefined if that is still open. A leader refuses the repetition
 * while the first commit is on its way to the replicas, and the first commit is lost if the leader is.
 */
async function findOutcome<W extends Write>(
  { requests }: Needs,
  { stream }: BucketStream,
  write: W,
  isOurs: (message: StoredMessage, write: W) => boolean,
): Promise<Outcome | undefined> {
  let message: StoredMessage | undefined;
  try {
    message = await requests.leaderGet(stream, { last_by_subj: write.subject });
  } catch {
    return undefined; // the leader cannot be reached: repeat the commit
  }
  if (message !== undefined && isOurs(message, write)) {
    return { kind: "committed", sequence: message.sequence };
  }
  return (message?.sequence ?? 0) === write.expect ? undefined : { kind: "overtaken" };
}

/** Throws if the bucket is gone or about to go; returns if JetStream is down. */
async function checkBucketState({ streams }: Needs, { bucket }: BucketStream): Promise<void> {
  let fenced = false;
  try {
    ({ fenced } = await streams.read(bucket));
  } catch (cause) {
    if (isS3Error(cause)) throw cause;
  }
  if (fenced) throw new S3Error("OperationAborted", { BucketName: bucket });
}

/**
 * Publishes object info in place of the message at sequence `expect`.
 *
 * @throws as {@linkcode compareAndSet}
 */
export function commitInfo(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
  { nuid, message: data, ttl, isRewrite }: NewInfo,
  expect: number,
): Promise<Outcome> {
  const write = { subject: infoSubject(stream.store, key), data, expect, ttl, nuid };
  return compareAndSet(needs, stream, write, isRewrite ? isOurMessage : namesOurNuid);
}

const namesOurNuid = ({ data }: StoredMessage, { nuid }: { readonly nuid: Nuid }): boolean =>
  groupNamedBy(data) === nuid;
const isOurMessage = ({ data }: StoredMessage, write: Write): boolean =>
  textOf(data) === write.data;
