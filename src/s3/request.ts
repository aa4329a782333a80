/**
 * Parses an HTTP request: its bucket and key, in path style or virtual-host style, and its query.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 *
 * Path and query are cut from the target as the client sent it: `new URL()` folds `..` and `%2e%2e`, which changes the
 * key or even the bucket, and breaks the signature.
 * @module
 */

import { S3Error } from "./errors.ts";
import { claimedAccount, CONTROL_PREFIX } from "./control.ts";
import type { Origin } from "./forwarded.ts";
import { type BucketName, type ObjectKey, parseBucketName, parseObjectKey } from "./names.ts";
import { readHeaders, type RequestHeaders } from "./request_headers.ts";
import { checkHost, endOfAuthority, hostOf, virtualBucket } from "./request_host.ts";

/** The target of a request. */
export type Target =
  | { readonly on: "service" }
  | {
    /** A request of S3 Control. */
    readonly on: "account";
    /** The account that the request names; undefined if it names two. */
    readonly account: string | undefined;
    /** Decoded, without the version of the API: `tags/arn:aws:s3:::photos`. */
    readonly path: string;
  }
  | { readonly on: "bucket"; readonly bucket: BucketName }
  | { readonly on: "object"; readonly bucket: BucketName; readonly key: ObjectKey };

/** Decoded query parameters. The first value of a repeated name counts; a name without `=` has the value "". */
export type Query = ReadonlyMap<string, string>;

/** A request, parsed once and trusted from then on. */
export type S3Request = {
  /** As sent; methods are case-sensitive. */
  readonly method: string;
  readonly target: Target;
  /** Path as sent, percent-encoded, with its leading slash. Signatures cover it. */
  readonly rawPath: string;
  /** Query as sent, without its question mark. */
  readonly rawQuery: string;
  readonly query: Query;
  /** Values are latin1 text, one character for each byte, as Deno returns them. */
  readonly headers: RequestHeaders;
  /** `Host` as the client sent it, with its port. */
  readonly host: string;
  /** The scheme by which the client connected. */
  readonly scheme: "http" | "https";
  /** IP address of the client; undefined if the server does not know it. */
  readonly address: string | undefined;
  readonly body: ReadableStream<Uint8Array> | null;
  /** The request came to a web site. */
  readonly isSite?: true;
  /**
   * Its signal aborts when the client has disconnected. The runtime creates it on first use, which costs half as much as
   * the rest of a small request.
   */
  readonly client: { readonly signal: AbortSignal };
};

/**
 * Parses a request.
 *
 * @param request As `Deno.serve` passes it on.
 * @param domains Host names, lower case and without port, under which buckets are addressed in virtual-host style.
 * @param origin Known facts about the client; the request supplies those that are missing.
 * @param account Number of the gateway's account.
 * @throws S3Error `InvalidURI`, `InvalidBucketName`, `KeyTooLongError`; `InvalidRequest` for an impossible Host, from the
 * client or from a proxy, and for one that is not the URL's
 */
export function parseRequest(
  request: Request,
  domains: readonly string[],
  origin?: Origin,
  account?: string,
): S3Request {
  const toTarget = (rawPath: string, host: string, headers: RequestHeaders): Target => {
    const virtual = virtualBucket(host, domains);
    const claimed = rawPath.startsWith(CONTROL_PREFIX)
      ? claimedAccount({ host, headers, virtual }, account)
      : undefined;
    if (claimed === undefined) return parseTarget(rawPath, virtual);
    return { on: "account", ...claimed, path: decodePercent(rawPath.slice(CONTROL_PREFIX.length)) };
  };
  return parseParts(request, origin, toTarget, parseQuery);
}

/**
 * Parses a request to a web site: the whole path is the key, and the query has no meaning.
 *
 * @param bucketOf Returns the bucket of a host.
 * @throws S3Error as {@linkcode parseRequest} does, and what `bucketOf` throws
 */
export function parseSiteRequest(
  request: Request,
  bucketOf: (host: string) => string,
  origin?: Origin,
): S3Request {
  const parts = parseParts(
    request,
    origin,
    (rawPath, host) => targetOf(bucketOf(host), decodePercent(rawPath.slice(1))),
    () => NO_QUERY,
  );
  return { ...parts, isSite: true };
}

const NO_QUERY: Query = new Map();

function parseParts(
  request: Request,
  origin: Origin | undefined,
  toTarget: (rawPath: string, host: string, headers: RequestHeaders) => Target,
  toQuery: (rawQuery: string) => Query,
): S3Request {
  const { url } = request;
  const headers = readHeaders(request.headers);
  const start = url.indexOf("://") + 3;
  const end = endOfAuthority(url, start);
  const sent = hostOf(url.slice(start, end), headers.get("host"));
  const host = checkHost(origin?.host ?? sent);

  const raw = url.slice(end);
  const question = raw.indexOf("?");
  const path = question < 0 ? raw : raw.slice(0, question);
  const rawPath = path.startsWith("/") ? path : `/${path}`;
  const rawQuery = question < 0 ? "" : raw.slice(question + 1);

  return {
    method: request.method,
    target: toTarget(rawPath, host, headers),
    rawPath,
    rawQuery,
    query: toQuery(rawQuery),
    headers,
    host,
    scheme: origin?.scheme ?? (url.startsWith("https:") ? "https" : "http"),
    address: origin?.address,
    body: request.body,
    client: request,
  };
}

function parseTarget(rawPath: string, virtual: string | undefined): Target {
  const path = decodePercent(rawPath.slice(1));
  if (virtual !== undefined) return targetOf(virtual, path);
  if (path === "") return { on: "service" };
  // Cut the raw text, because an encoded slash belongs to the name and not to the path.
  const slash = rawPath.indexOf("/", 1);
  if (slash < 0) return targetOf(path, "");
  return targetOf(decodePercent(rawPath.slice(1, slash)), decodePercent(rawPath.slice(slash + 1)));
}

function targetOf(bucketText: string, key: string): Target {
  const bucket = parseBucketName(bucketText);
  return key === "" ? { on: "bucket", bucket } : { on: "object", bucket, key: parseObjectKey(key) };
}

/**
 * Splits and decodes a query string, in which `+` is a space.
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

/** A decoded query parameter; without `=` it has no value. */
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
 * Decodes percent-encoded text, which must be UTF-8.
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
