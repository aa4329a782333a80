/**
 * The canonical form of a request that SigV4 signs.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#canonical-request
 *
 * Texts are latin1, one character for each byte. Paths and queries are ASCII once they are encoded. Header values arrive
 * as latin1, so the bytes that the client sent are the bytes that are signed.
 * @module
 */

import type { RequestHeaders } from "../s3/request_headers.ts";

/** The parts of a canonical request. */
export type CanonicalParts = {
  readonly method: string;
  /** From {@linkcode canonicalUri}. */
  readonly uri: string;
  /** From {@linkcode canonicalQuery}. */
  readonly query: string;
  /** From {@linkcode canonicalHeaders}. */
  readonly headers: string;
  /** Lower-case names, in the order in which the client signed them. */
  readonly signedHeaders: readonly string[];
  /** The value of `x-amz-content-sha256`. */
  readonly payloadHash: string;
};

/** Joins the parts of a canonical request. */
export function canonicalRequest(
  { method, uri, query, headers, signedHeaders, payloadHash }: CanonicalParts,
): string {
  return `${method}\n${uri}\n${query}\n${headers}\n${signedHeaders.join(";")}\n${payloadHash}`;
}

const PLAIN_PATH = /^[\w\-.~/]*$/;
const ESCAPES = /%[0-9A-Fa-f]{2}|[^\w\-.~]/gu;

/**
 * Returns the path as S3 signs it: encoded once, regardless of its encoding on the wire. Slashes, `.` and `..` stay.
 *
 * @example Usage
 * ```ts
 * import { canonicalUri } from "./canonical_request.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(canonicalUri("/b/a//../%7efoo%2fbar$+"), "/b/a//../~foo/bar%24%2B");
 * ```
 *
 * @param rawPath As sent.
 * @param keepsEscapes Whether an encoded slash stays encoded, as S3 Control signs the ARNs in its paths.
 */
export function canonicalUri(rawPath: string, keepsEscapes = false): string {
  return PLAIN_PATH.test(rawPath) ? rawPath : rawPath.replace(ESCAPES, (piece) => {
    if (piece === "/") return piece;
    const encoded = encode(piece);
    return encoded === "%2F" && !keepsEscapes ? "/" : encoded;
  });
}

/**
 * Returns the query as SigV4 signs it: encoded once, sorted by name, then by value. A `+` is a space, as in
 * `S3Request.query`.
 *
 * @example Usage
 * ```ts
 * import { canonicalQuery } from "./canonical_request.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(canonicalQuery("prefix=a/b&acl&X-Amz-Signature=f0", "X-Amz-Signature"), "acl=&prefix=a%2Fb");
 * ```
 *
 * @param rawQuery As sent, without its question mark.
 * @param except Name that is omitted, because a signature cannot cover itself.
 */
export function canonicalQuery(rawQuery: string, except?: string): string {
  if (rawQuery === "") return "";
  const pairs: [name: string, value: string][] = [];
  for (const pair of rawQuery.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = encodeText(equals < 0 ? pair : pair.slice(0, equals));
    if (name !== except) pairs.push([name, equals < 0 ? "" : encodeText(pair.slice(equals + 1))]);
  }
  pairs.sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0);
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function encodeText(text: string): string {
  return text.replace(ESCAPES, (piece) => piece === "+" ? "%20" : encode(piece));
}

/** Encodes one character, or one escape that may have been unnecessary. */
function encode(piece: string): string {
  if (piece.length === 3) {
    const char = String.fromCharCode(Number.parseInt(piece.slice(1), 16));
    return /[\w\-.~]/.test(char) ? char : piece.toUpperCase();
  }
  // RFC 3986 reserves five characters that encodeURIComponent leaves alone.
  return /[!'()*]/.test(piece)
    ? `%${piece.charCodeAt(0).toString(16).toUpperCase()}`
    : encodeURIComponent(piece);
}

/**
 * Headers that clients send several times: the Go and Rust SDKs send one line for each member of a list, and the Go SDK
 * adds `aws-chunked` in a line of its own. A blank after a comma changes the meaning of none of them. Another header is
 * not on this list, because `/bucket/a,b` and `/bucket/a, b` are two copy sources.
 */
const REPEATED: ReadonlySet<string> = new Set([
  "content-encoding",
  "x-amz-object-attributes",
  "x-amz-optional-object-attributes",
]);

/**
 * Returns the signed headers, one on each line. A missing header counts as empty.
 *
 * @param names Lower-case names.
 * @param headers Values as latin1 text; a run of blanks counts as one.
 * @param host The `Host` header as sent.
 * @param separator Text between the values of a repeated header. The runtime joins them with `", "`, but clients sign
 * `","`: callers try the second if the first does not match. It only affects the headers that clients do repeat.
 */
export function canonicalHeaders(
  names: readonly string[],
  headers: RequestHeaders,
  host: string,
  separator: ", " | "," = ", ",
): string {
  let text = "";
  for (const name of names) {
    let value = name === "host" ? host : headers.get(name) ?? "";
    // Neither trim() nor \s: they remove the byte A0, which ends many characters in UTF-8.
    if (/[ \t]{2}|\t|^ | $/.test(value)) {
      value = value.replace(/[ \t]+/g, " ").replace(/^ | $/g, "");
    }
    text += `${name}:${
      separator === "," && REPEATED.has(name) ? value.replaceAll(", ", ",") : value
    }\n`;
  }
  return text;
}
