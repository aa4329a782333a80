/**
 * ListObjectVersions: lists the versions of a bucket's objects. Without versioning, each object is the version `null` of
 * its key, and there are no delete markers.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 *
 * As in ListObjects, a page begins after `key-marker`: the one version of that key was on the page before. As on AWS, a
 * page that ends with a common prefix has no `NextVersionIdMarker`.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { afterMarker } from "../s3/listing.ts";
import { encodingParam, integerParam, type KeyEncoding, prefixParam } from "../s3/params.ts";
import type { Query } from "../s3/request.ts";
import { xmlResponse } from "../s3/xml.ts";
import type { ListQuery } from "../store/listings.ts";
import { commonPrefixElements, NULL_VERSION, versionElements } from "./answers/listed.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

type Input = {
  readonly list: ListQuery;
  readonly encoding: KeyEncoding;
  /** As sent, because the response repeats them. */
  readonly keyMarker: string;
  readonly versionIdMarker: string;
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
        after: afterMarker(keyMarker, items),
        limit: integerParam(query, "max-keys", { max: 1000, default: 1000 }),
      },
      encoding: encodingParam(query),
      keyMarker,
      versionIdMarker: versionIdMarkerParam(query, keyMarker),
    };
  },

  async handle({ target: { bucket }, input, store }) {
    const { list: { prefix, delimiter, limit }, encoding, keyMarker, versionIdMarker } = input;
    const { objects, commonPrefixes, next } = await store.listObjects(bucket, input.list);
    const { encode } = encoding;
    const endsWithObject = next !== undefined && objects.at(-1)?.key === next;

    return xmlResponse("ListVersionsResult", {
      Name: bucket,
      Prefix: encode(prefix),
      KeyMarker: encode(keyMarker),
      VersionIdMarker: versionIdMarker,
      NextKeyMarker: next === undefined ? undefined : encode(next),
      NextVersionIdMarker: endsWithObject ? NULL_VERSION : undefined,
      MaxKeys: limit,
      Delimiter: delimiter === "" ? undefined : encode(delimiter),
      IsTruncated: next !== undefined,
      EncodingType: encoding.type,
      Version: versionElements(objects, encoding),
      CommonPrefixes: commonPrefixElements(commonPrefixes, encoding),
    });
  },
});

/**
 * Parses `version-id-marker`; "" for none. No listing ever returned another marker than `null`, so that the position of
 * any other one is unknown.
 */
function versionIdMarkerParam(query: Query, keyMarker: string): string {
  const marker = query.get("version-id-marker");
  if (marker === undefined || (marker === NULL_VERSION && keyMarker !== "")) return marker ?? "";
  const message = marker === ""
    ? "A version-id marker cannot be empty."
    : keyMarker === ""
    ? "A version-id marker cannot be specified without a key marker."
    : "Invalid version id specified";
  const fields = { ArgumentName: "version-id-marker", ArgumentValue: marker };
  throw new S3Error("InvalidArgument", fields, { message });
}
