/** The actions and condition keys of requests about versions and their locks. */

import { strictEqual } from "node:assert/strict";
import {
  ALL,
  allow,
  createPolicyScene,
  deny,
  outcomeOf,
  type PolicyScene,
  type Statement,
} from "./policy_scene.ts";
import { contentMD5, type Send } from "./test_gateway.ts";

const DENIED = "403 AccessDenied";
const LOCKED = "x-amz-object-lock-";
const BYPASS = { "x-amz-bypass-governance-retention": "true" };
const LOOK_BACK = { "x-nats-s3-as-of": "2024-05-01T10:00:00.500Z" };
const COPY = { "x-amz-copy-source": "bucket/key?versionId=VERSION" };

/** Returns the time this many days after the gateway's. */
function inDays(days: number): string {
  return new Date(Date.parse("2024-05-01T10:00:00.500Z") + days * 86_400_000).toISOString();
}

function retention(days: number, mode = "GOVERNANCE"): string {
  return `<Retention><Mode>${mode}</Mode><RetainUntilDate>${
    inDays(days)
  }</RetainUntilDate></Retention>`;
}

const MD5_OF_NEWER = "0c10f4a0c12ba89211235026b861263d";
const TAGS = "<Tagging><TagSet><Tag><Key>a</Key><Value>2</Value></Tag></TagSet></Tagging>";
const HOLD = "<LegalHold><Status>ON</Status></LegalHold>";

function document(body: string, headers: Readonly<Record<string, string>> = {}): Send {
  return { body, headers: { "content-md5": contentMD5(body), ...headers } };
}

function erase(headers: Readonly<Record<string, string>> = {}, more = ""): Send {
  return document(
    `<Delete><Object><Key>key</Key><VersionId>VERSION</VersionId>${more}</Object></Delete>`,
    headers,
  );
}

function when(operator: string, key: string, value: string): Statement {
  return { Condition: { [operator]: { [key]: value } } };
}

type Row = readonly [
  title: string,
  own: readonly Statement[],
  request: readonly [method: string, target: string, send?: Send],
  expected: string,
];

const key = "/bucket/key";
const version = `${key}?versionId=VERSION`;
const everything = allow("*", ALL);
const but = (actions: string, more?: Statement): readonly Statement[] => [
  everything,
  deny(actions, "/*", more),
];
const days = "s3:object-lock-remaining-retention-days";

const ROWS: readonly Row[] = [
  ["a current version", but("GetObjectVersion"), ["GET", key], "200"],
  ["a version", but("GetObjectVersion"), ["GET", version], DENIED],
  ["a look back", but("GetObjectVersion"), ["GET", key, { headers: LOOK_BACK }], DENIED],
  ["a look back by HEAD", but("GetObjectVersion"), ["HEAD", key, { headers: LOOK_BACK }], "403"],
  [
    "a look back, not the object",
    but("GetObject"),
    ["GET", key, { headers: LOOK_BACK }],
    "200",
  ],
  ["a version, not the object", but("GetObject"), ["GET", version], "200"],
  [
    "a copy of a version",
    but("GetObjectVersion"),
    ["PUT", "/bucket/new", { headers: COPY }],
    DENIED,
  ],
  [
    "a copy of the tags of a version",
    but("GetObjectVersionTagging"),
    ["PUT", "/bucket/new", { headers: COPY }],
    DENIED,
  ],
  ["a delete marker", but("DeleteObjectVersion"), ["DELETE", key], "204"],
  ["the removal of a version", but("DeleteObjectVersion"), ["DELETE", version], DENIED],
  ["the same in a list", but("DeleteObjectVersion"), ["POST", "/bucket?delete", erase()], DENIED],
  [
    "a condition on a version",
    but("GetObject"),
    ["DELETE", version, { headers: { "if-match": '"x"' } }],
    DENIED,
  ],
  [
    "a condition, which is about the current version",
    but("GetObjectVersion"),
    ["DELETE", version, { headers: { "if-match": '"x"' } }],
    "412 PreconditionFailed",
  ],
  [
    "a condition in a list",
    but("GetObject"),
    ["POST", "/bucket?delete", erase({}, `<ETag>${MD5_OF_NEWER}</ETag>`)],
    DENIED,
  ],
  [
    "a condition in a list, which is about the current version",
    but("GetObjectVersion"),
    ["POST", "/bucket?delete", erase({}, `<ETag>${MD5_OF_NEWER}</ETag>`)],
    "200 Deleted",
  ],
  ["tags of a version", but("GetObjectVersionTagging"), ["GET", `${version}&tagging`], DENIED],
  [
    "new tags of a version",
    but("PutObjectVersionTagging"),
    ["PUT", `${version}&tagging`, { body: TAGS }],
    DENIED,
  ],
  ["the ACL of a version", but("GetObjectVersionAcl"), ["GET", `${version}&acl`], DENIED],
  [
    "this version alone",
    [allow("GetObjectVersion", "/*", when("StringEquals", "s3:VersionId", "VERSION"))],
    ["GET", version],
    "200",
  ],
  [
    "another version",
    [allow("GetObjectVersion", "/*", when("StringEquals", "s3:VersionId", "VERSION"))],
    ["GET", `${key}?versionId=null`],
    DENIED,
  ],
  [
    "the tags that this version has",
    [allow("GetObjectVersion", "/*", when("StringEquals", "s3:ExistingObjectTag/a", "1"))],
    ["GET", version],
    "200",
  ],
  [
    "the tags that the current version has",
    [allow("GetObject", "/*", when("StringEquals", "s3:ExistingObjectTag/a", "1"))],
    ["GET", key],
    DENIED,
  ],
  [
    "retention",
    but("PutObjectRetention"),
    ["PUT", `${version}&retention`, document(retention(1))],
    DENIED,
  ],
  [
    "retention of few days",
    but("PutObjectRetention", when("NumericGreaterThan", days, "10")),
    ["PUT", `${version}&retention`, document(retention(10))],
    "200",
  ],
  [
    "retention of many days",
    but("PutObjectRetention", when("NumericGreaterThan", days, "10")),
    ["PUT", `${version}&retention`, document(retention(11))],
    DENIED,
  ],
  [
    "a header that says less than the body",
    but("PutObjectRetention", when("NumericGreaterThan", days, "10")),
    [
      "PUT",
      `${version}&retention`,
      document(retention(11), { [`${LOCKED}retain-until-date`]: inDays(1) }),
    ],
    DENIED,
  ],
  [
    "a mode",
    but("PutObjectRetention", when("StringEquals", "s3:object-lock-mode", "COMPLIANCE")),
    ["PUT", `${version}&retention`, document(retention(1, "COMPLIANCE"))],
    DENIED,
  ],
  [
    "a date",
    but(
      "PutObjectRetention",
      when("DateGreaterThan", "s3:object-lock-retain-until-date", inDays(2)),
    ),
    ["PUT", `${version}&retention`, document(retention(3))],
    DENIED,
  ],
  [
    "a hold",
    but("PutObjectLegalHold", when("StringEquals", "s3:object-lock-legal-hold", "ON")),
    ["PUT", `${version}&legal-hold`, document(HOLD)],
    DENIED,
  ],
  [
    "a mode in headers",
    but("PutObject", when("StringEquals", "s3:object-lock-mode", "COMPLIANCE")),
    [
      "PUT",
      "/bucket/new",
      document("x", {
        [`${LOCKED}mode`]: "COMPLIANCE",
        [`${LOCKED}retain-until-date`]: inDays(1),
      }),
    ],
    DENIED,
  ],
  [
    "the bypass of a change",
    but("BypassGovernanceRetention"),
    ["PUT", `${version}&retention`, document(retention(1), BYPASS)],
    DENIED,
  ],
  ["no bypass", but("BypassGovernanceRetention"), ["DELETE", version], "204"],
  [
    "the bypass of a removal",
    but("BypassGovernanceRetention"),
    ["DELETE", version, { headers: BYPASS }],
    DENIED,
  ],
  [
    "the same in a list",
    but("BypassGovernanceRetention"),
    ["POST", "/bucket?delete", erase(BYPASS)],
    DENIED,
  ],
  ["a bypass that is allowed", [everything], ["DELETE", version, { headers: BYPASS }], "204"],
];

