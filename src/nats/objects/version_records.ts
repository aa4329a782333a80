/**
 * The records of noncurrent versions: reads them, and finds the version that a request names.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { ObjectKey } from "../../s3/names.ts";
import { newVersionId, NULL_VERSION, ordinalOf, type VersionId } from "../../s3/version_id.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { isConflict } from "../jetstream/errors.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { type ReadInfo, readInfo } from "../layout/object_info.ts";
import { withoutStray } from "../layout/stray_info.ts";
import { records, versionOfSubject } from "../layout/subjects.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import {
  formatVersion,
  parseVersion,
  type ReadVersion,
  type VersionRecord,
} from "../layout/version_record.ts";
import type { ObjectsContext } from "./context.ts";
import { type Current, currentOf, readCurrent, readCurrentMessage, readLast } from "./current.ts";

type Needs = Pick<ObjectsContext, "requests" | "streams">;

/** The message of a version's record; sequence 0 and undefined if there is none. */
export type VersionMessage = {
  readonly sequence: number;
  readonly read: ReadVersion | undefined;
};

/** A noncurrent version. */
export type Noncurrent = {
  readonly id: VersionId;
  readonly sequence: number;
  readonly record: VersionRecord;
  readonly info: ReadInfo;
};

/** Where a version is. */
export type FoundVersion =
  | { readonly kind: "current"; readonly current: Current }
  | { readonly kind: "noncurrent"; readonly version: Noncurrent }
  /** Its record cannot be read, so it exists, and nobody may touch it. */
  | { readonly kind: "unreadable" };

/** Reads the record of a version, never older than the last acknowledged write of it. */
export async function readVersionMessage(
  needs: Pick<Needs, "requests">,
  stream: BucketStream,
  key: ObjectKey,
  id: VersionId,
): Promise<VersionMessage> {
  const message = await readLast(needs, stream, records.version(stream.store, key, id), false);
  if (message === undefined) return { sequence: 0, read: undefined };
  return { sequence: message.sequence, read: parseVersion(id, textOf(message.data)) };
}

/** Returns the version of a record; undefined if it holds none that can be read. */
export function noncurrentOf(
  { since }: Pick<BucketStream, "since">,
  key: ObjectKey,
  id: VersionId,
  { sequence, read }: VersionMessage,
): Noncurrent | undefined {
  if (read?.kind !== "version") return undefined;
  const { record } = read;
  const info = readInfo(key, Buffer.from(record.info), record.time);
  return {
    ...{ id, sequence, record },
    info: withoutStray(key, info, { since, sequence: record.from }),
  };
}

/** Returns the version that a key's object info holds; undefined if it holds none. Without an ordinal, it is 0. */
export function heldVersion(
  { parsed, version, marker }: Pick<ReadInfo, "parsed" | "version" | "marker">,
): VersionFacts | undefined {
  if (parsed.kind === "absent" && marker === undefined) return undefined;
  return version ?? UNSTATED;
}

const UNSTATED: VersionFacts = { id: NULL_VERSION, ordinal: 0 };

/**
 * Finds a version for a read.
 *
 * Object info wins over the record, and a version may move from one to the other while this looks.
 */
export async function findVersion(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
  id: VersionId,
): Promise<FoundVersion | undefined> {
  for (let last = await readCurrentMessage(needs, stream, key);;) {
    if (mayHold(last, id)) {
      const current = await currentOf(needs, stream, key, last);
      if (heldVersion(current)?.id === id) return { kind: "current", current };
    }
    const message = await readVersionMessage(needs, stream, key, id);
    if (message.read?.kind === "unreadable") return { kind: "unreadable" };
    const version = noncurrentOf(stream, key, id, message);
    if (version !== undefined) return { kind: "noncurrent", version };
    const again = await readCurrentMessage(needs, stream, key);
    if (again?.sequence === last?.sequence) return undefined;
    last = again;
  }
}

const BACKSLASH = 0x5c;

