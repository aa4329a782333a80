/**
 * The subjects of an object store, written and read.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
 *
 * ADR-20 puts chunks under `$O.<store>.C.` and object info under `$O.<store>.M.`. Our own records lie under
 * `$O.<store>.S3.`, which native clients ignore. A native client may write to any of these subjects, so tokens that are
 * read are unchecked except where the type says otherwise.
 * @module
 */

import type { DocumentKind } from "../../store/documents.ts";
import type { ObjectKey } from "../../s3/names.ts";
import { readVersionId, type VersionId } from "../../s3/version_id.ts";
import { decodeKey, encodeKey } from "./key_encoding.ts";
import type { StoreName } from "./names.ts";
import type { Nuid } from "./nuid.ts";

/** Version of the subjects and records of a new bucket. */
export const LAYOUT_VERSION = 1;
/** Version of a bucket that has or had a policy: gateways that know only version 1 would ignore it. */
export const POLICY_LAYOUT = 2;
/** Version of a bucket that has or had versioning: gateways that know only version 2 would destroy versions. */
export const VERSIONS_LAYOUT = 3;
/** The latest version that this gateway reads and writes. */
export const MAX_LAYOUT_VERSION = VERSIONS_LAYOUT;

/** Matches the subjects of all object stores. */
export const ALL_STORES = "$O.>";

/** Subjects of a bucket's stream. */
export type Subjects = {
  readonly chunks: string;
  readonly infos: string;
  readonly records: string;
};

/** Returns the three subjects that a bucket's stream captures. */
export function subjectsOf(store: StoreName): Subjects {
  return {
    chunks: `$O.${store}.C.>`,
    infos: `$O.${store}.M.>`,
    records: `$O.${store}.S3.>`,
  };
}

/** Returns the subject of a key's object info. */
export function infoSubject(store: StoreName, key: ObjectKey): string {
  return `$O.${store}.M.${encodeKey(key)}`;
}

/** Returns the key whose object info has this subject, or undefined if the subject does not encode a key. */
export function keyOfSubject(store: StoreName, subject: string): ObjectKey | undefined {
  const prefix = `$O.${store}.M.`;
  return subject.startsWith(prefix) ? decodeKey(subject.slice(prefix.length)) : undefined;
}

/** Subjects of our records. */
export const records = {
  bucket: (store: StoreName, document: "owner" | "layout" | "rev" | DocumentKind | "*"): string =>
    `$O.${store}.S3.bucket.${document}`,
  upload: (store: StoreName, id: string): string => `$O.${store}.S3.upload.${id}`,
  part: (store: StoreName, id: string, part: number, facts: string): string =>
    `$O.${store}.S3.part.${id}.${part}.${facts}`,
  parts: (store: StoreName, id: string): string => `$O.${store}.S3.part.${id}.>`,
  layout: (store: StoreName, nuid: Nuid): string => `$O.${store}.S3.layout.${nuid}`,
  trash: (store: StoreName, nuid: Nuid | "*"): string => `$O.${store}.S3.trash.${nuid}`,
  lease: (store: StoreName, nuid: Nuid | "*", gateway: string): string =>
    `$O.${store}.S3.lease.${nuid}.${gateway}`,
  lock: (store: StoreName, task: string): string => `$O.${store}.S3.lock.${task}`,
  rename: (store: StoreName, id: string): string => `$O.${store}.S3.rename.${id}`,
  renamed: (store: StoreName, nuid: Nuid | "*"): string => `$O.${store}.S3.renamed.${nuid}`,
  sync: (store: StoreName): string => `$O.${store}.S3.sync`,
  snapshot: (store: StoreName): string => `$O.${store}.S3.snapshot`,
  snapshotPage: (store: StoreName, id: string, page: number | "*"): string =>
    `$O.${store}.S3.snapshot.${id}.${page}`,
  version: (store: StoreName, key: ObjectKey, id: VersionId | "*"): string =>
    `$O.${store}.S3.version.${encodeKey(key)}.${id}`,
  versions: (store: StoreName): string => `$O.${store}.S3.version.>`,
} as const;

/** The kinds of records that this gateway knows: the token after `S3.`. */
export const RECORD_KINDS = [
  "bucket",
  "layout",
  "lease",
  "lock",
  "part",
  "rename",
  "renamed",
  "snapshot",
  "sync",
  "trash",
  "upload",
  "version",
] as const;

