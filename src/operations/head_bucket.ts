/**
 * HeadBucket: checks whether a bucket exists. Its region is on every response about a bucket (`http/exchange.ts`).
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 * @module
 */

import { definePublicOperation, type Operation } from "./operation.ts";

export const headBucket: Operation<"bucket"> = definePublicOperation<"bucket", void>({
  name: "HeadBucket",
  on: "bucket",
  method: "HEAD",
  action: "s3:ListBucket",

  parse: () => {},

  async handle({ target: { bucket }, store }) {
    await store.readBucket(bucket);
    return new Response(null);
  },
});
