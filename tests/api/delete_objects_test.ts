import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { deepStrictEqual, match, ok as assert, strictEqual } from "node:assert/strict";
import { childrenOf, textOf } from "../../src/s3/xml_reader.ts";
import {
  assertError,
  contentMD5,
  createTestGateway,
  readXml,
  type Send,
  textsAt,
} from "./test_gateway.ts";

const withMD5 = (body: string): Send => ({ body, headers: { "content-md5": contentMD5(body) } });
const object = (key: string, more = ""): string => `<Object><Key>${key}</Key>${more}</Object>`;
const asked = (...inside: string[]): Send => withMD5(`<Delete>${inside.join("")}</Delete>`);

Deno.test("DeleteObjects deletes each object", async () => {
  const { ok, send } = await createTestGateway();
  for (const key of ["a", "007", "%20b%20"]) await ok("PUT", `/bucket/${key}`, { body: "x" });
  const body = asked(object("a"), object("007"), object(" b "), object("missing"));
  const root = await readXml(await ok("POST", "/bucket?delete", body), "DeleteResult");
  deepStrictEqual(textsAt(root, "Deleted", "Key"), ["a", "007", " b ", "missing"]);
  deepStrictEqual(textsAt(root, "Error"), []);
  for (const key of ["a", "007", "%20b%20"]) {
    deepStrictEqual((await send("HEAD", `/bucket/${key}`)).status, 404);
  }
});

Deno.test("DeleteObjects returns the failures, and only these if quiet", async () => {
  const { ok } = await createTestGateway();
  for (const key of ["a", "b"]) await ok("PUT", `/bucket/${key}`, { body: "x" });
  const body = asked(
    "<Quiet>true</Quiet>",
    object("a"),
    object("b", "<ETag>other</ETag>"),
    object("c", "<VersionId>nope</VersionId>"),
    object("d", "<VersionId>null</VersionId>"),
    object("k".repeat(1025)),
  );
  const root = await readXml(await ok("POST", "/bucket?delete", body), "DeleteResult");
  deepStrictEqual(textsAt(root, "Deleted"), []);
  deepStrictEqual(textsAt(root, "Error", "Code"), [
    "PreconditionFailed",
    "InvalidArgument",
    "KeyTooLongError",
  ]);
  deepStrictEqual(textsAt(root, "Error", "Key").slice(0, 2), ["b", "c"]);
  await ok("HEAD", "/bucket/b");
});

Deno.test("DeleteObjects checks the condition of each object", async () => {
  const { ok, send } = await createTestGateway();
  const keys = ["bare", "quoted", "any", "other", "size", "time", "two", "later", "twice"];
  for (const key of keys) await ok("PUT", `/bucket/${key}`, { body: "x" });
  const etag = "9dd4e461268c8034f5c8564e155c67a6";
  const body = asked(
    object("bare", `<ETag>${etag}</ETag>`),
    object("quoted", `<ETag>&quot;${etag}&quot;</ETag>`),
    object("any", "<ETag>*</ETag>"),
    object("other", "<ETag>00000000000000000000000000000000</ETag>"),
    object("missing", `<ETag>${etag}</ETag>`),
    // AWS documents these for directory buckets only.
    object("size", "<Size>1</Size>"),
    object("time", "<LastModifiedTime>Wed, 01 May 2024 10:00:00 GMT</LastModifiedTime>"),
    object("two", "<Size>2</Size>"),
    object("later", "<LastModifiedTime>2024-05-01T10:00:01Z</LastModifiedTime>"),
    object("none", "<Size>1</Size>"),
    object("twice", "<Size>x</Size>"),
  );
  const root = await readXml(await ok("POST", "/bucket?delete", body), "DeleteResult");
  deepStrictEqual(textsAt(root, "Deleted", "Key"), [
    "bare",
    "quoted",
    "any",
    "size",
    "time",
    "none",
  ]);
  deepStrictEqual(
    childrenOf(root, "Error").map((error) => [textOf(error, "Key"), textOf(error, "Code")]),
    [
      ["other", "PreconditionFailed"],
      ["missing", "NoSuchKey"],
      ["two", "PreconditionFailed"],
      ["later", "PreconditionFailed"],
      ["twice", "InvalidArgument"],
    ],
  );
  strictEqual(textsAt(root, "Error", "Message").length, 5);
  for (const key of keys) {
    const isKept = ["other", "two", "later", "twice"].includes(key);
    strictEqual((await send("HEAD", `/bucket/${key}`)).status, isKept ? 200 : 404, key);
  }
});