/**
 * Tells whether object info may hold a version, which takes far less time than to read it. Object info without a version id
 * may be `null`, and text with escapes may hide an id.
 */
function mayHold(message: StoredMessage | undefined, id: VersionId): boolean {
  if (message === undefined) return false;
  if (id === NULL_VERSION) return true;
  const { buffer, byteOffset, length } = message.data;
  return Buffer.from(buffer, byteOffset, length).includes(id) || message.data.includes(BACKSLASH);
}

/** What a change of a version has read: the record first, and then object info. */
export type VersionState = {
  readonly message: VersionMessage;
  readonly current: Current;
  readonly found: FoundVersion | undefined;
};

/** Finds a version for a change, which must expect what was read. */
export async function findToChange(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
  id: VersionId,
): Promise<VersionState> {
  for (;;) {
    const message = await readVersionMessage(needs, stream, key, id);
    const current = await readCurrent(needs, stream, key);
    if (heldVersion(current)?.id === id) {
      return { message, current, found: { kind: "current", current } };
    }
    if (message.read?.kind === "unreadable") {
      return { message, current, found: { kind: "unreadable" } };
    }
    const version = noncurrentOf(stream, key, id, message);
    if (version !== undefined) return { message, current, found: { kind: "noncurrent", version } };
    const again = await readVersionMessage(needs, stream, key, id);
    if (again.sequence === message.sequence) return { message, current, found: undefined };
  }
}

/** Lists the ids of a key's records, those of removed versions too, the highest ordinal first; `null` comes first. */
export async function listVersionIds(
  { streams }: Needs,
  { store, stream }: BucketStream,
  key: ObjectKey,
): Promise<readonly VersionId[]> {
  const subjects = await streams.listSubjects(stream, records.version(store, key, "*"));
  return subjects.flatMap((subject) => versionOfSubject(store, subject)?.id ?? [])
    .sort((a, b) => (ordinalOf(b) ?? Infinity) - (ordinalOf(a) ?? Infinity));
}

/** Returns the highest ordinal among a key's records, those of removed versions too; 0 if there are none. */
export async function highestOrdinal(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
): Promise<number> {
  const query = { seq: 1, next_by_subj: records.version(stream.store, key, "*") };
  if (await needs.requests.leaderGet(stream.stream, query) === undefined) return 0;
  const ids = await listVersionIds(needs, stream, key);
  let highest = 0;
  for (const id of ids) {
    const ordinal = ordinalOf(id);
    if (ordinal !== undefined) return Math.max(highest, ordinal);
    const { read } = await readVersionMessage(needs, stream, key, id);
    if (read?.kind === "gone") highest = read.ordinal;
    else if (read?.kind === "version") highest = read.record.ordinal;
  }
  return highest;
}

/** A version that is to be preserved. */
export type Preserved = {
  readonly record: VersionRecord;
  /** The sequence of its record under its former id; 0 if it has none. */
  readonly sequence: number;
};

/**
 * Stores the record of a version whose id now belongs to another one under an id of its own. The id follows from the version,
 * so that everybody who preserves it makes one of it, however often and at the same time.
 */
export async function preserveVersion(
  needs: Needs,
  stream: BucketStream,
  key: ObjectKey,
  { record, sequence }: Preserved,
): Promise<void> {
  const identity = `${record.from} ${record.time.getTime()}`;
  const id = newVersionId(record.ordinal, createHash("sha256").update(identity).digest());
  const subject = records.version(stream.store, key, id);
  for (let expect = 0;;) {
    try {
      await needs.requests.publish(subject, formatVersion(record), { expect, rollup: true });
      return;
    } catch (cause) {
      if (!isConflict(cause)) throw cause;
    }
    const found = await readVersionMessage(needs, stream, key, id);
    // It was preserved before, and a change since then may have come to the record of its former id.
    if (found.read?.kind !== "version" || found.sequence > sequence) return;
    expect = found.sequence;
  }
}
