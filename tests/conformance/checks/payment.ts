/** Request payment and transfer acceleration. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Checks } from "../check.ts";

export const PAYMENT: Checks = {
  "the owner of a bucket pays, and nobody else can": async ({ aws, refused }) => {
    const get = async () => (await aws`s3api get-bucket-request-payment --bucket BUCKET`).json;
    deepStrictEqual(await get(), { Payer: "BucketOwner" });
    await aws`s3api put-bucket-request-payment --bucket BUCKET
      --request-payment-configuration Payer=BucketOwner`;
    deepStrictEqual(await get(), { Payer: "BucketOwner" });
    await refused("NotImplemented", 501)`s3api put-bucket-request-payment --bucket BUCKET
      --request-payment-configuration Payer=Requester`;
  },
  "acceleration can be suspended, and not enabled": async ({ aws, refused }) => {
    const get = () => aws`s3api get-bucket-accelerate-configuration --bucket BUCKET`;
    strictEqual((await get()).text, "");
    await aws`s3api put-bucket-accelerate-configuration --bucket BUCKET
      --accelerate-configuration Status=Suspended`;
    deepStrictEqual((await get()).json, { Status: "Suspended" });
    await refused("NotImplemented", 501)`s3api put-bucket-accelerate-configuration --bucket BUCKET
      --accelerate-configuration Status=Enabled`;
  },
};
