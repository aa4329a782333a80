/**
 * GetBucketCors, PutBucketCors and DeleteBucketCors: which pages of other origins may use a bucket.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
 * @module
 */

import { parseCors } from "../s3/cors.ts";
import { S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { readDocument } from "./bodies/document.ts";
import { defineOperation, type Operation } from "./operation.ts";

/** Maximum size of a configuration, in bytes, as on AWS. */
const MAX_BYTES = 64 * 1024;

export const getBucketCors: Operation<"bucket"> = defineOperation<"bucket", void>({
  name: "GetBucketCors",
  on: "bucket",
  method: "GET",
  query: ["cors"],
  action: "s3:GetBucketCORS",

  parse: () => {},

  async handle({ target: { bucket }, store }) {
    const text = await store.readDocument(bucket, "cors");
    if (text === undefined) throw new S3Error("NoSuchCORSConfiguration", { BucketName: bucket });
    return new Response(text, { headers: { "content-type": "application/xml" } });
  },
});

export const putBucketCors: Operation<"bucket"> = defineOperation<"bucket", Integrity>({
  name: "PutBucketCors",
  on: "bucket",
  method: "PUT",
  query: ["cors"],
  action: "s3:PutBucketCORS",

  parse: ({ headers }) => parseIntegrity(headers),

  async handle(call) {
    const text = await readDocument(call, call.input, MAX_BYTES);
    parseCors(text); // it throws what AWS answers
    await call.store.putDocument(call.target.bucket, "cors", text);
    return new Response(null);
  },
});

export const deleteBucketCors: Operation<"bucket"> = defineOperation<"bucket", void>({
  name: "DeleteBucketCors",
  on: "bucket",
  method: "DELETE",
  query: ["cors"],
  action: "s3:PutBucketCORS",

  parse: () => {},

  async handle({ target: { bucket }, store }) {
    await store.deleteDocument(bucket, "cors");
    return new Response(null, { status: 204 });
  },
});
