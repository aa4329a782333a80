/**
 * How buckets lie in JetStream: names of streams and subjects.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
 *
 * Pure, and alone in spelling `OBJ_` and `$O.`, and in mapping S3 bucket names (dots allowed) to object-store names
 * (underscores allowed). What ADR-20 does not know lies under `$O.<store>.S3.`, which native clients ignore.
 *
 * A nuid comes from object info, which a native client may have written: it becomes part of a purge's subject only after
 * it was found to be one token.
 * @module
 */

import { Buffer } from "node:buffer";
import { type BucketName, isS3BucketName, MAX_KEY_BYTES, type ObjectKey } from "../../s3/names.ts";

/** Name of a native object store. */
export type StoreName = string & { readonly [brand]: "StoreName" };
declare const brand: unique symbol;

/** Version of the layout that this gateway reads and writes. */
export const LAYOUT_VERSION = 1;

/** Stores that belong to the Go gateway's multipart uploads and are no buckets. */
const NOT_BUCKETS = new Set(["mp_temp"]);
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STORE_NAME = /^[A-Za-z0-9_-]+$/;
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The store of a bucket, or undefined where the spelling is not the one that works: a store whose name maps to a valid
 * bucket name (`_` → `.`) has only that bucket name, any other store only its own.
 *
 * @example Usage
 * ```ts
 * import { storeOf } from "./subjects.ts";
 * import type { BucketName } from "../../s3/names.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(storeOf("my.bucket" as BucketName), "my_bucket");
 * strictEqual(storeOf("my_bucket" as BucketName), undefined); // only "my.bucket" names it
 * strictEqual(storeOf("My_Bucket" as BucketName), "My_Bucket");
 * ```
 */
export function storeOf(bucket: BucketName): StoreName | undefined {
  const store = bucket.replaceAll(".", "_") as StoreName;
  return bucketOf(store) === bucket ? store : undefined;
}

/** The one name under which a store is served, or undefined where it is no bucket. */
export function bucketOf(store: string): BucketName | undefined {
  if (!STORE_NAME.test(store) || NOT_BUCKETS.has(store)) return undefined;
  const mapped = store.replaceAll("_", ".");
  return (isS3BucketName(mapped) ? mapped : store) as BucketName;
}

/** Name of a store's stream. */
export function streamOf(store: StoreName): string {
  return `OBJ_${store}`;
}

/** The store of a stream, or undefined where the stream has another purpose. */
export function storeOfStream(stream: string): StoreName | undefined {
  return stream.startsWith("OBJ_") ? stream.slice(4) as StoreName : undefined;
}

/** Subjects of a bucket's stream. */
export type Subjects = {
  readonly chunks: string;
  readonly infos: string;
  readonly records: string;
};

/** The three subjects that a bucket's stream captures. */
export function subjectsOf(store: StoreName): Subjects {
  return {
    chunks: `$O.${store}.C.>`,
    infos: `$O.${store}.M.>`,
    records: `$O.${store}.S3.>`,
  };
}

/**
 * What a call of JetStream is about, by its method and subject: which stream, and whether one chunk that it writes or
 * reads.
 *
 * @example Usage
 * ```ts
 * import { aboutCall } from "./subjects.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(aboutCall("publish", "$O.a.C.x"), { stream: "OBJ_a", isChunk: true });
 * deepStrictEqual(aboutCall("STREAM.INFO", "$JS.API.STREAM.INFO.OBJ_a"), {
 *   stream: "OBJ_a",
 *   isChunk: false,
 * });
 * ```
 */
export function aboutCall(
  method: string,
  subject: string,
): { readonly stream: string | undefined; readonly isChunk: boolean } {
  const [, owner, store, after = ""] = /(?:^|\.)(OBJ_|\$O\.)([\w-]+)(.*)/.exec(subject) ?? [];
  if (store === undefined) return { stream: undefined, isChunk: false };
  const isWritten = method === "publish" && owner === "$O." && after.startsWith(".C.");
  // A direct get by sequence names the stream alone.
  const isRead = method === "direct_get" && after === "";
  return { stream: streamOf(store as StoreName), isChunk: isWritten || isRead };
}

/** Subject of a chunk group. */
export function chunkSubject(store: StoreName, nuid: Nuid): string {
  return `$O.${store}.C.${nuid}`;
}

