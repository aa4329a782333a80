/** Logging configurations. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Checks } from "../check.ts";

export const LOGGING: Checks = {
  "get-bucket-logging returns what put-bucket-logging stored": async ({ aws, bucket }) => {
    const get = () => aws`s3api get-bucket-logging --bucket BUCKET`;
    strictEqual((await get()).text, "");
    const target = { TargetBucket: bucket, TargetPrefix: "logs/" };
    for (
      const format of [
        { SimplePrefix: {} },
        { PartitionedPrefix: { PartitionDateSource: "DeliveryTime" } },
      ]
    ) {
      const status = { LoggingEnabled: { ...target, TargetObjectKeyFormat: format } };
      await aws`s3api put-bucket-logging --bucket BUCKET
        --bucket-logging-status ${JSON.stringify(status)}`;
      deepStrictEqual((await get()).json, status);
    }
    await aws`s3api put-bucket-logging --bucket BUCKET --bucket-logging-status {}`;
    strictEqual((await get()).text, "");
  },
  "put-bucket-logging refuses a target that is missing": async ({ refused }) => {
    const status = { LoggingEnabled: { TargetBucket: "missing-target", TargetPrefix: "" } };
    await refused("InvalidTargetBucketForLogging", 400)`s3api put-bucket-logging --bucket BUCKET
      --bucket-logging-status ${JSON.stringify(status)}`;
  },
};
