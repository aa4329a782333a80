/**
 * Tags of objects.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 * @module
 */

import { S3Error } from "./errors.ts";
import { parseQuery } from "./request.ts";

/** Maximum number of tags of one object. */
export const MAX_TAGS = 10;
const MAX_KEY = 128;
const MAX_VALUE = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/**
 * Parses the tags in an `x-amz-tagging` header, which is encoded like a query.
 *
 * @throws S3Error `InvalidArgument`, `InvalidTag`, `BadRequest` for too many
 *
 * @example Usage
 * ```ts
 * import { parseTagging } from "./tagging.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(parseTagging("a=1&b+c=%C3%A9"), { a: "1", "b c": "é" });
 * ```
 */
export function parseTagging(header: string): Readonly<Record<string, string>> {
  const pairs = header.split("&").filter((pair) => pair !== "");
  const tags = decodePairs(header);
  if (tags.size < pairs.length) throw malformed(header);
  checkTags([...tags]);
  return Object.fromEntries(tags);
}

function decodePairs(header: string): ReadonlyMap<string, string> {
  try {
    return parseQuery(header);
  } catch (cause) {
    throw malformed(header, cause);
  }
}

function malformed(header: string, cause?: unknown): S3Error {
  return new S3Error("InvalidArgument", {
    ArgumentName: "x-amz-tagging",
    ArgumentValue: header,
  }, {
    message:
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    cause,
  });
}

/**
 * Checks the limits of an object's tags.
 *
 * @throws S3Error `InvalidTag`, `BadRequest` for too many
 */
export function checkTags(tags: readonly (readonly [key: string, value: string])[]): void {
  if (tags.length > MAX_TAGS) {
    throw new S3Error("BadRequest", {}, {
      message: `Object tags cannot be greater than ${MAX_TAGS}`,
    });
  }
  for (const [key, value] of tags) {
    if (key === "" || key.length > MAX_KEY || !ALLOWED.test(key) || /^aws:/i.test(key)) {
      throw new S3Error("InvalidTag", { TagKey: key }, {
        message: "The TagKey you have provided is invalid",
      });
    }
    if (value.length > MAX_VALUE || !ALLOWED.test(value)) {
      throw new S3Error("InvalidTag", { TagKey: key, TagValue: value }, {
        message: "The TagValue you have provided is invalid",
      });
    }
  }
}
