/**
 * The page that a path of a site leads to: an object, a redirect, or the site's error document.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/IndexDocumentSupport.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/CustomErrorDocSupport.html
 * @module
 */

import type { Authorize } from "../access/authorize.ts";
import { ANONYMOUS } from "../auth/identity.ts";
import type { Permissions } from "../access/request_access.ts";
import type { Exchange } from "../http/exchange.ts";
import { noteError } from "../http/error_response.ts";
import { type AnswerOf, contentResponse } from "../operations/answers/content.ts";
import {
  chooseRange,
  objectAnswer,
  type ObjectRead,
  parseObjectRead,
} from "../operations/answers/object.ts";
import { visibleInfo } from "../operations/answers/visible.ts";
import { isS3Error, type S3Error } from "../s3/errors.ts";
import { formatLocation } from "../s3/location.ts";
import { type BucketName, type ObjectKey, parseObjectKey } from "../s3/names.ts";
import type { S3Request } from "../s3/request.ts";
import { findRoute, redirectedPath, type RoutingRule, type Website } from "../s3/website.ts";
import type { ObjectContent, ObjectInfo } from "../store/objects.ts";
import type { Store } from "../store/store.ts";
import { errorHeaders, errorPage } from "./error_page.ts";

/** A request to a site, on its way. */
export type Visit = {
  readonly exchange: Exchange;
  readonly request: S3Request;
  readonly bucket: BucketName;
  /** The decoded path; "" for the root. */
  readonly key: string;
  readonly store: Pick<Store, "getObject" | "readObject">;
  readonly authorize: Authorize;
};

/** What a visitor does to each object that a page needs. */
const READ = {
  name: "GetObject",
  action: "s3:GetObject",
  everybody: true,
  seesObject: true,
} as const;

/** The configuration of a site with documents. */
export type Documents = Extract<Website, { readonly kind: "documents" }>;

/**
 * Responds with the object that a key stands for, with a redirect, or with the error document.
 *
 * @throws S3Error for an error without a document; it throws those of our own fault, too
 */
export async function visitPage(
  visit: Visit,
  { index, error, rules }: Documents,
): Promise<Response> {
  const { request, key } = visit;
  const rule = findRoute(rules, key, undefined);
  if (rule !== undefined) return follow(visit, rule);
  try {
    const isFolder = key === "" || key.endsWith("/");
    return await readObject(visit, isFolder ? key + index : key, parseObjectRead(request));
  } catch (cause) {
    if (!isS3Error(cause) || cause.status < 400) throw cause;
    if (cause.code === "NoSuchKey" && !key.endsWith("/") && await hasIndex(visit, index)) {
      return redirect(302, folderOf(request));
    }
    const rule = findRoute(rules, key, cause.status);
    if (rule !== undefined) return follow(visit, rule);
    if (error === undefined || cause.status >= 500) throw cause;
    return await readErrorDocument(visit, error, cause);
  }
}

/** Checks that everybody may read an object. */
async function authorizeRead(
  { exchange, request, bucket, authorize }: Visit,
  key: ObjectKey,
): Promise<Permissions> {
  return await authorize({
    id: exchange.record.id,
    identity: ANONYMOUS,
    operation: READ,
    request: { ...request, target: { on: "object", bucket, key } },
  });
}

/** Reads an object for everybody. A redirect is one regardless of conditions and ranges. */
async function readObject(
  visit: Visit,
  text: string,
  read: ObjectRead,
  answerOf?: AnswerOf,
): Promise<Response> {
  const { exchange, request, bucket, store } = visit;
  const key = parseObjectKey(text);
  const access = await authorizeRead(visit, key);
  const choose = (info: ObjectInfo): ObjectContent["range"] => {
    access.seen(info);
    return locationOf(info) === undefined ? chooseRange(read, info) : "nothing";
  };
  let content: ObjectContent;
  try {
    content = request.method === "HEAD"
      ? await readInfo(store, bucket, key, choose)
      : await store.getObject(bucket, key, choose);
  } catch (cause) {
    // A visitor who may read every object may know which are missing.
    throw access.isWaiting ? access.conceal(cause, bucket) : cause;
  }
  const location = locationOf(content.info);
  if (location !== undefined) return redirect(301, location);
  const info = visibleInfo(access, { on: "object", bucket, key }, content.info);
  return contentResponse(read, { ...content, info }, exchange.deliver, answerOf);
}

async function readInfo(
  store: Visit["store"],
  bucket: BucketName,
  key: ObjectKey,
  choose: (info: ObjectInfo) => ObjectContent["range"],
): Promise<ObjectContent> {
  const info = await store.readObject(bucket, key);
  return { info, range: choose(info), body: null };
}

function locationOf({ properties }: ObjectInfo): string | undefined {
  return properties.system.websiteRedirect;
}

/** Returns whether a folder has an index that everybody may read. */
async function hasIndex(visit: Visit, index: string): Promise<boolean> {
  try {
    const key = parseObjectKey(`${visit.key}/${index}`);
    const access = await authorizeRead(visit, key);
    access.seen(await visit.store.readObject(visit.bucket, key));
    return true;
  } catch (cause) {
    if (isS3Error(cause, "NoSuchKey", "KeyTooLongError", "AccessDenied")) return false;
    throw cause;
  }
}

/** Returns the URL of a folder. A path with two slashes in front would name another host. */
function folderOf({ scheme, host, rawPath }: S3Request): string {
  return rawPath.startsWith("//") ? `${scheme}://${host}${rawPath}/` : `${rawPath}/`;
}

/** Responds with the error document, under the status of the error. */
async function readErrorDocument(visit: Visit, key: string, error: S3Error): Promise<Response> {
  const { exchange } = visit;
  try {
    const response = await readObject(visit, key, WHOLE, (read, info, range) => {
      const { headers } = objectAnswer(read, info, range);
      for (const name of ["etag", "last-modified", "accept-ranges"]) delete headers[name];
      return { status: error.status, headers: { ...headers, ...errorHeaders(error) } };
    });
    // A document that redirects is none.
    if (response.status !== error.status) throw error;
    noteError(error, exchange);
    return response;
  } catch (cause) {
    if (!isS3Error(cause) || cause.status >= 500) throw cause;
    const second = cause === error ? undefined : cause;
    return exchange.fail(error, (error, failed) => errorPage(error, failed, second));
  }
}

/** Reads a whole object without conditions. */
const WHOLE: ObjectRead = {
  versionId: undefined,
  precondition: {},
  range: null,
  ifRange: null,
  partNumber: undefined,
  withChecksum: false,
  overrides: [],
};

function follow({ request, key }: Visit, rule: RoutingRule): Response {
  const { protocol = request.scheme, host = request.host, status } = rule.redirect;
  return redirect(status, `${protocol}://${host}${redirectedPath(rule, key)}`);
}

/** Returns a redirect without a body. */
export function redirect(status: number, location: string): Response {
  return new Response(null, {
    status,
    headers: { "location": formatLocation(location), "content-length": "0" },
  });
}
