/** PutObjectTagging, GetObjectTagging and DeleteObjectTagging, and the tags that objects are written with. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { childrenOf, textOf } from "../../src/s3/xml_reader.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import {
  assertError,
  contentMD5,
  createTestGateway,
  NOW,
  readXml,
  type TestGateway,
} from "./test_gateway.ts";

type Tag = readonly [key: string, value: string];

function tagging(...tags: readonly Tag[]): string {
  const elements = tags.map(([key, value]) =>
    `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`
  );
  return `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>${
    elements.join("")
  }</TagSet></Tagging>`;
}

/** Returns the tags of an object, as GetObjectTagging lists them. */
async function tagsOf({ ok }: Pick<TestGateway, "ok">, path: string): Promise<readonly Tag[]> {
  const root = await readXml(await ok("GET", `${path}?tagging`), "Tagging");
  const [list] = childrenOf(root, "TagSet");
  strictEqual(root.children.length, 1);
  return list?.children.map((tag) => [textOf(tag, "Key"), textOf(tag, "Value")]) ?? [];
}

async function countOf({ ok }: TestGateway, path: string): Promise<(string | null)[]> {
  const responses = [await ok("HEAD", path), await ok("GET", path)];
  return responses.map(({ headers }) => headers.get("x-amz-tagging-count"));
}

Deno.test("the tags of an object are put, returned by key, counted and deleted", async () => {
  const gateway = await createTestGateway();
  const { ok } = gateway;
  await ok("PUT", "/bucket/key", { body: "hello", headers: { "x-amz-meta-a": "1" } });
  const before = [...(await ok("HEAD", "/bucket/key")).headers];
  deepStrictEqual(await tagsOf(gateway, "/bucket/key"), []);
  deepStrictEqual(await countOf(gateway, "/bucket/key"), [null, null]);

  const body = tagging(["team", "a b"], ["Team", ""], ["9", "é"], ["10", "+-=._:/@"]);
  const response = await ok("PUT", "/bucket/key?tagging", { body });
  strictEqual(response.status, 200);
  strictEqual(await response.text(), "");
  const expected: Tag[] = [["10", "+-=._:/@"], ["9", "é"], ["Team", ""], ["team", "a b"]];
  deepStrictEqual(await tagsOf(gateway, "/bucket/key"), expected);
  deepStrictEqual(await countOf(gateway, "/bucket/key"), ["4", "4"]);
  const tagged = [...(await ok("HEAD", "/bucket/key")).headers];
  deepStrictEqual(withoutRequest(tagged, "x-amz-tagging-count"), withoutRequest(before));

  await ok("PUT", "/bucket/key?tagging", { body: tagging(["only", "1"]) });
  deepStrictEqual(await tagsOf(gateway, "/bucket/key"), [["only", "1"]]);
  strictEqual((await ok("DELETE", "/bucket/key?tagging")).status, 204);
  strictEqual((await ok("DELETE", "/bucket/key?tagging")).status, 204);
  deepStrictEqual(await tagsOf(gateway, "/bucket/key"), []);
  await ok("PUT", "/bucket/key?tagging", { body: tagging(["only", "1"]) });
  await ok("PUT", "/bucket/key?tagging", { body: tagging() });
  deepStrictEqual(await tagsOf(gateway, "/bucket/key"), []);
  strictEqual(await (await ok("GET", "/bucket/key")).text(), "hello");
});

function withoutRequest(headers: [string, string][], ...names: string[]): [string, string][] {
  return headers.filter(([name]) =>
    !["x-amz-request-id", "x-amz-id-2", "date", ...names].includes(name)
  );
}

Deno.test("tags that AWS refuses change nothing", async () => {
  const gateway = await createTestGateway();
  const { ok, send } = gateway;
  await ok("PUT", "/bucket/key", { body: "hello", headers: { "x-amz-tagging": "a=1" } });
  const eleven = Array.from({ length: 11 }, (_, i): Tag => [`k${i}`, ""]);
  for (
    const [body, code, message] of [
      ["", "MalformedXML"],
      ["<Tagging/>", "MalformedXML"],
      [tagging(["a", "1"]).replaceAll("Tagging", "Tags"), "MalformedXML"],
      [tagging(["a", "1"]).replace("<Value>1</Value>", ""), "MalformedXML"],
      [tagging(...eleven), "BadRequest", "Object tags cannot be greater than 10"],
      [
        tagging(["a", "1"], ["a", "1"]),
        "InvalidTag",
        "Cannot provide multiple Tags with the same key",
      ],
      [tagging(["", "1"]), "InvalidTag", "The TagKey you have provided is invalid"],
      [tagging(["aws:a", "1"]), "InvalidTag", "Your TagKey cannot be prefixed with aws:"],
      [tagging(["a", "x".repeat(257)]), "InvalidTag", "The TagValue you have provided is invalid"],
      [tagging() + " ".repeat(64 * 1024), "MaxMessageLengthExceeded"],
    ] as const
  ) {
    const error = await assertError(await send("PUT", "/bucket/key?tagging", { body }), 400, code);
    if (message !== undefined) strictEqual(textOf(error, "Message"), message);
  }
  const headers = { "content-md5": contentMD5("other") };
  const damaged = await send("PUT", "/bucket/key?tagging", { body: tagging(["b", "2"]), headers });
  await assertError(damaged, 400, "BadDigest");
  deepStrictEqual(await tagsOf(gateway, "/bucket/key"), [["a", "1"]]);
});

