/**
 * What keeps the subjects of a bucket: the id of each chunk group and record, and the name in object info. Pure.
 *
 * Each kind of record under `S3.` has a row in {@linkcode KEPT_BY}; a kind without a row does not compile. The sweep stops
 * at a kind that it does not know, because an older gateway must not delete a newer one's data.
 * @module
 */

import { checkJson, decodeJson, groupNamedBy } from "../layout/info_json.ts";
import { decodeText, isRecord } from "../layout/json.ts";
import type { StoreName } from "../layout/names.ts";
import { parseRuns } from "../layout/runs.ts";
import { parseChunkSubject } from "../layout/chunk_subjects.ts";
import { parseRecordSubject, type RecordKind } from "../layout/subjects.ts";
import { keptIdOf } from "./kept_id.ts";

/**
 * Whether object info keeps records of a kind, or only the records that keep chunk groups do; undefined if the sweep leaves
 * the kind alone.
 */
const KEPT_BY: Readonly<Record<RecordKind, "info and holders" | "holders" | undefined>> = {
  layout: "info and holders",
  renamed: "info and holders",
  part: "holders",
  snapshot: "holders",
  bucket: undefined,
  lease: undefined,
  lock: undefined,
  rename: undefined,
  sync: undefined,
  trash: undefined,
  upload: undefined,
  version: undefined,
};

/** What a sweep has to know about a subject in order to judge it. */
export type Identity =
  | {
    readonly kind: "ours";
    /** The name that keeps the subject. */
    readonly id: string;
    /** For chunks of a part: the name of the attempt at it, which a chunk map keeps. */
    readonly attempt: string | undefined;
    /** Whether object info alone does not keep it. */
    readonly needsHolder: boolean;
  }
  /** Chunks that no gateway wrote: a native client may name them so. They are never purged. */
  | { readonly kind: "foreign"; readonly id: string }
  /** A record that no gateway of this version wrote. It is never purged. */
  | { readonly kind: "unreadable"; readonly record: RecordKind };

/** Returns what keeps the chunks or the record of a subject; undefined for a subject that the sweep leaves alone. */
export function identify(store: StoreName, subject: string): Identity | undefined {
  const chunks = parseChunkSubject(store, subject);
  if (chunks?.kind === "foreign") return { kind: "foreign", id: chunks.name };
  if (chunks !== undefined) {
    const attempt = chunks.kind === "part" ? chunks.name : undefined;
    return { kind: "ours", id: chunks.nuid, attempt, needsHolder: false };
  }
  const record = parseRecordSubject(store, subject);
  const keptBy = record && KEPT_BY[record.kind];
  const kept = record && keptIdOf(store, subject, record);
  if (record === undefined || keptBy === undefined || kept === undefined) return undefined;
  if (kept === "unreadable") return { kind: "unreadable", record: record.kind };
  return { kind: "ours", id: kept.id, attempt: undefined, needsHolder: keptBy === "holders" };
}

/** The name in object info. */
export type InfoName = {
  /** Any text, not only a nuid: what object info names is kept even if nothing can read it. */
  readonly name: string;
  /** Whether the object may be in parts, so that native clients cannot read it. */
  readonly isInParts: boolean;
  /** Number of parts; undefined if the object is not in parts, or does not tell. */
  readonly parts: number | undefined;
  /** Sequence of the first chunk; undefined if it is not stated, or not in a form that is found fast. */
  readonly firstChunk: number | undefined;
};

/**
 * Returns the name of the chunk group in a message of object info; undefined if there is none. A delete marker names none,
 * although it has a nuid: its writer has purged the bytes, or ended before.
 */
export function nameIn(payload: Uint8Array): InfoName | undefined {
  const text = decodeText(payload);
  if (text.includes(DELETED) && isMarker(decodeJson(payload))) return undefined;
  const name = plainNameIn(text) ?? groupNamedBy(payload);
  if (name === undefined) return undefined;
  const isInParts = text.includes(IN_PARTS);
  const parts = isInParts ? partsIn(decodeJson(payload)) : undefined;
  return { name, isInParts, parts, firstChunk: firstChunkIn(text) };
}

function isMarker(json: unknown): boolean {
  return isRecord(json) && json["deleted"] === true && checkJson(json).kind === "absent";
}

const DELETED = '"deleted"';
const IN_PARTS = '"s3.layout":"parts"';

/**
 * Finds the name without parsing the JSON, which takes most of the time and memory of a sweep. Returns undefined if that
 * is not certain to find it: if anything is escaped, or if there is not exactly one such field. The field may be a nested
 * one, and then object info without a name keeps a group.
 */
function plainNameIn(text: string): string | undefined {
  const at = text.indexOf(NUID);
  if (at === -1 || text.indexOf(NUID, at + NUID.length) !== -1) return undefined;
  if (!text.startsWith(FIELD, at) || text.includes("\\")) return undefined;
  const from = at + FIELD.length;
  const to = text.indexOf('"', from);
  return to === -1 ? undefined : text.slice(from, to);
}

const NUID = '"nuid"';
const FIELD = `${NUID}:"`;

/** Finds the first chunk without parsing the JSON; see `firstChunkOf()`. */
function firstChunkIn(text: string): number | undefined {
  for (const field of FIRST_CHUNK) {
    const at = text.indexOf(field);
    if (at === -1) continue;
    const first = Number.parseInt(text.slice(at + field.length, at + field.length + 12), 36);
    return Number.isNaN(first) ? undefined : first;
  }
  return undefined;
}

const FIRST_CHUNK = ['"s3.first":"', '"s3.seek":"'] as const;

function partsIn(json: unknown): number | undefined {
  const metadata = isRecord(json) ? json["metadata"] : undefined;
  if (!isRecord(metadata) || metadata["s3.layout"] !== "parts") return undefined;
  const sizes = metadata["s3.parts"];
  return typeof sizes === "string" ? parseRuns(sizes)?.length : undefined;
}