/** A kind of record. */
export type RecordKind = typeof RECORD_KINDS[number];

/** The tokens of each kind's subject. One that the subject lacks is `""`, or undefined where the type allows it. */
type RecordTokens = {
  readonly bucket: { readonly document: string };
  readonly layout: { readonly nuid: string };
  readonly lease: { readonly nuid: string; readonly gateway: string };
  readonly lock: { readonly task: string };
  /** The part's number stands first among its facts. */
  readonly part: { readonly id: string; readonly facts: readonly string[] };
  readonly rename: { readonly id: string };
  readonly renamed: { readonly nuid: string };
  /** Both are undefined for a snapshot's head. */
  readonly snapshot: { readonly id: string | undefined; readonly page: string | undefined };
  readonly sync: Readonly<Record<never, never>>;
  readonly trash: { readonly nuid: string };
  readonly upload: { readonly id: string };
  /** The key as its subject encodes it; see {@linkcode versionOfSubject}. */
  readonly version: { readonly key: string; readonly id: string };
};

/** The subject of a record, read. */
export type RecordSubject<Kind extends RecordKind = RecordKind> = {
  [K in Kind]: { readonly kind: K } & RecordTokens[K];
}[Kind];

const READERS: { readonly [K in RecordKind]: (tokens: readonly string[]) => RecordSubject<K> } = {
  bucket: ([document = ""]) => ({ kind: "bucket", document }),
  layout: ([nuid = ""]) => ({ kind: "layout", nuid }),
  lease: ([nuid = "", gateway = ""]) => ({ kind: "lease", nuid, gateway }),
  lock: ([task = ""]) => ({ kind: "lock", task }),
  part: ([id = "", ...facts]) => ({ kind: "part", id, facts }),
  rename: ([id = ""]) => ({ kind: "rename", id }),
  renamed: ([nuid = ""]) => ({ kind: "renamed", nuid }),
  snapshot: ([id, page]) => ({ kind: "snapshot", id, page }),
  sync: () => ({ kind: "sync" }),
  trash: ([nuid = ""]) => ({ kind: "trash", nuid }),
  upload: ([id = ""]) => ({ kind: "upload", id }),
  version: ([key = "", id = ""]) => ({ kind: "version", key, id }),
};

/**
 * Reads the subject of a record; returns undefined for a kind that this gateway does not know.
 *
 * @example Usage
 * ```ts
 * import { parseRecordSubject } from "./subjects.ts";
 * import type { StoreName } from "./names.ts";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * const store = "photos" as StoreName;
 * deepStrictEqual(parseRecordSubject(store, "$O.photos.S3.lease.x.gateway1"), {
 *   kind: "lease",
 *   nuid: "x",
 *   gateway: "gateway1",
 * });
 * strictEqual(parseRecordSubject(store, "$O.photos.S3.future.x"), undefined);
 * ```
 */
export function parseRecordSubject(store: StoreName, subject: string): RecordSubject | undefined {
  const [kind = "", ...tokens] = tokensAfter(`$O.${store}.S3.`, subject);
  return isRecordKind(kind) ? READERS[kind](tokens) : undefined;
}

/** Reads the subject of a record of one kind; returns undefined for any other subject. */
export function parseSubjectOf<Kind extends RecordKind>(
  kind: Kind,
  store: StoreName,
  subject: string,
): RecordSubject<Kind> | undefined {
  const record = parseRecordSubject(store, subject);
  return record?.kind === kind ? record as RecordSubject<Kind> : undefined;
}

/** Returns the version whose record has this subject; undefined for a subject that no gateway of this version writes. */
export function versionOfSubject(
  store: StoreName,
  subject: string,
): { readonly key: ObjectKey; readonly id: VersionId } | undefined {
  const tokens = parseSubjectOf("version", store, subject);
  const key = tokens && decodeKey(tokens.key);
  const id = readVersionId(tokens?.id);
  if (key === undefined || id === undefined) return undefined;
  return subject === records.version(store, key, id) ? { key, id } : undefined;
}

function isRecordKind(text: string): text is RecordKind {
  return (RECORD_KINDS as readonly string[]).includes(text);
}

function tokensAfter(prefix: string, subject: string): readonly string[] {
  return subject.startsWith(prefix) ? subject.slice(prefix.length).split(".") : [];
}
