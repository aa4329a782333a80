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
import { type PublishOptions, type StoredMessage, textOf } from "../jetstream/messages.ts";
import { groupNamedBy } from "../layout/info_json.ts";
import type { Nuid } from "../layout/nuid.ts";
import { chunkSubject } from "../layout/chunk_subjects.ts";
import { infoSubject, records } from "../layout/subjects.ts";
import type { ObjectsContext } from "./context.ts";

type Needs = Pick<ObjectsContext, "requests" | "streams">;

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
  /** See {@linkcode NewInfo}. */
  readonly nuid?: Nuid;
  readonly lastChunk?: number | undefined;
};

/** A message of object info. */
export type NewInfo = {
  /** The nuid that the message names, by which a repeated commit recognises itself. */
  readonly nuid: Nuid;
  readonly message: string;
  readonly ttl?: string | undefined;
  /**
   * Sequence of the group's last chunk, which a repeated commit of a new key expects: a delete in a full bucket removes the
   * object info of the first one without a trace, and the chunks before.
   */
  readonly lastChunk?: number | undefined;
  /** The current message names this nuid as well, so a repeated commit recognises itself by the whole message. */
  readonly isRewrite?: true;
};

/** How often a commit is sent while no response comes. */
const SEND_ATTEMPTS = 3;
/** How often, and at which interval in milliseconds, a commit is repeated while an earlier one is still on its way. */
const MAX_LOOKS = 20;
const LOOK_INTERVAL = 100;

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
      const sending = doubt === undefined || expect !== 0
        ? needs.requests.publish(subject, data, options)
        : publishAgain(needs, stream, write, options);
      return { kind: "committed", sequence: await sending };
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

/** Publishes a message of a new subject again, provided that the chunks which it names are still there. */
function publishAgain(
  { requests }: Needs,
  { store, prepared }: BucketStream,
  { subject, data, nuid, lastChunk }: Write,
  options: PublishOptions,
): Promise<number> {
  if (nuid === undefined || lastChunk === undefined || !prepared) {
    return requests.publish(subject, data, options);
  }
  // A message has one expectation, so a barrier of listings has the other one.
  const expectOf = chunkSubject(store, nuid);
  const barrier = { subject: records.sync(store), data: "", rollup: true };
  return requests.publishBatch([
    { ...barrier, expectOf, expect: lastChunk },
    { subject, data, ...options },
  ]);
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
  { nuid, message: data, ttl, lastChunk, isRewrite }: NewInfo,
  expect: number,
): Promise<Outcome> {
  const write = { subject: infoSubject(stream.store, key), data, expect, ttl, nuid, lastChunk };
  return compareAndSet(needs, stream, write, isRewrite ? isOurMessage : namesOurNuid);
}

const namesOurNuid = ({ data }: StoredMessage, { nuid }: { readonly nuid: Nuid }): boolean =>
  groupNamedBy(data) === nuid;
const isOurMessage = ({ data }: StoredMessage, write: Write): boolean =>
  textOf(data) === write.data;
