/**
 * GetBucketLocation: returns the location or else the region of a bucket; empty for `us-east-1`.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
 * @module
 */

import { FIRST_REGION } from "../s3/region.ts";
import { xmlResponse } from "../s3/xml.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

export const getBucketLocation: Operation<"bucket"> = definePublicOperation<"bucket", void>({
  name: "GetBucketLocation",
  on: "bucket",
  method: "GET",
  query: ["location"],
  action: "s3:GetBucketLocation",

  parse: () => {},

  async handle({ target: { bucket }, region, store }) {
    const { location = region } = await store.readBucket(bucket);
    return xmlResponse("LocationConstraint", location === FIRST_REGION ? "" : location);
  },
});
