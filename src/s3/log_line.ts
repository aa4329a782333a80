/**
 * A line of a server access log.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
 *
 * A line has AWS's 27 fields, `-` where the gateway knows nothing: the cipher suite, the version of TLS, the access point,
 * whether an ACL was required, and the caller's region. The runtime does not tell the version of HTTP, so it is always
 * 1.1. Owners and requesters are access key ids instead of canonical user ids.
 *
 * Clients choose much of the text. Quotes, backslashes, control characters and everything beyond ASCII are
 * percent-encoded, blanks too outside quotes, and long texts are cut. So no client can split a line or forge a field,
 * and a line is ASCII. Signatures are not shown.
 * @module
 */

import { Buffer } from "node:buffer";
import { redact } from "../telemetry/redact.ts";
import type { RequestRecord } from "../telemetry/request_record.ts";
import { logOperation } from "./log_operation.ts";
import { decodePercent, type S3Request } from "./request.ts";

/** A request that has ended. */
export type EndedRequest = {
  readonly record: RequestRecord;
  /** Undefined if it could not be parsed. */
  readonly asked: S3Request | undefined;
  /** Headers of the response. */
  readonly answer: Headers | undefined;
  readonly parts: LoggedParts | undefined;
};

/** The parts of a request that have lines of their own, all of one bucket. */
export type LoggedParts = {
  readonly bucket: string;
  /** Called only if the bucket is logged. */
  readonly list: () => readonly LoggedPart[];
};

/** A part of a request that has a line of its own: a key of DeleteObjects, or the source of a copy. */
export type LoggedPart = {
  readonly operation: "BATCH.DELETE.OBJECT" | "REST.COPY.OBJECT_GET" | "REST.COPY.PART_GET";
  readonly key: string;
  /** The version that was made, removed or read, as far as one is known. */
  readonly versionId?: string | undefined;
  readonly status: number;
  /** Undefined for success. */
  readonly code: string | undefined;
};

/** Maximum number of characters that a line shows of the target of a request, and of a header, as sent. */
const MAX_URI = 8192;
const MAX_HEADER = 1024;

/**
 * Returns the line of a request without its first field, the bucket's owner; undefined if it names no bucket.
 *
 * @param time When the request arrived.
 */
export function logLine(ended: EndedRequest, time: Date): string | undefined {
  const { record, asked } = ended;
  if (asked === undefined || record.bucket === undefined) return undefined;
  const { received, answered, ended: total, sent, status, code } = record;
  const operation = logOperation(asked);
  return [
    ...beginning(record, time, record.bucket, operation, record.key),
    quoted(`${asked.method} ${targetOf(asked, record.user !== undefined)} HTTP/1.1`, MAX_URI),
    status,
    token(code),
    sent === 0 ? "-" : sent,
    objectSize(ended, operation) ?? "-",
    Math.round(total),
    // Counted from the last byte of the request, whose time is known only if there was no body.
    received === 0 ? Math.round(answered) : "-",
    quoted(asked.headers.get("referer"), MAX_HEADER),
    quoted(asked.headers.get("user-agent"), MAX_HEADER),
    ...ending(ended, asked, ended.answer?.get("x-amz-version-id")),
  ].join(" ");
}

/**
 * Returns the line of a part of a request without its first field, the bucket's owner. AWS writes such lines without the
 * target of the request and its headers.
 *
 * @param time When the request arrived.
 */
export function logLineOfPart(
  ended: EndedRequest,
  time: Date,
  bucket: string,
  { operation, key, versionId, status, code }: LoggedPart,
): string {
  const { record, asked } = ended;
  const size = operation === "REST.COPY.OBJECT_GET" ? record.outcome?.size : undefined;
  return [
    ...beginning(record, time, bucket, operation, key),
    "-",
    status,
    token(code),
    "-",
    size ?? "-",
    "-", // total time
    "-", // turn-around time
    "-", // referer
    "-", // user agent
    ...ending(ended, asked, versionId),
  ].join(" ");
}

/**
 * Returns a log: lines with the owner of their bucket in front.
 *
 * @param owner Access key id, if known.
 */
export function formatLog(owner: string | undefined, lines: readonly string[]): string {
  const first = token(owner);
  return lines.map((line) => `${first} ${line}\n`).join("");
}