/** Creates the bucket anew with object lock and two versions of one key, and returns the id of the first. */
async function createVersions(scene: PolicyScene): Promise<string> {
  await scene.as("root", "DELETE", "/bucket");
  const lock = { headers: { "x-amz-bucket-object-lock-enabled": "true" } };
  await scene.as("root", "PUT", "/bucket", lock);
  const tagged = { body: "x", headers: { "x-amz-tagging": "a=1" } };
  const { headers } = await scene.as("root", "PUT", key, tagged);
  await scene.as("root", "PUT", key, { body: "newer" });
  return headers.get("x-amz-version-id") ?? "";
}

for (const [title, own, [method, target, send], expected] of ROWS) {
  Deno.test(`permissions of versions: ${title}: ${expected}`, async () => {
    const scene = await createPolicyScene();
    const id = await createVersions(scene);
    const named = <T>(value: T): T =>
      JSON.parse(JSON.stringify(value ?? {}).replaceAll("VERSION", id));
    const request = named(send ?? {});
    const body = request.body as string | undefined;
    const signed = body === undefined
      ? request
      : { ...request, headers: { ...request.headers, "content-md5": contentMD5(body) } };
    scene.give("ann", ...named(own));
    const response = await scene.as("ann", method, target.replace("VERSION", id), signed);
    if (!target.endsWith("?delete")) return strictEqual(await outcomeOf(response), expected);
    const text = await response.text();
    const found = /<Code>(\w+)</.exec(text)?.[1] ?? /<(Deleted)>/.exec(text)?.[1];
    strictEqual(found, expected.split(" ")[1], text);
  });
}

Deno.test("who may not list a bucket learns of no delete marker", async () => {
  const scene = await createPolicyScene();
  const id = await createVersions(scene);
  const deleted = await scene.as("root", "DELETE", key);
  const marker = deleted.headers.get("x-amz-delete-marker");
  strictEqual(marker, "true");
  scene.give("ann", allow("GetObject GetObjectVersion", "/*"));
  const unknown = `${id.slice(0, -1)}${id.endsWith("0") ? "1" : "0"}`;
  for (const target of [key, "/bucket/missing", `${key}?versionId=${unknown}`]) {
    const response = await scene.as("ann", "GET", target);
    strictEqual(response.headers.get("x-amz-delete-marker"), null);
    strictEqual(response.headers.get("x-amz-version-id"), null);
    strictEqual(await outcomeOf(response), DENIED);
  }
  scene.give("ann", allow("GetObject ListBucket", ALL));
  const told = await scene.as("ann", "GET", key);
  strictEqual(told.headers.get("x-amz-delete-marker"), "true");
  strictEqual(await outcomeOf(told), "404 NoSuchKey");
});
