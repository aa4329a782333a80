/**
 * The response headers that say when an object expires and an upload is aborted.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
 *
 * They only inform: if the configuration cannot be read, they are absent.
 * @module
 */

import { BoundedCache } from "../../collections/bounded_cache.ts";
import {
  abortHeaders,
  expiryOfObject,
  expiryOfUpload,
  formatExpiration,
  LIFECYCLE_DAY,
  type LifecycleRule,
} from "../../s3/lifecycle.ts";
import { parseKeptLifecycle } from "../../s3/lifecycle_document.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import type { Store } from "../../store/store.ts";

/** Characters of the configurations that are kept in parsed form. */
const MAX_KEPT = 4 * 1024 * 1024;

type Rules = readonly LifecycleRule[];

/** The lifecycle rules of all buckets, parsed once for as long as they do not change. */
export class Lifecycles {
  readonly #store: Pick<Store, "knownDocument" | "readDocument">;
  readonly #day: number;
  readonly #parsed = new BoundedCache<Rules>(MAX_KEPT);

  /** @param day Milliseconds of a day. */
  constructor(
    store: Pick<Store, "knownDocument" | "readDocument">,
    day: number = LIFECYCLE_DAY,
  ) {
    this.#store = store;
    this.#day = day;
  }

  /** Returns the rules of a bucket; none if they cannot be read. In most cases there is nothing to wait for. */
  rulesOf(bucket: BucketName): Rules | Promise<Rules> {
    const known = this.#store.knownDocument(bucket, "lifecycle");
    if (known === null) return NO_RULES;
    if (known !== undefined) return this.#parse(known);
    return this.#store.readDocument(bucket, "lifecycle").then(
      (text) => text === undefined ? NO_RULES : this.#parse(text),
      () => NO_RULES,
    );
  }

  /** Returns the value of `x-amz-expiration` for the current version of an object; undefined for none. */
  expirationOf(
    rules: Rules,
    { key, size, modified, properties }: Pick<
      ObjectInfo,
      "key" | "size" | "modified" | "properties"
    >,
  ): string | undefined {
    if (rules.length === 0) return undefined;
    const tags = new Map(Object.entries(properties.tags));
    const expiry = expiryOfObject(rules, { key, size, tags }, modified, this.#day);
    return expiry && formatExpiration(expiry);
  }

  /** Returns the headers that say when an upload is aborted. */
  abortOf(rules: Rules, key: ObjectKey, initiated: Date): Readonly<Record<string, string>> {
    return abortHeaders(expiryOfUpload(rules, key, initiated, this.#day));
  }

  #parse(text: string): Rules {
    const known = this.#parsed.get(text);
    if (known !== undefined) return known;
    let rules: Rules;
    try {
      rules = parseKeptLifecycle(text).rules.filter(({ isEnabled }) => isEnabled);
    } catch {
      rules = NO_RULES; // somebody else wrote it
    }
    this.#parsed.set(text, rules, text.length);
    return rules;
  }
}

const NO_RULES: Rules = [];

/** What {@linkcode expirationHeader} needs of a call. */
type ExpiringCall = {
  readonly target: { readonly bucket: BucketName };
  readonly lifecycles?: Lifecycles | undefined;
};

/** Returns the header of the object that a request wrote, which is the current version. */
export function expirationHeader(
  { target: { bucket }, lifecycles }: ExpiringCall,
  info: ObjectInfo,
): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>> {
  const rules = lifecycles?.rulesOf(bucket);
  if (lifecycles === undefined || rules === undefined) return NONE;
  return rules instanceof Promise
    ? rules.then((rules) => headerOf(lifecycles.expirationOf(rules, info)))
    : headerOf(lifecycles.expirationOf(rules, info));
}

const NONE: Readonly<Record<string, string>> = {};

function headerOf(value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? NONE : { "x-amz-expiration": value };
}

/**
 * Adds the header to the response to a read.
 *
 * @param isNamed The request names a version, which may not be the current one; then there is no header.
 */
export function addExpiration(
  response: Response,
  call: ExpiringCall,
  info: ObjectInfo,
  isNamed: boolean,
): Response | Promise<Response> {
  const headers = isNamed ? NONE : expirationHeader(call, info);
  if (headers instanceof Promise) return headers.then((headers) => withHeader(response, headers));
  return withHeader(response, headers);
}

function withHeader(response: Response, headers: Readonly<Record<string, string>>): Response {
  const value = headers["x-amz-expiration"];
  if (value !== undefined) response.headers.set("x-amz-expiration", value);
  return response;
}
