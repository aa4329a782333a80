/**
 * The host to which a request was sent, and the bucket that it names in virtual-host style.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 * @module
 */

import { S3Error } from "./errors.ts";

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
export function hostOf(authority: string, header: string | null): string {
  const host = header ?? authority;
  // For an empty Host the runtime takes the address that it listens on.
  const isSame = host === authority || host === "" ||
    host.toLowerCase() === authority.toLowerCase();
  if (!isSame || INVALID_HOST.test(host)) throw invalidHost();
  return host;
}

/**
 * Returns a host that a URL can have.
 *
 * @throws S3Error `InvalidRequest`
 */
export function checkHost(host: string): string {
  if (INVALID_HOST.test(host)) throw invalidHost();
  return host;
}

function invalidHost(): S3Error {
  return new S3Error("InvalidRequest", {}, { message: "Host header is not valid" });
}

/** Returns the host of a URL, with its port. */
export function hostOfUrl(url: string): string {
  const start = url.indexOf("://") + 3;
  return url.slice(start, endOfAuthority(url, start));
}

/** Returns the index behind the authority of a URL that begins at an index. */
export function endOfAuthority(url: string, from: number): number {
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