/** Subject of the chunks of one attempt at a part. */
export function partChunkSubject(
  store: StoreName,
  nuid: Nuid,
  part: number | "*",
  attempt: string,
): string {
  return `$O.${store}.C.${nuid}.${part}.${attempt}`;
}

/** Subject of a key's object info. */
export function infoSubject(store: StoreName, key: ObjectKey): string {
  return `$O.${store}.M.${encodeKey(key)}`;
}

/** The key whose object info this subject holds, or undefined where it is no key. */
export function keyOfSubject(store: StoreName, subject: string): ObjectKey | undefined {
  const prefix = `$O.${store}.M.`;
  return subject.startsWith(prefix) ? decodeKey(subject.slice(prefix.length)) : undefined;
}

/** Subjects of our records. */
export const records = {
  bucket: (store: StoreName, document: "owner" | "layout" | "*"): string =>
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
  sync: (store: StoreName): string => `$O.${store}.S3.sync`,
  snapshot: (store: StoreName): string => `$O.${store}.S3.snapshot`,
  snapshotPage: (store: StoreName, id: string, page: number | "*"): string =>
    `$O.${store}.S3.snapshot.${id}.${page}`,
} as const;

/** Kinds of records under `S3.`. */
export const RECORD_KINDS = [
  "bucket",
  "layout",
  "lease",
  "lock",
  "part",
  "snapshot",
  "sync",
  "trash",
  "upload",
] as const;

/** A kind of record under `S3.`. */
export type RecordKind = typeof RECORD_KINDS[number];

/** A chunk group's id, checked to be one token. */
export type Nuid = string & { readonly [brand]: "Nuid" };

/** The nuid in a text, or undefined where it is not one token and would reach other groups' chunks. */
export function parseNuid(text: unknown): Nuid | undefined {
  return typeof text === "string" && TOKEN.test(text) ? text as Nuid : undefined;
}

/** base64url, padded, as nats.js and nats.go write keys. */
export function encodeKey(key: ObjectKey): string {
  const text = Buffer.from(key, "utf8").toString("base64url");
  return text + "=".repeat(-text.length & 3);
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** The number that each character of base64url stands for, by its code; 64 for other characters. */
const SEXTETS = new Uint8Array(128).fill(64);
for (const [i, digit] of [...BASE64URL].entries()) SEXTETS[digit.charCodeAt(0)] = i;
const decoded = Buffer.alloc(MAX_KEY_BYTES + 3);

/** Undefined for what is not the one spelling of a key: reads would miss it. */
function decodeKey(token: string): ObjectKey | undefined {
  const length = decodeBase64(token);
  if (length < 1 || length > MAX_KEY_BYTES) return undefined;
  for (let i = 0; i < length; i++) {
    if ((decoded[i] as number) > 0x7f) return decodeText(decoded.subarray(0, length));
  }
  return decoded.toString("latin1", 0, length) as ObjectKey;
}

function decodeText(bytes: Uint8Array): ObjectKey | undefined {
  try {
    return strictUtf8.decode(bytes) as ObjectKey;
  } catch {
    return undefined;
  }
}

/** Writes the bytes that padded base64url spells into `decoded`. Returns how many they are, or -1 for another spelling. */
function decodeBase64(text: string): number {
  const { length } = text;
  if (length === 0 || length % 4 !== 0 || length > decoded.length * 4 / 3) return -1;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  let at = 0;
  for (let i = 0; i < length; i += 4) {
    const isLast = i + 4 === length;
    const a = sextet(text, i);
    const b = sextet(text, i + 1);
    const c = isLast && padding === 2 ? 0 : sextet(text, i + 2);
    const d = isLast && padding > 0 ? 0 : sextet(text, i + 3);
    if ((a | b | c | d) > 63) return -1;
    const bits = a << 18 | b << 12 | c << 6 | d;
    decoded[at++] = bits >> 16;
    decoded[at++] = bits >> 8;
    decoded[at++] = bits;
    // What the padding leaves over is zero in the one spelling.
    if (isLast && padding > 0 && (bits & (padding === 2 ? 0xffff : 0xff)) !== 0) return -1;
  }
  return at - padding;
}

function sextet(text: string, i: number): number {
  const code = text.charCodeAt(i);
  return code < 128 ? SEXTETS[code] as number : 64;
}
