/** Lifecycle configurations. */

import { deepStrictEqual } from "node:assert/strict";
import { type Checks, shows } from "../check.ts";

const RULES = [
  {
    ID: "logs",
    Filter: { Prefix: "logs/" },
    Status: "Enabled",
    Expiration: { Days: 30 },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
  },
  {
    ID: "old",
    Filter: { And: { Prefix: "a/", Tags: [{ Key: "k", Value: "v" }], ObjectSizeLessThan: 5000 } },
    Status: "Disabled",
    NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 2 },
  },
  {
    ID: "markers",
    Prefix: "",
    Status: "Enabled",
    Expiration: { ExpiredObjectDeleteMarker: true },
  },
];

function rule(change: Readonly<Record<string, unknown>>): string {
  const plain = { ID: "a", Filter: { Prefix: "" }, Status: "Enabled", Expiration: { Days: 1 } };
  return JSON.stringify({ Rules: [{ ...plain, ...change }] });
}

export const LIFECYCLE: Checks = {
  "get-bucket-lifecycle-configuration returns what was put": async ({ aws, refused }) => {
    const get = "get-bucket-lifecycle-configuration";
    await refused("NoSuchLifecycleConfiguration", 404)`s3api ${get} --bucket BUCKET`;
    await aws`s3api put-bucket-lifecycle-configuration --bucket BUCKET
      --lifecycle-configuration ${JSON.stringify({ Rules: RULES })}`;
    const { Rules } = (await aws`s3api ${get} --bucket BUCKET`).json as { Rules: unknown };
    deepStrictEqual(Rules, RULES);
    await aws`s3api delete-bucket-lifecycle --bucket BUCKET`;
    await refused("NoSuchLifecycleConfiguration", 404)`s3api ${get} --bucket BUCKET`;
  },
  "put-bucket-lifecycle-configuration refuses what Amazon refuses": async ({ refused }) => {
    const refuse = async (code: string, status: number, text: string): Promise<void> => {
      await refused(code, status)`s3api put-bucket-lifecycle-configuration --bucket BUCKET
        --lifecycle-configuration ${text}`;
    };
    const tag = { Tag: { Key: "k", Value: "v" } };
    await refuse("InvalidArgument", 400, rule({ Expiration: { Days: 0 } }));
    await refuse("InvalidArgument", 400, rule({ Expiration: { Date: "2030-01-01T10:00:00Z" } }));
    await refuse("MalformedXML", 400, rule({ Expiration: { Days: 1, Date: "2030-01-01" } }));
    await refuse("InvalidRequest", 400, rule({ Expiration: undefined }));
    const abort = { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } };
    await refuse("InvalidRequest", 400, rule({ Filter: tag, ...abort }));
    const transition = { Transitions: [{ Days: 30, StorageClass: "GLACIER" }] };
    await refuse("NotImplemented", 501, rule(transition));
  },
  "responses say when an object expires and an upload is aborted": async ({ aws, put }) => {
    await aws`s3api put-bucket-lifecycle-configuration --bucket BUCKET
      --lifecycle-configuration ${JSON.stringify({ Rules: RULES })}`;
    const expires = { Expiration: /^expiry-date="\w{3}, .* 00:00:00 GMT", rule-id="logs"$/ };
    shows((await put("logs/a")).json, expires);
    shows((await aws`s3api head-object --bucket BUCKET --key logs/a`).json, expires);
    shows((await put("other")).json, { Expiration: undefined });
    const begun = await aws`s3api create-multipart-upload --bucket BUCKET --key logs/a`;
    shows(begun.json, { AbortRuleId: "logs", AbortDate: /00:00:00/ });
  },
};
