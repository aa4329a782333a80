/**
 * The elements of both versions of ListObjects and of ListObjectVersions for objects and common prefixes.
 * @module
 */

import { quoteETag } from "../../s3/etag.ts";
import type { KeyEncoding } from "../../s3/params.ts";
import type { XmlValue } from "../../s3/xml.ts";
import type { ListedObject } from "../../store/listings.ts";
import { ownerElement } from "./owner.ts";

/** Returns the content of each `<Contents>`. */
export function contentsElements(
  objects: readonly ListedObject[],
  { encode }: KeyEncoding,
  { withOwner }: { readonly withOwner: boolean },
): XmlValue {
  return objects.map((object) => listedElement(object, encode, withOwner));
}

/** Returns the content of each `<Version>`: each object is the latest version of its key, and the only one. */
export function versionElements(
  objects: readonly ListedObject[],
  { encode }: KeyEncoding,
): XmlValue {
  return objects.map((object) => ({
    VersionId: NULL_VERSION,
    IsLatest: true,
    ...listedElement(object, encode, true),
  }));
}

/** The version id of an object that was written without versioning. */
export const NULL_VERSION = "null";

function listedElement(
  { key, modified, etag, checksum, size, owner, storageClass }: ListedObject,
  encode: KeyEncoding["encode"],
  withOwner: boolean,
): { readonly [name: string]: XmlValue } {
  return {
    Key: encode(key),
    LastModified: modified,
    ETag: quoteETag(etag),
    ChecksumAlgorithm: checksum?.algorithm,
    ChecksumType: checksum?.type,
    Size: size,
    Owner: withOwner ? ownerElement(owner) : undefined,
    StorageClass: storageClass ?? "STANDARD",
  };
}

/** Returns the content of each `<CommonPrefixes>`. */
export function commonPrefixElements(
  commonPrefixes: readonly string[],
  { encode }: KeyEncoding,
): XmlValue {
  return commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) }));
}
