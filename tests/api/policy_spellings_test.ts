/**
 * Spellings and headers by which a request could get round a policy.
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
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
const EVERYTHING = allow("s3:*", ALL);

const when = (operator: string, key: string, value: string): Statement => ({
  Condition: { [operator]: { [key]: value } },
});

async function createScene(): Promise<PolicyScene> {
  const scene = await createPolicyScene();
  for (const key of ["key", "other", "secret"]) {
    await scene.as("root", "PUT", `/bucket/${key}`, { body: "x" });
  }
  return scene;
}

const copying = (source: string, headers: Send["headers"] = {}): Send => ({
  headers: { "x-amz-copy-source": source, ...headers },
});

Deno.test("a condition on the source of a copy holds for every spelling of it", async () => {
  const scene = await createScene();
  scene.give(
    "ann",
    EVERYTHING,
    deny("PutObject", "/*", when("StringEquals", "s3:x-amz-copy-source", "bucket/secret")),
  );
  const outcomes = [];
  for (
    const source of [
      "bucket/secret",
      "/bucket/secret",
      "bucket%2Fsecret",
      "%2Fbucket/secret",
      "bucket/%73ecret",
      "bucket/secret?versionId=null",
      "/bucket/secret?versionId=null",
    ]
  ) outcomes.push(await outcomeOf(await scene.as("ann", "PUT", "/bucket/copy", copying(source))));
  deepStrictEqual(outcomes, Array(7).fill(DENIED));
  strictEqual(
    await outcomeOf(await scene.as("ann", "PUT", "/bucket/copy", copying("bucket/key"))),
    "200",
  );
});

Deno.test("tags of a copy that keeps those of its source are not those in the request", async () => {
  const scene = await createScene();
  scene.give(
    "ann",
    allow("GetObject PutObjectTagging GetObjectTagging", "/*"),
    allow("PutObject", "/*", when("StringEquals", "s3:RequestObjectTag/team", "blue")),
  );
  const copy = async (directive?: string): Promise<string> =>
    await outcomeOf(
      await scene.as(
        "ann",
        "PUT",
        "/bucket/copy",
        copying("bucket/key", {
          "x-amz-tagging": "team=blue",
          ...(directive !== undefined && { "x-amz-tagging-directive": directive }),
        }),
      ),
    );
  strictEqual(await copy(), DENIED);
  strictEqual(await copy("COPY"), DENIED);
  strictEqual(await copy("REPLACE"), "200");
});

Deno.test("conditions that tell something of an object need the permission to read it", async () => {
  const scene = await createScene();
  const etag = (await scene.as("root", "HEAD", "/bucket/key")).headers.get("etag") ?? "";
  const lastModified = "Wed, 01 May 2024 10:00:00 GMT";
  const source = { "x-amz-rename-source": "/bucket/other" };
  const rename = ["PUT", "/bucket/key?renameObject"] as const;
  const remove = ["DELETE", "/bucket/key"] as const;
  const mayNotRead = deny("GetObject", "/key");
  const rows = [
    [rename, { ...source, "if-match": '"0"' }],
    [rename, { ...source, "if-match": etag }],
    [remove, { "if-match": '"0"' }],
    [remove, { "x-amz-if-match-size": "7" }],
    [remove, { "x-amz-if-match-last-modified-time": lastModified }],
    [["PUT", "/bucket/key"], { "if-match": '"0"' }],
    [["PUT", "/bucket/key"], { ...copying("bucket/other").headers, "if-match": '"0"' }],
  ] as const;
  for (const [[method, target], headers] of rows) {
    scene.give("ann", EVERYTHING, mayNotRead);
    const outcome = await outcomeOf(await scene.as("ann", method, target, { headers }));
    strictEqual(outcome, DENIED, `${target} ${JSON.stringify(headers)}`);
  }
  const body = "<Delete><Object><Key>key</Key><Size>7</Size></Object></Delete>";
  const headers = { "content-md5": contentMD5(body) };
  const answer = await scene.as("ann", "POST", "/bucket?delete", { body, headers });
  strictEqual((await answer.text()).includes("<Code>AccessDenied</Code>"), true);
  scene.give("ann", EVERYTHING);
  for (const [[method, target], headers] of rows.slice(2)) {
    const status = (await scene.as("ann", method, target, { headers })).status;
    strictEqual(status === 403, false, `${target} ${JSON.stringify(headers)}`);
  }
});

Deno.test("a key is the same key in every spelling of the path, and another one in another case", async () => {
  const scene = await createScene();
  scene.give("ann", EVERYTHING, deny("GetObject", "/secret"));
  const get = async (target: string, host?: string): Promise<string> =>
    await outcomeOf(await scene.as("ann", "GET", target, host === undefined ? {} : { host }));
  strictEqual(await get("/bucket/secret"), DENIED);
  for (
    const target of ["/bucket//secret", "/bucket/Secret", "/bucket/secret%00", "/bucket/secret/"]
  ) {
    strictEqual(await get(target), "404 NoSuchKey", target);
  }
  for (const target of ["/Bucket/secret", "/bucket./secret", "/bucket_/secret"]) {
    const [status] = (await get(target)).split(" ");
    strictEqual(status !== "200", true, target);
  }
});
