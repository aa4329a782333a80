/**
 * Ids of chunk groups that tell which key they were made for.
 *
 * Object info is untrusted: a native client may write, under its own key, the nuid of another key's object. Who then
 * deletes the one would purge the other's bytes. A nuid of ours ends with a digest of its key, so that a group is purged
 * on the word of a key only where it was made for that key; all else is left to the sweep, which knows every name.
 * @module
 */

import { Buffer } from "node:buffer";
import { sha256OfText } from "../../crypto/sha256.ts";
import type { ObjectKey, UploadId } from "../../s3/names.ts";
import type { Nuid } from "./subjects.ts";
import { randomBytes } from "../../world/world.ts";

const RANDOM_BYTES = 12;
const RANDOM_LENGTH = 16;
const DIGEST_LENGTH = 8;

/** A fresh nuid for an object of this key. */
export function newNuid(key: ObjectKey): Nuid {
  let random: string;
  do {
    random = Buffer.from(randomBytes(RANDOM_BYTES))
      .toString("base64url");
  } while (random.startsWith("-")); // a command line would take an upload id for a flag
  return `${random}${digest(random, key)}` as Nuid;
}

/**
 * Whether a nuid was made for this key.
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

/** Returns the nuid under which the parts of an upload lie: the upload id itself, which {@linkcode newNuid} made. */
export function nuidOfUpload(id: UploadId): Nuid {
  return id as string as Nuid;
}

function digest(random: string, key: ObjectKey): string {
  const text = Buffer.from(random + key).toString("latin1");
  const hex = sha256OfText(text).slice(0, DIGEST_LENGTH * 3 / 2);
  return Buffer.from(hex, "hex").toString("base64url");
}