Deno.test("tags of a missing object, and versions that do not exist, are errors", async () => {
  const gateway = await createTestGateway();
  const { ok, send } = gateway;
  await ok("PUT", "/bucket/key", { body: "hello" });
  const body = tagging(["a", "1"]);
  for (const method of ["GET", "PUT", "DELETE"]) {
    const given = method === "PUT" ? { body } : {};
    await assertError(await send(method, "/bucket/missing?tagging", given), 404, "NoSuchKey");
    await assertError(await send(method, "/missing/key?tagging", given), 404, "NoSuchBucket");
    const version = `/bucket/key?tagging&versionId=${"v".repeat(32)}`;
    await assertError(await send(method, version, given), 404, "NoSuchVersion");
    const broken = await send(method, "/bucket/key?tagging&versionId=", given);
    await assertError(broken, 400, "InvalidArgument");
    await ok(method, "/bucket/key?tagging&versionId=null", given);
  }
});

Deno.test("an object gets the tags that a PUT, a copy or an upload states", async () => {
  const gateway = await createTestGateway();
  const { ok, send } = gateway;
  const tagged = { "x-amz-tagging": "k=v&b%20c=%2B" };
  await ok("PUT", "/bucket/source", { body: "hello", headers: tagged });
  const expected: Tag[] = [["b c", "+"], ["k", "v"]];
  deepStrictEqual(await tagsOf(gateway, "/bucket/source"), expected);

  const source = { "x-amz-copy-source": "bucket/source" };
  const rows: [Record<string, string>, readonly Tag[]][] = [
    [{}, expected],
    [{ "x-amz-metadata-directive": "REPLACE" }, expected],
    [{ "x-amz-tagging-directive": "COPY" }, expected],
    [{ "x-amz-tagging-directive": "REPLACE" }, []],
    [{ "x-amz-tagging-directive": "REPLACE", "x-amz-tagging": "x=y" }, [["x", "y"]]],
  ];
  for (const [headers, tags] of rows) {
    await ok("PUT", "/bucket/copy", { headers: { ...source, ...headers } });
    deepStrictEqual(await tagsOf(gateway, "/bucket/copy"), tags);
  }

  const uploadId = await createUpload(gateway, tagged);
  const part = await uploadPart(gateway, uploadId, 1, "hello");
  await ok("POST", `/bucket/key?uploadId=${uploadId}`, { body: completion([[1, part]]) });
  deepStrictEqual(await tagsOf(gateway, "/bucket/key"), expected);

  await ok("PUT", "/bucket/source", { body: "again" });
  deepStrictEqual(await tagsOf(gateway, "/bucket/source"), []);
  const bad = { "x-amz-tagging": Array.from({ length: 11 }, (_, i) => `k${i}`).join("&") };
  const copied = { ...source, ...bad, "x-amz-tagging-directive": "REPLACE" };
  for (
    const [method, target, headers] of [
      ["PUT", "/bucket/new", bad],
      ["POST", "/bucket/new?uploads", bad],
      ["PUT", "/bucket/new", copied],
    ] as const
  ) await assertError(await send(method, target, { headers }), 400, "BadRequest");
  strictEqual((await send("HEAD", "/bucket/new")).status, 404);
});

Deno.test("a locked object can be tagged", async () => {
  const gateway = await createTestGateway();
  const { ok, send, store } = gateway;
  await ok("PUT", "/bucket/key", { body: "hello" });
  const until = new Date(NOW.getTime() + 60_000);
  store.retain("bucket" as BucketName, "key" as ObjectKey, until);
  await ok("PUT", "/bucket/key?tagging", { body: tagging(["a", "1"]) });
  deepStrictEqual(await tagsOf(gateway, "/bucket/key"), [["a", "1"]]);
  await ok("DELETE", "/bucket/key?tagging");
  await assertError(await send("DELETE", "/bucket/key"), 403, "AccessDenied");
});
