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
  return parseParts(request, origin, (rawPath, host, headers) => {
    const virtual = virtualBucket(host, domains);
    const claimed = rawPath.startsWith(CONTROL_PREFIX)
      ? claimedAccount({ host, headers, virtual }, account)
      : undefined;
    if (claimed === undefined) return parseTarget(rawPath, virtual);
    return { on: "account", ...claimed, path: decodePercent(rawPath.slice(CONTROL_PREFIX.length)) };
  });
}

/**
 * Parses a request to a web site: the whole path is the key.
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
  );
  return { ...parts, isSite: true };
}

function parseParts(
  request: Request,
  origin: Origin | undefined,
  toTarget: (rawPath: string, host: string, headers: RequestHeaders) => Target,
): S3Request {
  const { url } = request;
  const headers = readHeaders(request.headers);
  const start = url.indexOf("://") + 3;
  const end = endOfAuthority(url, start);
  const sent = hostOf(url.slice(start, end), headers.get("host"));
  const host = origin?.host ?? sent;
  if (INVALID_HOST.test(host)) throw invalidHost();

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
    query: parseQuery(rawQuery),
    headers,
    host,
    scheme: origin?.scheme ?? (url.startsWith("https:") ? "https" : "http"),
    address: origin?.address,
    body: request.body,
    client: request,
  };
}

const INVALID_HOST = /[/?#@\\\s]/;

/**
 * Returns the host that our direct peer sent, after a check that path and query begin behind it.
 *
 * The runtime puts Host before the target without a check, so a Host that contains a slash would forge the path. In HTTP/2
 * and in the absolute form of a target, the URL has an authority of its own, which must be the same.
 *
 * @param authority The authority of the request's URL.
 * @param header The Host header; HTTP/2 and HTTP/1.0 need not have one.
 */
function hostOf(authority: string, header: string | null): string {
  const host = header ?? authority;
  // For an empty Host the runtime takes the address that it listens on.
  const isSame = host === authority || host === "" ||
    host.toLowerCase() === authority.toLowerCase();
  if (!isSame || INVALID_HOST.test(host)) throw invalidHost();
  return host;
}

function invalidHost(): S3Error {
  return new S3Error("InvalidRequest", {}, { message: "Host header is not valid" });
}

function endOfAuthority(url: string, from: number): number {
  const end = url.slice(from).search(/[/?#]/);
  return end < 0 ? url.length : from + end;
}

/** Returns the bucket that a Host names; undefined for path style. */
export function virtualBucket(host: string, domains: readonly string[]): string | undefined {
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
