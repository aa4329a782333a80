/**
 * The source of a rename, and the conditions on both of its ends.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
 * @module
 */

import { failedRead, parseReadPrecondition, type ReadPrecondition } from "./conditions.ts";
import { S3Error } from "./errors.ts";
import { decodeHeaderText } from "./header_text.ts";
import { type BucketName, type ObjectKey, parseObjectKey } from "./names.ts";
import { decodePercent } from "./request.ts";
import type { RequestHeaders } from "./request_headers.ts";

/** The conditions of a rename. */
export type RenamePrecondition = {
  readonly source: ReadPrecondition;
  readonly destination: ReadPrecondition;
};

/** Facts of a destination that conditions compare; undefined where the object cannot be read. */
type Destination = { readonly etag: string | undefined; readonly modified: Date | undefined };

/** Parses the conditions of a rename. Those without a prefix are about the destination. */
export function parseRenamePrecondition(headers: RequestHeaders): RenamePrecondition {
  return {
    source: parseReadPrecondition(headers, "x-amz-rename-source-"),
    destination: parseReadPrecondition(headers),
  };
}

/**
 * Checks the conditions of a rename. A missing destination fails If-Match and If-Modified-Since, which ask for one. One
 * that cannot be read exists, and only `*` matches it.
 *
 * @param destination Undefined if there is no object.
 * @throws S3Error `PreconditionFailed`
 *
 * @example Usage
 * ```ts
 * import { checkRename } from "./rename.ts";
 * import { throws } from "node:assert/strict";
 *
 * const object = { etag: "a", modified: new Date(0) };
 * checkRename({ source: {}, destination: { ifNoneMatch: "*" } }, object, undefined);
 * throws(() => checkRename({ source: {}, destination: { ifNoneMatch: "*" } }, object, object), {
 *   code: "PreconditionFailed",
 * });
 * ```
 */
export function checkRename(
  precondition: RenamePrecondition,
  source: { readonly etag: string; readonly modified: Date },
  destination: Destination | undefined,
): void {
  const ofSource = failedRead(precondition.source, source);
  if (ofSource !== undefined) {
    throw new S3Error("PreconditionFailed", { Condition: `x-amz-rename-source-${ofSource}` });
  }
  const failed = failedDestination(precondition.destination, destination);
  if (failed !== undefined) throw new S3Error("PreconditionFailed", { Condition: failed });
}

function failedDestination(
  precondition: ReadPrecondition,
  destination: Destination | undefined,
): string | undefined {
  const { ifMatch, ifModifiedSince, ifNoneMatch, ifUnmodifiedSince } = precondition;
  if (destination === undefined) {
    if (ifMatch !== undefined) return "If-Match";
    return ifNoneMatch === undefined && ifModifiedSince !== undefined
      ? "If-Modified-Since"
      : undefined;
  }
  const { etag, modified } = destination;
  if (etag !== undefined && modified !== undefined) {
    return failedRead(precondition, { etag, modified });
  }
  if (ifMatch !== undefined ? ifMatch !== "*" : ifUnmodifiedSince !== undefined) return "If-Match";
  return ifNoneMatch === "*" || ifModifiedSince !== undefined ? "If-None-Match" : undefined;
}

/**
 * Parses `x-amz-rename-source`: the keys that it may mean, in the order in which they are tried.
 *
 * AWS's pages show the key alone, the key behind a slash, and the key behind the bucket's name. A key may itself begin with
 * either, so the text as it stands comes first.
 *
 * @throws S3Error `InvalidRequest` without the header and for keys that end with a slash; `InvalidArgument`,
 * `KeyTooLongError`
 *
 * @example Usage
 * ```ts
 * import { parseRenameSource } from "./rename.ts";
 * import type { BucketName } from "./names.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const bucket = "photos" as BucketName;
 * deepStrictEqual(parseRenameSource("a%20b", bucket), ["a b"]);
 * deepStrictEqual(parseRenameSource("/photos/a", bucket), ["/photos/a", "photos/a", "a"]);
 * ```
 */
export function parseRenameSource(
  header: string | null,
  bucket: BucketName,
): readonly [ObjectKey, ...ObjectKey[]] {
  if (header === null || header === "") {
    throw new S3Error("InvalidRequest", {}, {
      message: "Missing required header for this request: x-amz-rename-source",
    });
  }
  const raw = decodeHeaderText(header);
  let text: string;
  try {
    text = decodePercent(raw);
  } catch (cause) {
    throw new S3Error("InvalidArgument", {
      ArgumentName: "x-amz-rename-source",
      ArgumentValue: raw,
    }, { cause });
  }
  refuseFolder(text);
  const bare = text.startsWith("/") ? text.slice(1) : text;
  const others = [...(bare === text ? [] : [bare])];
  if (bare.startsWith(`${bucket}/`)) others.push(bare.slice(bucket.length + 1));
  return [parseObjectKey(text), ...others.map((key) => parseObjectKey(key))];
}

/**
 * Refuses a key that ends with a slash, as AWS does.
 *
 * @throws S3Error `InvalidRequest`
 */
export function refuseFolder(key: string): void {
  if (!key.endsWith("/")) return;
  throw new S3Error("InvalidRequest", { Key: key }, {
    message: "RenameObject does not rename objects whose keys end with a slash.",
  });
}

/** 1 to 64 printable characters of ASCII. */
const TOKEN = /^[!-~]{1,64}$/;

/**
 * Parses `x-amz-client-token`, by which a repeated request is recognised.
 *
 * @throws S3Error `InvalidArgument`
 */
export function parseClientToken(token: string | null): string | undefined {
  if (token === null || TOKEN.test(token)) return token ?? undefined;
  throw new S3Error("InvalidArgument", {
    ArgumentName: "x-amz-client-token",
    ArgumentValue: decodeHeaderText(token),
  }, { message: "A client token has 1 to 64 printable ASCII characters." });
}
