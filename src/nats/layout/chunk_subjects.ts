/**
 * The subjects of chunks, written and read.
 * @module
 */

import { MAX_PART_NUMBER } from "../../s3/names.ts";
import type { StoreName } from "./names.ts";
import { isOurNuid, type Nuid, parseNuid } from "./nuid.ts";

/** Returns the subject of a chunk group. */
export function chunkSubject(store: StoreName, nuid: Nuid): string {
  return `$O.${store}.C.${nuid}`;
}

/** Returns the subject of the chunks that one attempt at a part wrote. */
export function partChunkSubject(
  store: StoreName,
  nuid: Nuid,
  part: number | "*",
  attempt: string,
): string {
  return `$O.${store}.C.${nuid}.${part}.${attempt}`;
}

/**
 * The subject of chunks, read: those of a group, or those of one attempt at a part. A native client may choose any name for
 * its groups, with dots too, so a part counts as one only if its number, its attempt and its nuid have the form of ours.
 */
export type ChunkSubject =
  & {
    /** Everything behind `C.`: the name by which object info of a native client may name the group. */
    readonly name: string;
  }
  & (
    | { readonly kind: "group"; readonly nuid: Nuid }
    | { readonly kind: "part"; readonly nuid: Nuid }
    /** A name that we never write. Its chunks are never purged. */
    | { readonly kind: "foreign" }
  );

/**
 * Reads the subject of chunks; returns undefined for any other subject.
 *
 * @example Usage
 * ```ts
 * import { parseChunkSubject } from "./chunk_subjects.ts";
 * import type { StoreName } from "./names.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = "photos" as StoreName;
 * strictEqual(parseChunkSubject(store, "$O.photos.C.abc")?.kind, "group");
 * strictEqual(parseChunkSubject(store, "$O.photos.C.2026.11")?.kind, "foreign");
 * ```
 */
export function parseChunkSubject(store: StoreName, subject: string): ChunkSubject | undefined {
  const prefix = `$O.${store}.C.`;
  if (!subject.startsWith(prefix)) return undefined;
  const name = subject.slice(prefix.length);
  const [text = "", part, attempt, more] = name.split(".");
  const nuid = parseNuid(text);
  if (nuid !== undefined && part === undefined) return { kind: "group", name, nuid };
  const isPart = nuid !== undefined && isOurNuid(nuid) && isPartNumber(part) &&
    isAttempt(attempt) && more === undefined;
  return isPart ? { kind: "part", name, nuid } : { kind: "foreign", name };
}

/** Returns whether a token is the number of a part, 1 to 10,000. */
export function isPartNumber(token: string | undefined): token is string {
  return token !== undefined && /^[1-9]\d{0,4}$/.test(token) && Number(token) <= MAX_PART_NUMBER;
}

/** Returns whether a token is the name of an attempt at a part. */
export function isAttempt(token: string | undefined): token is string {
  return token !== undefined && /^[A-Za-z0-9_-]{6}$/.test(token);
}
