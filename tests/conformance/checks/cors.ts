/** CORS configurations. */

import { deepStrictEqual } from "node:assert/strict";
import type { Checks } from "../check.ts";

const RULES = {
  CORSRules: [{
    ID: "pages",
    AllowedHeaders: ["*"],
    AllowedMethods: ["GET", "PUT"],
    AllowedOrigins: ["https://*.example.com"],
    ExposeHeaders: ["ETag"],
    MaxAgeSeconds: 3000,
  }],
};

export const CORS: Checks = {
  "get-bucket-cors returns what put-bucket-cors stored": async ({ aws, refused }) => {
    await refused("NoSuchCORSConfiguration", 404)`s3api get-bucket-cors --bucket BUCKET`;
    await aws`s3api put-bucket-cors --bucket BUCKET --cors-configuration ${JSON.stringify(RULES)}`;
    deepStrictEqual((await aws`s3api get-bucket-cors --bucket BUCKET`).json, RULES);
    await aws`s3api delete-bucket-cors --bucket BUCKET`;
    await refused("NoSuchCORSConfiguration", 404)`s3api get-bucket-cors --bucket BUCKET`;
  },
  "put-bucket-cors refuses methods and wildcards that Amazon refuses": async ({ refused }) => {
    for (const change of [{ AllowedMethods: ["PATCH"] }, { AllowedOrigins: ["*.*"] }]) {
      const rules = JSON.stringify({ CORSRules: [{ ...RULES.CORSRules[0], ...change }] });
      await refused("InvalidRequest", 400)`s3api put-bucket-cors --bucket BUCKET
        --cors-configuration ${rules}`;
    }
  },
};
