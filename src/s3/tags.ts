/**
 * Tags of objects and buckets: texts by key, in a header or in an XML document.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html
 *
 * Keys and values are case sensitive. AWS counts their length in UTF-16. Tag sets are written in the order of their keys.
 * @module
 */

import { S3Error } from "./errors.ts";
import { compareUtf8 } from "./key_order.ts";
import { parseQueryPairs, type QueryPair } from "./request.ts";
import { formatXml, type XmlValue } from "./xml.ts";
import { childrenOf, parseXml, textOf, type XmlElement } from "./xml_reader.ts";

/** Values of tags by key. */
export type TagSet = ReadonlyMap<string, string>;

/** What AWS accepts as the tags of one resource, and says about tags that it refuses. */
export type TagRules = {
  /** Maximum number of tags. */
  readonly max: number;
  readonly tooMany: string;
  readonly reserved: string;
  /** What S3 Control says of other mistakes, without naming the tag. */
  readonly control?: { readonly duplicate: string; readonly invalid: string };
};

/** The tags of an object. */
export const OBJECT_TAGS: TagRules = {
  max: 10,
  tooMany: "Object tags cannot be greater than 10",
  reserved: "Your TagKey cannot be prefixed with aws:",
};

/** The tags of a bucket. */
export const BUCKET_TAGS: TagRules = {
  max: 50,
  tooMany: "Bucket tag count cannot be greater than 50",
  reserved: "System tags cannot be added/updated by requester",
};

/** The tags that a bucket is created with. */
export const NEW_BUCKET_TAGS: TagRules = {
  ...BUCKET_TAGS,
  reserved:
    'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.',
};

/** The tags that S3 Control adds to those of a bucket. */
export const RESOURCE_TAGS: TagRules = {
  max: BUCKET_TAGS.max,
  tooMany: "The number of tags exceeds the limit of 50 tags.",
  reserved: NEW_BUCKET_TAGS.reserved,
  control: {
    duplicate:
      "There are duplicate tag keys in your request. Remove the duplicate tag keys and try again.",
    invalid:
      "This request contains a tag key or value that isn't valid. Valid characters include the following: [a-zA-Z+-=._:/]. Tag keys can contain up to 128 characters. Tag values can contain up to 256 characters.",
  },
};

/** Maximum size of a document, in bytes: 50 of the longest tags need 61 KB. */
export const MAX_TAGS_BYTES: number = 64 * 1024;
/** Maximum number of XML tags in a document: the smallest tags that fill it. */
const MAX_XML_TAGS = 20_000;
/** Maximum length of a key and of a value, in UTF-16 code units. */
const MAX_KEY = 128;
const MAX_VALUE = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const RESERVED = "aws:";

/**
 * Parses the tags in an `x-amz-tagging` header, which is encoded like a query.
 *
 * @throws S3Error `InvalidArgument`, `InvalidTag`, `BadRequest` for too many
 *
 * @example Usage
 * ```ts
 * import { parseTagging } from "./tags.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(parseTagging("a=1&b+c=%C3%A9"), { a: "1", "b c": "é" });
 * ```
 */
export function parseTagging(header: string): Readonly<Record<string, string>> {
  const tags = new Map<string, string>();
  for (const { name, value = "" } of decodePairs(header)) {
    if (name === "" || tags.has(name)) throw malformed(header);
    tags.set(name, value);
  }
  checkTags(tags, OBJECT_TAGS);
  return Object.fromEntries(tags); // an assignment to "__proto__" would be lost
}

