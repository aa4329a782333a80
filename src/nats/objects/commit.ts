/**
 * How object info changes: always by compare-and-set, and with a definite outcome wherever there can be one.
 *
 * A commit without an answer may still land, even minutes later. So the same publish with the same expected sequence is
 * repeated: whatever lands first makes every other one a conflict, and then the object info says who it was.
 * @module
 */

import { checkWrite, type WritePrecondition } from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { ObjectsContext } from "./context.ts";
import { isConflict, isDefinite, NoResponders, Unanswered } from "../jetstream/errors.ts";
import { infoSubject } from "../layout/subjects.ts";
import type { Nuid } from "../layout/nuid.ts";
import { nuidOfInfo, type ParsedInfo, parseInfoAndNuid } from "../layout/object_info.ts";
import type { StoredMessage } from "../jetstream/messages.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { pause } from "../../world/world.ts";

/** Fields of a context that a commit needs. */
export type CommitContext = Pick<ObjectsContext, "requests" | "streams">;

/** What a key's object info is now. */
export type Current = {
  /** 0 where there is no message. */
  readonly sequence: number;
  readonly parsed: ParsedInfo;
  /** The group that the message names, whatever else it says. */
  readonly nuid: Nuid | undefined;
};

/** What became of a commit. */
export type Outcome =
  | { readonly kind: "committed"; readonly sequence: number }
  /** Somebody else was faster; nothing of ours was stored, or ever will be. */
  | { readonly kind: "refused" }
  /** Somebody else's object is there, and ours may have been there before it. */
  | { readonly kind: "overtaken" };

/** How often a commit without an answer is sent. */
const ATTEMPTS = 3;
/** How often, and at which interval in milliseconds, it is repeated while one that is on its way keeps it out. */
const LOOKS = 20;
const LOOK_INTERVAL = 100;

/** Reads a key's object info, never older than the last acknowledged write. */
export async function readCurrent(
  { requests, streams }: CommitContext,
  { bucket, store, stream, single }: BucketStream,
  key: ObjectKey,
): Promise<Current> {
  const query = { last_by_subj: infoSubject(store, key) };
  let message: StoredMessage | undefined;
  try {
    message = single
      ? await requests.directGet(stream, query)
      : await requests.leaderGet(stream, query);
  } catch (cause) {
    await streams.read(bucket); // tells a bucket that is gone from JetStream that is down
    throw cause;
  }
  if (message === undefined) {
    return { sequence: 0, parsed: { kind: "absent", isBare: true }, nuid: undefined };
  }
  return {
    sequence: message.sequence,
    ...parseInfoAndNuid(key, message.data, message.time),
  };
}

/**
 * Publishes a message in place of the last one of its subject.
 *
 * @param isOurs Whether a message of the subject is what this publishes, had it landed unnoticed.
 * @throws Unanswered, when nothing answered: it may have been stored, or may yet be; JetStreamError, NoResponders,
 * NotConnected or S3Error, when it definitely was not
 */
export async function compareAndSet(
  context: CommitContext,
  stream: BucketStream,
  { subject, data, expect, ttl }: {
    readonly subject: string;
    readonly data: string;
    readonly expect: number;
    readonly ttl: string | undefined;
  },
  isOurs: (message: StoredMessage) => boolean,
): Promise<Outcome> {
  const { requests } = context;
  const options = { expect, rollup: true, ...(ttl !== undefined && { ttl }) };
  let doubt: Unanswered | undefined;
  for (let attempts = 0, looks = 0; attempts < ATTEMPTS && looks < LOOKS;) {
    try {
      return { kind: "committed", sequence: await requests.publish(subject, data, options) };
    } catch (cause) {
      if (isConflict(cause)) {
        if (doubt === undefined) return { kind: "refused" };
        const outcome = await findOutcome(context, stream, { subject, expect }, isOurs);
        if (outcome !== undefined) return outcome;
        looks++;
        await pause(LOOK_INTERVAL);
        continue;
      }
      attempts++;
      if (cause instanceof Unanswered) doubt ??= cause;
      else if (doubt === undefined) {
        if (cause instanceof NoResponders) await explainNobody(context, stream);
        if (isDefinite(cause)) throw cause;
        throw new Unanswered(subject, String(cause));
      }
    }
  }
  throw doubt ?? new Unanswered(subject, "it was never sent");
}

/**
 * Why a repeated commit conflicts; undefined where that cannot be told yet. A leader refuses it already while the one
 * before is on its way to the replicas, and that one is lost if the leader is.
 */
async function findOutcome(
  { requests }: CommitContext,
  { stream }: BucketStream,
  { subject, expect }: { readonly subject: string; readonly expect: number },
  isOurs: (message: StoredMessage) => boolean,
): Promise<Outcome | undefined> {
  let message: StoredMessage | undefined;
  try {
    message = await requests.leaderGet(stream, { last_by_subj: subject });
  } catch {
    return undefined; // what the commit came to is not told by a leader that cannot be asked
  }
  if (message !== undefined && isOurs(message)) {
    return { kind: "committed", sequence: message.sequence };
  }
  return (message?.sequence ?? 0) === expect ? undefined : { kind: "overtaken" };
}

/** Tells a bucket that is gone, or about to go, from JetStream that is down. */
async function explainNobody({ streams }: CommitContext, { bucket }: BucketStream): Promise<void> {
  const { fenced } = await streams.read(bucket);
  if (fenced) throw new S3Error("OperationAborted", { BucketName: bucket });
}

/** Publishes object info that names a group in place of what is there now; see {@linkcode compareAndSet}. */
export function commitInfo(
  context: CommitContext,
  stream: BucketStream,
  key: ObjectKey,
  { nuid, message, expect, ttl }: {
    readonly nuid: Nuid;
    readonly message: string;
    readonly expect: number;
    readonly ttl?: string;
  },
): Promise<Outcome> {
  const subject = infoSubject(stream.store, key);
  return compareAndSet(context, stream, { subject, data: message, expect, ttl }, ({ data }) => {
    return nuidOfInfo(data) === nuid;
  });
}

/**
 * What a write answers that another one overtook. Whether it was there before cannot be told, and who wrote over it may
 * have had a condition that it would have failed: so it is no success.
 */
export function overtakenError(key: ObjectKey, precondition: WritePrecondition): S3Error {
  return Object.keys(precondition).length > 0
    ? new S3Error("ConditionalRequestConflict", { Key: key })
    : new S3Error("ServiceUnavailable", { Key: key });
}

/** Refuses to replace a locked object, and what a precondition refuses. */
export function checkReplace(
  key: ObjectKey,
  { parsed }: Current,
  precondition: WritePrecondition,
  now: Date,
): void {
  const info = parsed.kind === "object" ? parsed.object.info : undefined;
  checkWrite(precondition, info, key);
  if (info?.retention !== undefined && info.retention.until > now) {
    throw new S3Error("AccessDenied", { Key: key }, {
      message: "Access Denied because object protected by object lock.",
    });
  }
}
