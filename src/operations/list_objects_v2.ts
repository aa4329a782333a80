/**
 * ListObjectsV2: lists the objects of a bucket, version 2.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 * @module
 */

import { formatContinuationToken, parseContinuationToken } from "../s3/continuation_token.ts";
import { afterMarker } from "../s3/listing.ts";
import { encodingParam, integerParam, type KeyEncoding, prefixParam } from "../s3/params.ts";
import { xmlResponse } from "../s3/xml.ts";
import type { ListQuery } from "../store/listings.ts";
import { commonPrefixElements, contentsElements } from "./answers/listed.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

type Input = {
  readonly list: ListQuery;
  readonly encoding: KeyEncoding;
  readonly withOwner: boolean;
  /** As sent, because the response repeats it. */
  readonly token: string | undefined;
  readonly startAfter: string | undefined;
};

export const listObjectsV2: Operation<"bucket"> = definePublicOperation<"bucket", Input>({
  name: "ListObjectsV2",
  on: "bucket",
  method: "GET",
  query: ["list-type=2"],
  heavy: true,
  action: "s3:ListBucket",

  parse({ query }) {
    const token = query.get("continuation-token");
    const startAfter = query.get("start-after");
    const items = { prefix: prefixParam(query), delimiter: query.get("delimiter") ?? "" };
    return {
      list: {
        ...items,
        after: token === undefined
          ? afterMarker(startAfter ?? "", items)
          : parseContinuationToken(token),
        limit: integerParam(query, "max-keys", { max: 1000, default: 1000 }),
      },
      encoding: encodingParam(query),
      withOwner: query.get("fetch-owner")?.toLowerCase() === "true",
      token,
      startAfter,
    };
  },

  async handle({ target: { bucket }, input, store }) {
    const { list: { prefix, delimiter, limit }, encoding, withOwner, token, startAfter } = input;
    const { objects, commonPrefixes, next } = await store.listObjects(bucket, input.list);
    const { encode } = encoding;

    return xmlResponse("ListBucketResult", {
      Name: bucket,
      Prefix: encode(prefix),
      ContinuationToken: token,
      NextContinuationToken: next === undefined ? undefined : formatContinuationToken(next),
      StartAfter: startAfter === undefined ? undefined : encode(startAfter),
      KeyCount: objects.length + commonPrefixes.length,
      MaxKeys: limit,
      Delimiter: delimiter === "" ? undefined : encode(delimiter),
      IsTruncated: next !== undefined,
      EncodingType: encoding.type,
      Contents: contentsElements(objects, encoding, { withOwner }),
      CommonPrefixes: commonPrefixElements(commonPrefixes, encoding),
    });
  },
});
