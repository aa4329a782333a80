/**
 * ListObjects: lists the objects of a bucket, version 1.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
 *
 * `NextMarker` appears only with a delimiter, as AWS has it; without one, clients continue after the last key.
 * @module
 */

import { afterMarker } from "../s3/listing.ts";
import { encodingParam, integerParam, type KeyEncoding, prefixParam } from "../s3/params.ts";
import { xmlResponse } from "../s3/xml.ts";
import type { ListQuery } from "../store/listings.ts";
import { commonPrefixElements, contentsElements } from "./answers/listed.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

type Input = {
  readonly list: ListQuery;
  readonly encoding: KeyEncoding;
  /** As sent, because the response repeats it. */
  readonly marker: string;
};

export const listObjects: Operation<"bucket"> = definePublicOperation<"bucket", Input>({
  name: "ListObjects",
  on: "bucket",
  method: "GET",
  heavy: true,
  action: "s3:ListBucket",

  parse({ query }) {
    const marker = query.get("marker") ?? "";
    const items = { prefix: prefixParam(query), delimiter: query.get("delimiter") ?? "" };
    return {
      list: {
        ...items,
        after: afterMarker(marker, items),
        limit: integerParam(query, "max-keys", { max: 1000, default: 1000 }),
      },
      encoding: encodingParam(query),
      marker,
    };
  },

  async handle({ target: { bucket }, input: { list, encoding, marker }, store }) {
    const { objects, commonPrefixes, next } = await store.listObjects(bucket, list);
    const { prefix, delimiter, limit } = list;
    const { encode } = encoding;

    return xmlResponse("ListBucketResult", {
      Name: bucket,
      Prefix: encode(prefix),
      Marker: encode(marker),
      NextMarker: next === undefined || delimiter === "" ? undefined : encode(next),
      MaxKeys: limit,
      Delimiter: delimiter === "" ? undefined : encode(delimiter),
      IsTruncated: next !== undefined,
      EncodingType: encoding.type,
      Contents: contentsElements(objects, encoding, { withOwner: true }),
      CommonPrefixes: commonPrefixElements(commonPrefixes, encoding),
    });
  },
});
