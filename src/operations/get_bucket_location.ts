/**
 * GetBucketLocation: returns the region of a bucket; empty for `us-east-1`.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
 * @module
 */

import { xmlResponse } from "../s3/xml.ts";
import { defineOperation, type Operation } from "./operation.ts";

export const getBucketLocation: Operation<"bucket"> = defineOperation<"bucket", void>({
  name: "GetBucketLocation",
  on: "bucket",
  method: "GET",
  query: ["location"],
  action: "s3:GetBucketLocation",

  parse: () => {},

  async handle({ target: { bucket }, region, store }) {
    await store.readBucket(bucket);
    return xmlResponse("LocationConstraint", region === "us-east-1" ? "" : region);
  },
});
