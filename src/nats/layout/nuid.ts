/**
 * Nuids, the ids of chunk groups. Each of ours tells the key that it was made for.
 *
 * Object info is untrusted: a native client may write the nuid of another key's object under its own key, and deleting
 * that client's object would purge the other object's bytes. A nuid of ours therefore ends with a digest of its key. A
 * key's object info alone suffices to purge a group only if the group was made for that key and never renamed; the trash
 * and the sweep, which read every name, judge all other groups.
 * @module
 */

import { Buffer } from "node:buffer";
import { sha256Of } from "../../crypto/sha256.ts";
import type { ObjectKey, UploadId } from "../../s3/names.ts";
import { randomBytes } from "../../world/world.ts";

/** A chunk group's id, checked to be one token. */
export type Nuid = string & { readonly [brand]: "Nuid" };
declare const brand: unique symbol;

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;
const RANDOM_BYTES = 12;
const RANDOM_LENGTH = 16;
const DIGEST_BYTES = 6;
const DIGEST_LENGTH = 8;

/**
 * Returns the nuid in a text that a native client may have written; undefined if it is not one token, because a purge
 * of such a subject would reach the chunks of other groups.
 */
export function parseNuid(text: unknown): Nuid | undefined {
  return typeof text === "string" && TOKEN.test(text) ? text as Nuid : undefined;
}

/** Returns a fresh nuid for an object of this key. */
export function newNuid(key: ObjectKey): Nuid {
  let random: string;
  do {
    random = Buffer.from(randomBytes(RANDOM_BYTES)).toString("base64url");
  } while (random.startsWith("-")); // a command line would take an upload id for a flag
  return `${random}${digest(random, key)}` as Nuid;
}

/**
 * Returns whether a nuid was made for this key.
 *
 * @example Usage
 * ```ts
 * import { isNuidOf, newNuid } from "./nuid.ts";
 * import type { ObjectKey } from "../../s3/names.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const nuid = newNuid("mine" as ObjectKey);
 * strictEqual(isNuidOf(nuid, "mine" as ObjectKey), true);
 * strictEqual(isNuidOf(nuid, "other" as ObjectKey), false);
 * ```
 */
export function isNuidOf(nuid: Nuid, key: ObjectKey): boolean {
  const random = nuid.slice(0, RANDOM_LENGTH);
  return nuid.length === RANDOM_LENGTH + DIGEST_LENGTH &&
    nuid.slice(RANDOM_LENGTH) === digest(random, key);
}

/** Returns whether a nuid has the form of ours: only such groups have parts. */
export function isOurNuid(nuid: Nuid): boolean {
  return nuid.length === RANDOM_LENGTH + DIGEST_LENGTH;
}

/** Returns the nuid of an upload's chunks, which is the upload id: {@linkcode newNuid} makes both. */
export function nuidOfUpload(id: UploadId): Nuid {
  return id as string as Nuid;
}

function digest(random: string, key: ObjectKey): string {
  const { buffer, byteOffset } = sha256Of(Buffer.from(random + key));
  return Buffer.from(buffer, byteOffset, DIGEST_BYTES).toString("base64url");
}
