/**
 * The JSON of object info, checked as far as every reader needs it. It is untrusted: a native client may write anything.
 * @module
 */

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
  /** Not to be trusted: the gateway neither reads the object nor purges its chunks. */
  | { readonly kind: "unreadable"; readonly reason: string };

const decoder = new TextDecoder();
const MARKER = { deleted: true } as const;

/** Returns the JSON of a metadata message; undefined if it is not JSON. */
export function decodeJson(payload: Uint8Array): unknown {
  // The server may leave a marker without content in the place of an expired message.
  if (payload.length === 0) return MARKER;
  try {
    return JSON.parse(decoder.decode(payload));
  } catch {
    return undefined;
  }
}

/** Checks what {@linkcode decodeJson} returned. */
export function checkJson(json: unknown): CheckedJson {
  if (json === undefined) return { kind: "unreadable", reason: "object info is not JSON" };
  if (!isRecord(json)) return { kind: "unreadable", reason: "object info is not an object" };

  const metadata = textRecord(json["metadata"]);
  const size = json["size"] ?? 0;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    return { kind: "unreadable", reason: "size is not a length" };
  }
  const absent = { kind: "absent", isBare: json["metadata"] === undefined } as const;
  const inParts = metadata["s3.layout"] === "parts";
  // A multipart object is marked deleted so that native clients leave it alone; a native delete sets the size to 0.
  if (json["deleted"] === true && !(inParts && size > 0)) return absent;
  const options = isRecord(json["options"]) ? json["options"] : {};
  if (options["link"] !== undefined && options["link"] !== null) return absent;

  const nuid = parseNuid(json["nuid"]);
  if (nuid === undefined) return { kind: "unreadable", reason: "nuid is not one token" };
  const chunks = json["chunks"] ?? 0;
  if (typeof chunks !== "number" || !Number.isSafeInteger(chunks) || chunks < 0) {
    return { kind: "unreadable", reason: "chunks is not a count" };
  }
  if (!inParts && (size === 0) !== (chunks === 0)) {
    return { kind: "unreadable", reason: "size and chunks contradict each other" };
  }
  return { kind: "object", record: json, metadata, size, nuid, chunks, inParts };
}

/** Returns the nuid that the JSON names, even if nothing else in it can be trusted. */
export function nuidOfJson(json: unknown): Nuid | undefined {
  return isRecord(json) ? parseNuid(json["nuid"]) : undefined;
}

/** Returns whether a value is an object of JSON. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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
