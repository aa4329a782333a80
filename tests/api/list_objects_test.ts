import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml.ts";
import {
  assertError,
  createTestGateway,
  pathTo,
  readXml,
  type TestGateway,
  textsAt,
} from "./test_gateway.ts";

async function withKeys(...keys: string[]): Promise<TestGateway> {
  const gateway = await createTestGateway();
  for (const key of keys) await gateway.ok("PUT", pathTo(key), { body: "x" });
  return gateway;
}

Deno.test("ListObjects shows objects, owners and common prefixes", async () => {
  const { ok } = await withKeys("a", "b/1", "b/2", "c");
  const root = await readXml(await ok("GET", "/bucket?delimiter=%2F"), "ListBucketResult");
  deepStrictEqual(textsAt(root, "Contents", "Key"), ["a", "c"]);
  deepStrictEqual(textsAt(root, "CommonPrefixes", "Prefix"), ["b/"]);
  deepStrictEqual(textsAt(root, "Contents", "LastModified")[0], "2024-05-01T10:00:00.500Z");
  deepStrictEqual(textsAt(root, "Contents", "ETag")[0], '"9dd4e461268c8034f5c8564e155c67a6"');
  deepStrictEqual(textsAt(root, "Contents", "Size")[0], "1");
  deepStrictEqual(textsAt(root, "Contents", "StorageClass")[0], "STANDARD");
  deepStrictEqual(textsAt(root, "Contents", "Owner", "ID")[0], "alice");
  deepStrictEqual(
    ["Name", "Prefix", "Marker", "MaxKeys", "Delimiter", "IsTruncated"].map((name) =>
      textOf(root, name)
    ),
    ["bucket", "", "", "1000", "/", "false"],
  );
});

Deno.test("ListObjects pages by markers, which it names only with a delimiter", async () => {
  const { ok } = await withKeys("a", "b/1", "b/2", "c", "d");
  const page = async (query: string) =>
    await readXml(await ok("GET", `/bucket?${query}`), "ListBucketResult");

  const first = await page("max-keys=2&delimiter=%2F");
  deepStrictEqual(textsAt(first, "NextMarker"), ["b/"]);
  const second = await page("max-keys=2&delimiter=%2F&marker=b%2F");
  deepStrictEqual(textsAt(second, "Contents", "Key"), ["c", "d"]);
  strictEqual(textOf(second, "IsTruncated"), "false");

  const plain = await page("max-keys=2");
  strictEqual(textOf(plain, "IsTruncated"), "true");
  deepStrictEqual(textsAt(plain, "NextMarker"), []);
  deepStrictEqual(textsAt(await page("marker=b%2F1"), "Contents", "Key"), ["b/2", "c", "d"]);
});

Deno.test("ListObjects encodes keys when asked", async () => {
  const { ok } = await withKeys("a b/\u0001", "é+");
  const query = "encoding-type=url&prefix=&marker=%20";
  const root = await readXml(await ok("GET", `/bucket?${query}`), "ListBucketResult");
  deepStrictEqual(textsAt(root, "Contents", "Key"), ["a%20b/%01", "%C3%A9%2B"]);
  deepStrictEqual(textsAt(root, "EncodingType"), ["url"]);
  deepStrictEqual(textsAt(root, "Marker"), ["%20"]);
});

Deno.test("ListObjects refuses parameters that make no sense", async () => {
  const { send } = await withKeys();
  for (const query of ["max-keys=-1", "max-keys=x", "encoding-type=gzip"]) {
    await assertError(await send("GET", `/bucket?${query}`), 400, "InvalidArgument");
  }
  await assertError(await send("GET", "/missing"), 404, "NoSuchBucket");
});
