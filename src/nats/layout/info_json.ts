/**
 * The JSON of object info, checked as far as every reader needs it. It is untrusted: a native client may write anything.
 * @module
 */

import { decodeText, fieldInText, isRecord, parseJson } from "./json.ts";
import { type Nuid, parseNuid } from "./nuid.ts";

/** The JSON of object info, checked. */
export type CheckedJson =
  | {
    readonly kind: "object";
    readonly record: Readonly<Record<string, unknown>>;
    readonly metadata: Readonly<Record<string, string>>;
    readonly size: number;
    readonly nuid: Nuid;
    readonly chunks: number;
    readonly inParts: boolean;
  }
  /** There is no such object: this is a delete marker of the object store, or a link. */
  | {
    readonly kind: "absent";
    /** The message states too little to have ever been an object; its writer has freed the bytes, if there were any. */
    readonly isBare: boolean;
  }
  | Unreadable;

/**
 * Not to be trusted: the gateway neither reads nor rewrites the object. It exists for conditions, its lock holds, and the
 * sweep keeps the chunks that it names.
 */
export type Unreadable = { readonly kind: "unreadable"; readonly reason: string };

const MARKER = { deleted: true } as const;

/** Returns the JSON of a metadata message; undefined if it is not JSON. */
export function decodeJson(payload: Uint8Array): unknown {
  // The server may leave a marker without content in the place of an expired message.
  return payload.length === 0 ? MARKER : parseJson(decodeText(payload));
}

/** Checks what {@linkcode decodeJson} returned. */
export function checkJson(json: unknown): CheckedJson {
  if (json === undefined) return unreadable("object info is not JSON");
  if (!isRecord(json)) return unreadable("object info is not an object");

  const needs = isRecord(json["metadata"]) ? findNeeds(json["metadata"]["s3.needs"]) : undefined;
  const metadata = textRecord(json["metadata"]);
  const size = json["size"] ?? 0;
  if (!isCount(size)) return unreadable("size is not a length");
  const inParts = metadata["s3.layout"] === "parts";
  // A multipart object is marked deleted so that native clients leave it alone, and so may a newer gateway mark any object
  // that has needs; a native delete sets the size to 0.
  const isHidden = (inParts || needs !== undefined) && size > 0;
  if (json["deleted"] === true && !isHidden) {
    return { kind: "absent", isBare: json["metadata"] === undefined };
  }
  if (needs !== undefined) return unreadable(`the gateway lacks what it needs: ${needs}`);
  const options = isRecord(json["options"]) ? json["options"] : {};
  if (options["link"] !== undefined && options["link"] !== null) {
    return { kind: "absent", isBare: json["metadata"] === undefined };
  }

  const nuid = parseNuid(json["nuid"]);
  if (nuid === undefined) return unreadable("nuid is not one token");
  const chunks = json["chunks"] ?? 0;
  if (!isCount(chunks)) return unreadable("chunks is not a count");
  if (!inParts && (size === 0) !== (chunks === 0)) {
    return unreadable("size and chunks contradict each other");
  }
  return { kind: "object", record: json, metadata, size, nuid, chunks, inParts };
}

/** Returns the description of object info that cannot be read. */
export function unreadable(reason: string): Unreadable {
  return { kind: "unreadable", reason };
}

/**
 * Returns what a reader of `s3.needs` must understand and this gateway does not; undefined if there is nothing. The value
 * is a list of words with commas between them. This version understands none.
 *
 * @example Usage
 * ```ts
 * import { findNeeds } from "./info_json.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(findNeeds("encryption, x"), '"encryption, x"');
 * strictEqual(findNeeds(["encryption"]), "a value that is not text");
 * strictEqual(findNeeds(undefined), undefined);
 * strictEqual(findNeeds(""), undefined);
 * ```
 */
export function findNeeds(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  // Another type is not ours, but its writer meant to keep readers away.
  if (typeof value !== "string") return "a value that is not text";
  return /[^\s,]/.test(value) ? `"${value.slice(0, MAX_NEEDS_SHOWN)}"` : undefined;
}

/** Most characters of the needs that a message shows. */
const MAX_NEEDS_SHOWN = 100;

/**
 * Returns the name of the chunk group that a metadata message names, whether or not it is a nuid, and even if nothing else
 * in the message can be trusted. Nothing that is named is purged.
 */
export function groupNamedBy(payload: Uint8Array): string | undefined {
  const json = decodeJson(payload);
  if (json === undefined) return fieldInText(decodeText(payload), "nuid");
  return groupNamedByJson(json);
}

/** Returns the name of the chunk group that the JSON of object info names. */
export function groupNamedByJson(json: unknown): string | undefined {
  if (!isRecord(json)) return undefined;
  const { nuid } = json;
  return typeof nuid === "string" ? nuid : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function textRecord(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  if (Object.values(value).every((text) => typeof text === "string")) {
    return value as Record<string, string>;
  }
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] =>
      typeof entry[1] === "string"
    ),
  );
}
