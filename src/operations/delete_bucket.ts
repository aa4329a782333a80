/**
 * DeleteBucket: deletes an empty bucket.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
 * @module
 */

import { defineOperation, type Operation } from "./operation.ts";

export const deleteBucket: Operation<"bucket"> = defineOperation<"bucket", void>({
  name: "DeleteBucket",
  on: "bucket",
  method: "DELETE",
  action: "s3:DeleteBucket",

  parse: () => {},

  async handle({ target: { bucket }, store }) {
    await store.deleteBucket(bucket);
    return new Response(null, { status: 204 });
  },
});
