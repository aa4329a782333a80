/**
 * ListObjectVersions: lists the versions of a bucket's objects, and their delete markers. Without versioning, each object is
 * the version `null` of its key, and there are no delete markers.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 *
 * A page begins after `key-marker`, or with `version-id-marker` after that version of that key. As on AWS, versions and delete
 * markers stand in one order, and a page that ends with a common prefix has no `NextVersionIdMarker`.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { afterMarker } from "../s3/listing.ts";
import { encodingParam, integerParam, type KeyEncoding, prefixParam } from "../s3/params.ts";
import type { Query } from "../s3/request.ts";
import { parseVersionMarker } from "../s3/version_listing.ts";
import { xmlResponse } from "../s3/xml.ts";
import type { VersionQuery } from "../store/listings.ts";
import { commonPrefixElements, versionElements } from "./answers/listed.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

type Input = {
  readonly list: VersionQuery;
  readonly encoding: KeyEncoding;
  /** As sent, because the response repeats it. */
  readonly keyMarker: string;
};

export const listObjectVersions: Operation<"bucket"> = definePublicOperation<"bucket", Input>({
  name: "ListObjectVersions",
  on: "bucket",
  method: "GET",
  query: ["versions"],
  heavy: true,
  action: "s3:ListBucketVersions",

  parse({ query }) {
    const keyMarker = query.get("key-marker") ?? "";
    const items = { prefix: prefixParam(query), delimiter: query.get("delimiter") ?? "" };
    return {
      list: {
        ...items,
        afterKey: afterMarker(keyMarker, items),
        afterVersion: versionIdMarkerParam(query, keyMarker),
        limit: integerParam(query, "max-keys", { max: 1000, default: 1000 }),
      },
      encoding: encodingParam(query),
      keyMarker,
    };
  },

  async handle({ target: { bucket }, input: { list, encoding, keyMarker }, store }) {
    const { versions, commonPrefixes, next } = await store.listVersions(bucket, list);
    const { prefix, delimiter, limit, afterVersion = "" } = list;
    const { encode } = encoding;

    return xmlResponse("ListVersionsResult", {
      Name: bucket,
      Prefix: encode(prefix),
      KeyMarker: encode(keyMarker),
      VersionIdMarker: afterVersion,
      NextKeyMarker: next && encode(next.key),
      NextVersionIdMarker: next?.version,
      MaxKeys: limit,
      Delimiter: delimiter === "" ? undefined : encode(delimiter),
      IsTruncated: next !== undefined,
      EncodingType: encoding.type,
      Versions: versionElements(versions, encoding),
      CommonPrefixes: commonPrefixElements(commonPrefixes, encoding),
    });
  },
});

/** Parses `version-id-marker`: a version id, or what an earlier page has as `NextVersionIdMarker`. */
function versionIdMarkerParam(query: Query, keyMarker: string): string | undefined {
  const marker = query.get("version-id-marker");
  if (marker === undefined) return undefined;
  const message = marker === ""
    ? "A version-id marker cannot be empty."
    : keyMarker === ""
    ? "A version-id marker cannot be specified without a key marker."
    : undefined;
  if (message !== undefined) {
    const fields = { ArgumentName: "version-id-marker", ArgumentValue: marker };
    throw new S3Error("InvalidArgument", fields, { message });
  }
  parseVersionMarker(marker);
  return marker;
}