function decodePairs(header: string): readonly QueryPair[] {
  try {
    return parseQueryPairs(header);
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
 * Parses a `Tagging` document, the body of PutObjectTagging and PutBucketTagging.
 *
 * @throws S3Error `MalformedXML`, `InvalidTag`, `BadRequest` for too many
 *
 * @example Usage
 * ```ts
 * import { BUCKET_TAGS, formatTagging, parseTagSet } from "./tags.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const tags = new Map([["a", "1"], ["b", ""]]);
 * deepStrictEqual(parseTagSet(formatTagging(tags), BUCKET_TAGS), tags);
 * ```
 */
export function parseTagSet(text: string, rules: TagRules): TagSet {
  const root = parseXml(text, "Tagging", MAX_XML_TAGS);
  const [list, ...others] = root.children;
  if (list?.name !== "TagSet" || others.length > 0) throw new S3Error("MalformedXML");
  return parseTags(list, rules);
}

/**
 * Parses a `TagResourceRequest` document, the body of TagResource of S3 Control.
 *
 * @throws S3Error `MissingRequestBodyError`, `MalformedXML`, `InvalidTag`, `TooManyTags`
 */
export function parseTagRequest(text: string): TagSet {
  if (text === "") throw new S3Error("MissingRequestBodyError");
  const root = parseXml(text, "TagResourceRequest", MAX_XML_TAGS);
  const [list, ...others] = root.children;
  if (others.length > 0 || list !== undefined && list.name !== "Tags") {
    throw new S3Error("MalformedXML");
  }
  const tags = list === undefined ? undefined : parseTags(list, RESOURCE_TAGS);
  if (tags === undefined || tags.size === 0) throw noTag();
  return tags;
}

/**
 * Checks the keys of tags that UntagResource of S3 Control removes.
 *
 * @throws S3Error `InvalidTag`
 */
export function checkTagKeys(keys: readonly string[]): void {
  const { max, control } = RESOURCE_TAGS;
  if (keys.length === 0) throw noTag();
  if (keys.length > max || keys.some((key) => !isTagKey(key))) {
    throw new S3Error("InvalidTag", {}, { message: control?.invalid ?? "" });
  }
  if (new Set(keys).size < keys.length) {
    throw new S3Error("InvalidTag", {}, { message: "Duplicate tag keys are not supported." });
  }
}

function noTag(): S3Error {
  return new S3Error("InvalidTag", {}, { message: "At least one tag is required." });
}

function isTagKey(key: string): boolean {
  return key !== "" && key.length <= MAX_KEY && ALLOWED.test(key);
}

/**
 * Parses the `Tag` elements of an element that contains nothing else, such as `TagSet` or `Tags`.
 *
 * @throws S3Error `MalformedXML`, `InvalidTag`, `BadRequest` for too many
 */
export function parseTags(list: XmlElement, rules: TagRules): TagSet {
  const elements = childrenOf(list, "Tag");
  if (elements.length !== list.children.length || list.text.trim() !== "") {
    throw new S3Error("MalformedXML");
  }
  if (elements.length > rules.max) throw tooMany(rules);
  const tags = new Map<string, string>();
  for (const element of elements) {
    const [key, value] = [textOf(element, "Key"), textOf(element, "Value")];
    if (element.children.length > 2) throw new S3Error("MalformedXML");
    if (tags.has(key)) {
      const message = rules.control?.duplicate ?? "Cannot provide multiple Tags with the same key";
      throw invalid(message, { TagKey: key }, rules);
    }
    tags.set(key, value);
  }
  checkTags(tags, rules);
  return tags;
}

/**
 * Checks the limits of tags.
 *
 * @throws S3Error `InvalidTag`, `BadRequest` for too many
 */
export function checkTags(tags: TagSet, rules: TagRules): void {
  if (tags.size > rules.max) throw tooMany(rules);
  for (const [key, value] of tags) {
    if (key.slice(0, RESERVED.length).toLowerCase() === RESERVED) {
      throw invalid(rules.reserved, { TagKey: key }, rules);
    }
    if (!isTagKey(key)) {
      const message = rules.control?.invalid ?? "The TagKey you have provided is invalid";
      throw invalid(message, { TagKey: key }, rules);
    }
    if (value.length > MAX_VALUE || !ALLOWED.test(value)) {
      const message = rules.control?.invalid ?? "The TagValue you have provided is invalid";
      throw invalid(message, { TagKey: key, TagValue: value }, rules);
    }
  }
}

function tooMany({ tooMany: message, control }: TagRules): S3Error {
  return new S3Error(control === undefined ? "BadRequest" : "TooManyTags", {}, { message });
}

function invalid(
  message: string,
  fields: Readonly<Record<string, string>>,
  { control }: TagRules,
): S3Error {
  return new S3Error("InvalidTag", control === undefined ? fields : {}, { message });
}

/** Returns tags as the content of `TagSet` or `Tags`, in the order of their keys. */
export function tagElements(tags: TagSet): XmlValue {
  const sorted = [...tags].sort(([a], [b]) => compareUtf8(a, b));
  return { Tag: sorted.map(([Key, Value]) => ({ Key, Value })) };
}

/** Returns a `Tagging` document, as GetBucketTagging returns it. */
export function formatTagging(tags: TagSet): string {
  return formatXml("Tagging", { TagSet: tagElements(tags) });
}