/** Returns the second to the eighth field. */
function beginning(
  { client, user, id }: RequestRecord,
  time: Date,
  bucket: string,
  operation: string,
  key: string | undefined,
): readonly string[] {
  return [
    token(bucket),
    formatTime(time),
    token(client),
    token(user),
    token(id),
    operation,
    key === undefined ? "-" : formatKey(user === undefined ? redact(key) : key),
  ];
}

/** Returns the last ten fields, from the version id on. */
function ending(
  { record }: EndedRequest,
  asked: S3Request | undefined,
  versionId: string | null | undefined,
): readonly string[] {
  const [signature, authentication] = asked === undefined ? ["-", "-"] : signatureOf(asked);
  return [
    token(versionId),
    token(record.id), // as in x-amz-id-2
    signature,
    "-", // cipher suite
    authentication,
    token(asked?.host.slice(0, MAX_HEADER)),
    "-", // TLS version
    "-", // access point
    "-", // ACL required
    "-", // region of the caller
  ];
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Returns a time as `[06/Feb/2019:00:00:38 +0000]`. */
function formatTime(time: Date): string {
  const text = time.toISOString();
  const month = MONTHS[time.getUTCMonth()];
  return `[${text.slice(8, 10)}/${month}/${text.slice(0, 4)}:${text.slice(11, 19)} +0000]`;
}

function formatKey(key: string): string {
  return encodeURIComponent(key.toWellFormed()).replaceAll("%2F", "/");
}

/** Everything but printable ASCII without quotes and backslashes; a token has no blanks either. */
const NOT_QUOTABLE = /[^ !#-[\]-~]/g;
const NOT_IN_TOKEN = /[^!#-[\]-~]/g;

function token(text: string | null | undefined): string {
  return text === undefined || text === null || text === ""
    ? "-"
    : text.replace(NOT_IN_TOKEN, percent);
}

function quoted(text: string | null, max: number): string {
  return text === null || text === ""
    ? '"-"'
    : `"${text.slice(0, max).replace(NOT_QUOTABLE, percent)}"`;
}

/** Encodes a character; headers have one character for each byte. */
function percent(char: string): string {
  const bytes = Buffer.from(char, char <= "\u00ff" ? "latin1" : "utf8");
  return bytes.toString("hex").toUpperCase().replace(/../g, "%$&");
}

/** Returns path and query as the client sent them, without signatures. */
function targetOf({ rawPath, rawQuery }: S3Request, isKnown: boolean): string {
  const path = isKnown ? rawPath : redact(rawPath);
  if (rawQuery === "") return path;
  return `${path}?${rawQuery.slice(0, MAX_URI).split("&").map(withoutSignature).join("&")}`;
}

const SECRET_NAMES: ReadonlySet<string> = new Set([
  "signature",
  "x-amz-signature",
  "x-amz-security-token",
]);

function withoutSignature(parameter: string): string {
  const [name = ""] = parameter.split("=", 1);
  return isSecret(name) ? `${name}=REDACTED` : redact(parameter);
}

function isSecret(name: string): boolean {
  try {
    return SECRET_NAMES.has(decodePercent(name).toLowerCase());
  } catch {
    return true; // it was cut, or nobody can read it
  }
}

/** Returns the version of the signature and how it was sent. */
function signatureOf({ headers, query }: S3Request): readonly [string, string] {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    if (authorization.startsWith("AWS4-")) return ["SigV4", "AuthHeader"];
    return [authorization.startsWith("AWS ") ? "SigV2" : "-", "AuthHeader"];
  }
  if (query.has("X-Amz-Signature")) return ["SigV4", "QueryString"];
  return query.has("Signature") ? ["SigV2", "QueryString"] : ["-", "-"];
}

/** Returns the size of the whole object that was written or read, if known. */
function objectSize(
  { record, answer }: EndedRequest,
  operation: string,
): number | undefined {
  const { outcome, method, status } = record;
  if (outcome?.size !== undefined) return outcome.size;
  if (answer === undefined || (method !== "GET" && method !== "HEAD")) return undefined;
  if (!operation.endsWith(".OBJECT")) return undefined;
  if (status === 206) return sizeOf(answer.get("content-range")?.split("/")[1]);
  return status === 200 ? sizeOf(answer.get("content-length")) : undefined;
}

function sizeOf(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