Deno.test("DeleteObjects omits successes if quiet", async () => {
  const { ok } = await createTestGateway();
  for (const [quiet, deleted] of [["true", 0], ["false", 2]] as const) {
    await ok("PUT", "/bucket/a", { body: "x" });
    const body = asked(object("a"), object("missing"), `<Quiet>${quiet}</Quiet>`);
    const root = await readXml(await ok("POST", "/bucket?delete", body), "DeleteResult");
    strictEqual(childrenOf(root, "Deleted").length, deleted);
    strictEqual(root.children.length, deleted);
  }
});

Deno.test("DeleteObjects writes keys that XML cannot hold as references", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/a%01%0D", { body: "x" });
  const body = asked(object("a&#x1;&#13;"), object("b&#x2;", "<ETag>e</ETag>"));
  const text = await (await ok("POST", "/bucket?delete", body)).text();
  match(text, /<Deleted><Key>a&#x1;&#xD;<\/Key><\/Deleted>/);
  match(text, /<Error><Key>b&#x2;<\/Key><Code>NoSuchKey<\/Code>/);
  strictEqual((await send("HEAD", "/bucket/a%01%0D")).status, 404);
});

Deno.test("DeleteObjects accepts at most 1,000 keys", async () => {
  const { ok, send } = await createTestGateway();
  const keys = Array.from({ length: 1001 }, (_, i) => `key-${i}`);
  for (const key of keys) await ok("PUT", `/bucket/${key}`, { body: "x" });
  const listed = async (): Promise<readonly string[]> =>
    textsAt(await readXml(await ok("GET", "/bucket"), "ListBucketResult"), "Contents", "Key");

  const objects = keys.map((key) => object(key));
  await assertError(await send("POST", "/bucket?delete", asked(...objects)), 400, "MalformedXML");
  strictEqual((await listed()).length, 1000); // of 1001

  const most = await ok("POST", "/bucket?delete", asked(...objects.slice(1)));
  deepStrictEqual(textsAt(await readXml(most, "DeleteResult"), "Deleted", "Key"), keys.slice(1));
  deepStrictEqual(await listed(), ["key-0"]);
});

Deno.test("DeleteObjects deletes keys concurrently, also a key that comes twice", async () => {
  const gateway = await createTestGateway();
  let running = 0;
  let most = 0;
  const store = new Proxy(gateway.store, {
    get(target, name) {
      if (name === "deleteObject") {
        return async (...call: Parameters<typeof target.deleteObject>) => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 1));
          const deleted = await target.deleteObject(...call);
          running--;
          return deleted;
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await gateway.ok("DELETE", "/bucket");
  const { ok } = await createTestGateway({ store });
  await ok("PUT", "/bucket/key-1", { body: "x" });
  const keys = Array.from({ length: 1000 }, (_, i) => `key-${i % 999}`);
  const answer = await ok("POST", "/bucket?delete", asked(...keys.map((key) => object(key))));
  deepStrictEqual(textsAt(await readXml(answer, "DeleteResult"), "Deleted", "Key"), keys);
  assert(most >= 100, `${most} at the same time`);
});

Deno.test("DeleteObjects accepts a checksum in place of Content-MD5", async () => {
  const { ok } = await createTestGateway();
  const body = `<Delete>${object("a")}</Delete>`;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  const headers = {
    "x-amz-sdk-checksum-algorithm": "CRC32",
    "x-amz-checksum-crc32": bytes.toString("base64"),
  };
  const root = await readXml(await ok("POST", "/bucket?delete", { body, headers }), "DeleteResult");
  deepStrictEqual(textsAt(root, "Deleted", "Key"), ["a"]);
});

Deno.test("DeleteObjects refuses a document that fails its checks", async () => {
  const { send } = await createTestGateway();
  const post = (given: Send): Promise<Response> => send("POST", "/bucket?delete", given);
  await assertError(await post({ body: `<Delete>${object("a")}</Delete>` }), 400, "InvalidRequest");
  const wrong = { ...asked(object("a")), headers: { "content-md5": contentMD5("other") } };
  await assertError(await post(wrong), 400, "BadDigest");
  const crc = { ...asked(object("a")), headers: { "x-amz-checksum-crc32": "AAAAAA==" } };
  await assertError(await post(crc), 400, "BadDigest");
  for (const body of ["", "<Delete>", "<Delete/>", "<Other/>", "<Delete><Object/></Delete>"]) {
    await assertError(await post(withMD5(body)), 400, "MalformedXML");
  }
  const headers = { ...asked(object("a")).headers, "x-amz-sdk-checksum-algorithm": "CRC32" };
  await assertError(await post({ ...asked(object("a")), headers }), 400, "InvalidRequest");
  const missing = await send("POST", "/missing?delete", asked(object("a")));
  await assertError(missing, 404, "NoSuchBucket");
  // The bucket is looked up before the document is read.
  const unread = await send("POST", "/missing?delete", withMD5("<Delete>"));
  await assertError(unread, 404, "NoSuchBucket");
});
