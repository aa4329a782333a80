/**
 * The bucket whose site a host serves.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/website-hosting-custom-domain-walkthrough.html
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { virtualBucket } from "../s3/request_host.ts";

/** Browsers resolve every host below it to the machine itself (RFC 6761, section 6.3). */
const LOCAL = "localhost";

/** Returns the name of the bucket whose site a host serves. */
export type SiteBucket = (host: string) => string;

/**
 * Creates the function. A host below a domain or below `localhost` names its bucket in front; any other host is the name
 * of the bucket itself, as AWS serves domains of one's own. The function throws `NoSuchBucket` for an address and for
 * `localhost`.
 *
 * @param domains Hosts below which each bucket has a host of its own, lower case and without port.
 *
 * @example Usage
 * ```ts
 * import { createSiteBucket } from "./hosts.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const bucketOf = createSiteBucket(["web.example.com"]);
 * strictEqual(bucketOf("photos.web.example.com:8081"), "photos");
 * strictEqual(bucketOf("photos.localhost:8081"), "photos");
 * strictEqual(bucketOf("www.example.org"), "www.example.org");
 * ```
 */
export function createSiteBucket(domains: readonly string[]): SiteBucket {
  const all = [...domains, LOCAL];
  return (host) => {
    const found = virtualBucket(host, all);
    if (found !== undefined) return found;
    const name = host.replace(/:\d*$/, "").toLowerCase();
    if (!/[a-z]/.test(name) || name.startsWith("[") || all.includes(name)) {
      throw new S3Error("NoSuchBucket", {}, { message: "The host names no bucket" });
    }
    return name;
  };
}
