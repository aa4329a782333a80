/**
 * Web sites: reads of public buckets by browsers, with index and error documents, redirects and HTML errors.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
 *
 * A site knows no users: every visitor is anonymous, and GET and HEAD are its only methods. As on AWS, a missing object of
 * a public bucket is a 404, although the S3 API would not tell. Of a bucket that is not public, AWS tells visitors which
 * keys are missing; here everything is a 403.
 * @module
 */

import type { Authorize } from "../access/authorize.ts";
import { ANONYMOUS } from "../auth/identity.ts";
import type { Cors } from "../http/cors.ts";
import type { Exchange } from "../http/exchange.ts";
import { createExchangeHandler } from "../http/exchange_handler.ts";
import type { ExchangeServices, Handler } from "../http/exchange_services.ts";
import { createParsedReader } from "../http/parsed_documents.ts";
import { S3Error } from "../s3/errors.ts";
import { parseSiteRequest, type S3Request } from "../s3/request.ts";
import { parseWebsite, type Website } from "../s3/website.ts";
import type { Store } from "../store/store.ts";
import { workFor } from "../streams/clients_work.ts";
import { errorPage } from "./error_page.ts";
import { createSiteBucket } from "./hosts.ts";
import { redirect, visitPage } from "./page.ts";

/** The services of sites. */
export type WebsiteServices = Omit<ExchangeServices, "renderError"> & {
  readonly store: Pick<Store, "getObject" | "readObject">;
  /** Reads for callers whom nobody knows (`access/strangers.ts`). */
  readonly reads: Pick<Store, "readDocument">;
  readonly authorize: Authorize;
  readonly cors: Cors;
  /** Hosts below which each bucket has a host of its own. */
  readonly domains: readonly string[];
};

/** The operations of sites, as metrics and logs name them. */
const OPERATIONS: Readonly<Record<string, string>> = { GET: "WebsiteGet", HEAD: "WebsiteHead" };

/** Creates the handler of sites. */
export function createWebsiteHandler(services: WebsiteServices): Handler {
  const bucketOf = createSiteBucket(services.domains);
  const websiteOf = createParsedReader(services.reads, "website", parseWebsite);
  return createExchangeHandler({ ...services, renderError: errorPage }, async (exchange) => {
    const refused = exchange.identify(ANONYMOUS);
    if (refused !== undefined) return refused;
    let request: S3Request;
    try {
      request = parseSiteRequest(exchange.request, bucketOf, exchange.origin);
    } catch (cause) {
      return exchange.fail(cause);
    }
    exchange.nameTarget(request);
    const response = await respond(exchange, request, services, websiteOf);
    if (request.headers.has("origin")) await services.cors.addHeaders(request, response);
    return response;
  });
}

async function respond(
  exchange: Exchange,
  request: S3Request,
  services: WebsiteServices,
  websiteOf: ReturnType<typeof createParsedReader<Website>>,
): Promise<Response> {
  const { method, target } = request;
  try {
    if (method === "OPTIONS") return await services.cors.preflight(request);
    const operation = Object.hasOwn(OPERATIONS, method) ? OPERATIONS[method] : undefined;
    if (operation === undefined) throw methodNotAllowed(method);
    exchange.record.operation = operation;
    if (!("bucket" in target)) throw new S3Error("NoSuchBucket");
    const { bucket } = target;
    const website = await websiteOf(bucket);
    if (website === undefined) {
      throw new S3Error("NoSuchWebsiteConfiguration", { BucketName: bucket });
    }
    if (website.kind === "redirect") return redirectAll(request, website);
    const key = target.on === "object" ? target.key : "";
    const { store, authorize } = services;
    const visit = { exchange, request, bucket, key, store, authorize };
    return await workFor(exchange.client, visitPage, visit, website);
  } catch (cause) {
    return exchange.fail(cause);
  }
}

function methodNotAllowed(method: string): S3Error {
  return new S3Error("MethodNotAllowed", { Method: method, ResourceType: "OBJECT" }, {
    headers: { "allow": "GET, HEAD, OPTIONS" },
  });
}

/** Sends the visitor to the same path and query of another host. */
function redirectAll(
  { scheme, rawPath, rawQuery }: S3Request,
  { host, protocol = scheme }: Extract<Website, { readonly kind: "redirect" }>,
): Response {
  const query = rawQuery === "" ? "" : `?${rawQuery}`;
  return redirect(301, `${protocol}://${host}${rawPath}${query}`);
}
