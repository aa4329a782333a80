/**
 * ListBuckets: lists all buckets, in pages if the client requests pages.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
 *
 * Every caller sees the buckets of the caller's account, and an administrator sees all.
 * @module
 */

import { formatContinuationToken, parseContinuationToken } from "../s3/continuation_token.ts";
import { compareUtf8 } from "../s3/key_order.ts";
import { integerParam, prefixParam } from "../s3/params.ts";
import { xmlResponse } from "../s3/xml.ts";
import { ownerElement } from "./answers/owner.ts";
import { defineOperation, type Operation } from "./operation.ts";

/** Maximum number of buckets in a page. */
const MAX_BUCKETS = 10_000;

type Input = {
  readonly prefix: string | undefined;
  readonly region: string | undefined;
  readonly after: string;
  readonly limit: number;
  /** AWS names the region of each bucket if the request has a parameter. */
  readonly withRegion: boolean;
};

export const listBuckets: Operation<"service"> = defineOperation<"service", Input>({
  name: "ListBuckets",
  on: "service",
  method: "GET",
  heavy: true,
  action: "s3:ListAllMyBuckets",

  parse({ query }) {
    const token = query.get("continuation-token");
    const names = ["max-buckets", "prefix", "continuation-token", "bucket-region"];
    return {
      prefix: query.has("prefix") ? prefixParam(query) : undefined,
      region: query.get("bucket-region"),
      // Its minimum length is 0, according to AWS's page.
      after: token === undefined || token === "" ? "" : parseContinuationToken(token),
      limit: integerParam(query, "max-buckets", {
        min: 1,
        max: MAX_BUCKETS,
        default: MAX_BUCKETS,
        strict: true,
      }),
      withRegion: names.some((name) => query.has(name)),
    };
  },

  async handle({ input: { prefix, region: wanted, after, limit, withRegion }, ...call }) {
    const { access, caller, region, store } = call;
    const all = (await store.listBuckets()).filter((bucket) => {
      const { name, location = region } = bucket;
      return name.startsWith(prefix ?? "") && compareUtf8(name, after) > 0 &&
        (wanted === undefined || wanted === location) && access.owns(bucket);
    });
    const page = all.slice(0, limit);
    const last = page.at(-1);

    return xmlResponse("ListAllMyBucketsResult", {
      Owner: ownerElement(caller.accessKeyId),
      Buckets: {
        Bucket: page.map(({ name, created, location = region }) => ({
          Name: name,
          CreationDate: created,
          BucketRegion: withRegion ? location : undefined,
        })),
      },
      Prefix: prefix,
      ContinuationToken: last !== undefined && page.length < all.length
        ? formatContinuationToken(last.name)
        : undefined,
    });
  },
});
