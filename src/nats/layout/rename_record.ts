/**
 * The record of a rename that was made, `S3.rename.<id>`, by which a repeated request is recognised. It expires.
 * @module
 */

import { Buffer } from "node:buffer";
import { sha256OfText } from "../../crypto/sha256.ts";
import type { Renamed } from "../../store/objects.ts";
import { isETag } from "./info_metadata.ts";
import { parseRecord } from "./json.ts";

/** The content of the record. */
export type RenameRecord = Renamed & {
  /** Digest of the request's parameters. */
  readonly parameters: string;
};

/** How long a repeated rename is recognised. */
export const RENAME_TTL = "10m";

/** Returns a digest of a text, in hex: that of a client's token is the id of its record. */
export function renameDigest(text: string): string {
  return sha256OfText(Buffer.from(text).toString("latin1"));
}

/** Returns the JSON of a record. */
export function formatRename({ parameters, size, etag }: RenameRecord): string {
  return JSON.stringify({ parameters, size, etag });
}

/** Reads a record; returns undefined for a text that cannot be trusted. */
export function parseRename(text: string): RenameRecord | undefined {
  const { parameters, size, etag } = parseRecord(text) ?? {};
  const isRead = typeof parameters === "string" && typeof size === "number" &&
    Number.isSafeInteger(size) && size >= 0 && isETag(etag);
  return isRead ? { parameters, size, etag } : undefined;
}
