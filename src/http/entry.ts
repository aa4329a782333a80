/**
 * Chooses the door through which a request enters, before authentication asks who is calling.
 * @module
 */

import type { TrustedProxies } from "../s3/forwarded.ts";
import type { S3Request } from "../s3/request.ts";
import { hostOfUrl, virtualBucket } from "../s3/request_host.ts";
import { isSubResource } from "../s3/subresources.ts";
import type { Handler } from "./exchange_services.ts";

/**
 * The doors: operations of S3 and S3 Control; preflights, which browsers send unsigned; forms (PostObject), which carry
 * their signature in their body; and the query APIs of STS and IAM, which speak another protocol at the root.
 */
export type Door = "s3" | "preflight" | "form" | "query";

/** Chooses the door of a request. */
export function chooseDoor(
  { method, target, query, headers }: Pick<S3Request, "method" | "target" | "query" | "headers">,
): Door {
  if (method === "OPTIONS") return "preflight";
  if (target.on === "service") return isQuery({ method, query, headers }) ? "query" : "s3";
  if (method !== "POST" || target.on !== "bucket" || headers.has("authorization")) return "s3";
  const isForm = headers.get("content-type")?.toLowerCase().startsWith("multipart/form-data");
  return isForm === true && ![...query.keys()].some(isSubResource) ? "form" : "s3";
}

/** Returns whether a request at the root names its operation in its query or in a form, as no request of S3 does. */
function isQuery(
  { method, query, headers }: Pick<S3Request, "method" | "query" | "headers">,
): boolean {
  if (method === "GET") return query.has("Action");
  const type = headers.get("content-type")?.toLowerCase();
  return method === "POST" && type?.startsWith("application/x-www-form-urlencoded") === true;
}

/** The handlers behind the port of S3. */
export type Entry = {
  readonly s3: Handler;
  readonly sites: Handler;
  /** Hosts below which each bucket's web site has a host of its own. */
  readonly siteDomains: readonly string[];
  readonly proxies: TrustedProxies | undefined;
};

/** Creates the handler of the port of S3, which passes the requests to the hosts of web sites on to theirs. */
export function createEntry({ s3, sites, siteDomains, proxies }: Entry): Handler {
  if (siteDomains.length === 0) return s3;
  return (request, info) => {
    const peer = info?.remoteAddr?.hostname;
    const host = proxies?.originOf(peer, request.headers).host ?? hostOfUrl(request.url);
    return virtualBucket(host, siteDomains) === undefined
      ? s3(request, info)
      : sites(request, info);
  };
}
