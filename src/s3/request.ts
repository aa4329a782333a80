/**
 * What an HTTP request asks for: a bucket and a key in path style or virtual-host style, and a query.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 *
 * Path and query are cut from the target as the client sent it: `new URL()` folds `..` and `%2e%2e`, which changes
 * the key, even the bucket, and breaks the signature.
 * @module
 */

import { S3Error } from "./errors.ts";
import type { Origin } from "./forwarded.ts";
import { type BucketName, type ObjectKey, parseBucketName, parseObjectKey } from "./names.ts";
import { readHeaders, type RequestHeaders } from "./request_headers.ts";

/** What a request is about. */
export type Target =
  | { readonly on: "service" }
  | { readonly on: "bucket"; readonly bucket: BucketName }
  | { readonly on: "object"; readonly bucket: BucketName; readonly key: ObjectKey };

/** Decoded query parameters; of a repeated name the first value counts, a name without `=` has the value "". */
export type Query = ReadonlyMap<string, string>;

/** A request, parsed once and trusted from then on. */
export type S3Request = {
  /** As sent; methods are case-sensitive. */
  readonly method: string;
  readonly target: Target;
  /** Path as sent, percent-encoded, with its leading slash: what a signature covers. */
  readonly rawPath: string;
  /** Query as sent, without its question mark. */
  readonly rawQuery: string;
  readonly query: Query;
  /** Values are latin1 text, one character a byte, as Deno gives them. */
  readonly headers: RequestHeaders;
  /** `Host` as the client sent it, with its port. */
  readonly host: string;
  /** How the client asked. */
  readonly scheme: "http" | "https";
  /** IP address of the client; undefined where the server does not know. */
  readonly address: string | undefined;
  readonly body: ReadableStream<Uint8Array> | null;
  /**
   * Its signal aborts when the client has gone. The runtime makes it when it is first asked for, which costs half as
   * much as the rest of a small request.
   */
  readonly client: { readonly signal: AbortSignal };
};

/**
 * Parses a request.
 *
 * @param request As `Deno.serve` hands it over.
 * @param domains Host names, lower case and without port, under which buckets are addressed in virtual-host style.
 * @param origin What is known of where it comes from; what it does not say is read from the request.
 * @throws S3Error `InvalidURI`, `InvalidBucketName`, `KeyTooLongError`, `InvalidRequest` for an impossible Host
 */
export function parseRequest(
  request: Request,
  domains: readonly string[],
  origin?: Origin,
): S3Request {
  const { url } = request;
  const headers = readHeaders(request.headers);
  const authority = url.indexOf("://") + 3;
  const host = origin?.host ?? headers.get("host") ??
    url.slice(authority, endOfAuthority(url, authority));
  // The runtime puts Host before the target unchecked: one with a slash in it would forge the path.
  if (/[/?#@\\\s]/.test(host)) {
    throw new S3Error("InvalidRequest", {}, { message: "Host header is not valid" });
  }

  const start = url.indexOf("/", authority);
  const raw = start < 0 ? "/" : url.slice(start);
  const question = raw.indexOf("?");
  const rawPath = question < 0 ? raw : raw.slice(0, question);
  const rawQuery = question < 0 ? "" : raw.slice(question + 1);

  return {
    method: request.method,
    target: parseTarget(rawPath, virtualBucket(host, domains)),
    rawPath,
    rawQuery,
    query: parseQuery(rawQuery),
    headers,
    host,
    scheme: origin?.scheme ?? (url.startsWith("https:") ? "https" : "http"),
    address: origin?.address,
    body: request.body,
    client: request,
  };
}

function endOfAuthority(url: string, from: number): number {
  const end = url.slice(from).search(/[/?#]/);
  return end < 0 ? url.length : from + end;
}

/** The bucket that a Host names, or undefined for path style. */
function virtualBucket(host: string, domains: readonly string[]): string | undefined {
  const name = host.replace(/:\d*$/, "").toLowerCase();
  for (const domain of domains) {
    if (name.length > domain.length + 1 && name.endsWith("." + domain)) {
      return name.slice(0, -domain.length - 1);
    }
  }
  return undefined;
}

function parseTarget(rawPath: string, virtual: string | undefined): Target {
  const path = decodePercent(rawPath.slice(1));
  if (virtual !== undefined) return targetOf(virtual, path);
  if (path === "") return { on: "service" };
  // Cut the raw text: an encoded slash belongs to the name, not to the path.
  const slash = rawPath.indexOf("/", 1);
  if (slash < 0) return targetOf(path, "");
  return targetOf(decodePercent(rawPath.slice(1, slash)), decodePercent(rawPath.slice(slash + 1)));
}

function targetOf(bucketText: string, key: string): Target {
  const bucket = parseBucketName(bucketText);
  return key === "" ? { on: "bucket", bucket } : { on: "object", bucket, key: parseObjectKey(key) };
}

/**
 * Splits and decodes a query string. `+` is a space.
 *
 * @throws S3Error `InvalidURI`
 */
export function parseQuery(rawQuery: string): Query {
  const query = new Map<string, string>();
  for (const { name, value = "" } of parseQueryPairs(rawQuery)) {
    if (!query.has(name)) query.set(name, value);
  }
  return query;
}

/** A query parameter, decoded; without `=` it has no value. */
export type QueryPair = {
  readonly name: string;
  /** The name as sent. */
  readonly rawName: string;
  readonly value: string | undefined;
};

/**
 * Splits and decodes a query string as {@linkcode parseQuery} does, and keeps repeated names.
 *
 * @throws S3Error `InvalidURI`
 */
export function parseQueryPairs(rawQuery: string): readonly QueryPair[] {
  const pairs: QueryPair[] = [];
  if (rawQuery === "") return pairs;
  for (const pair of rawQuery.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const rawName = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? undefined : decodePlus(pair.slice(equals + 1));
    pairs.push({ name: decodePlus(rawName), rawName, value });
  }
  return pairs;
}

function decodePlus(text: string): string {
  return decodePercent(text.replaceAll("+", " "));
}

/**
 * Percent-decoding, strict: what is not UTF-8 is refused.
 *
 * @throws S3Error `InvalidURI`
 */
export function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new S3Error("InvalidURI", { URI: text }, { cause });
  }
}
