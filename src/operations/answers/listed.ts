/**
 * The elements of both versions of ListObjects and of ListObjectVersions for objects and common prefixes.
 * @module
 */

import { quoteETag } from "../../s3/etag.ts";
import type { KeyEncoding } from "../../s3/params.ts";
import { XmlElements, type XmlValue } from "../../s3/xml.ts";
import type { ListedObject, ListedVersion } from "../../store/listings.ts";
import { ownerElement } from "./owner.ts";

/** Returns the content of each `<Contents>`. */
export function contentsElements(
  objects: readonly ListedObject[],
  { encode }: KeyEncoding,
  { withOwner }: { readonly withOwner: boolean },
): XmlValue {
  return objects.map((object) => listedElement(object, encode, withOwner));
}

/** Returns a `<Version>` or a `<DeleteMarker>` for each version, in their order. */
export function versionElements(
  versions: readonly ListedVersion[],
  { encode }: KeyEncoding,
): XmlElements {
  return new XmlElements(versions.map((version) => {
    const { key, versionId, isLatest, isMarker, modified, owner } = version;
    const facts = { Key: encode(key), VersionId: versionId, IsLatest: isLatest };
    return isMarker
      ? ["DeleteMarker", { ...facts, LastModified: modified, Owner: ownerElement(owner) }]
      : ["Version", { ...facts, ...listedElement(version, encode, true) }];
  }));
}

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
