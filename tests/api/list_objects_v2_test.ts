import { deepStrictEqual, ok as assert, strictEqual } from "node:assert/strict";
import { compareUtf8 } from "../../src/s3/listing.ts";
import { optionalTextOf, textOf, type XmlElement } from "../../src/s3/xml.ts";
import {
  assertError,
  createTestGateway,
  pathTo,
  readXml,
  type TestGateway,
  textsAt,
} from "./test_gateway.ts";

async function withKeys(...keys: string[]): Promise<
  TestGateway & { readonly list: (query: string) => Promise<XmlElement> }
> {
  const gateway = await createTestGateway();
  for (const key of keys) await gateway.ok("PUT", pathTo(key), { body: "x" });
  const list = async (query: string): Promise<XmlElement> =>
    await readXml(await gateway.ok("GET", `/bucket?list-type=2${query}`), "ListBucketResult");
  return { ...gateway, list };
}

Deno.test("ListObjectsV2 pages through everything once, in the order of bytes", async () => {
  const keys = ["a", "a/1", "a/2", "b//c", "！", "😀", "é", "z"];
  const { list } = await withKeys(...keys);
  for (const maxKeys of [1, 3, 1000]) {
    const shown: string[] = [];
    let token: string | undefined;
    do {
      const more: string = token === undefined ? "" : `&continuation-token=${token}`;
      const page = await list(`&max-keys=${maxKeys}${more}`);
      const onPage = textsAt(page, "Contents", "Key");
      strictEqual(textOf(page, "KeyCount"), String(onPage.length));
      strictEqual(optionalTextOf(page, "ContinuationToken"), token);
      shown.push(...onPage);
      token = optionalTextOf(page, "NextContinuationToken");
      strictEqual(textOf(page, "IsTruncated"), String(token !== undefined));
    } while (token !== undefined);
    deepStrictEqual(shown, keys.toSorted(compareUtf8));
  }
});

Deno.test("ListObjectsV2 counts common prefixes as keys", async () => {
  const { list } = await withKeys("a/1", "a/2", "b", "c/1");
  const page = await list("&delimiter=%2F&max-keys=2");
  deepStrictEqual(textsAt(page, "CommonPrefixes", "Prefix"), ["a/"]);
  deepStrictEqual(textsAt(page, "Contents", "Key"), ["b"]);
  strictEqual(textOf(page, "KeyCount"), "2");
  const token = textOf(page, "NextContinuationToken");
  const rest = await list(`&delimiter=%2F&continuation-token=${token}`);
  deepStrictEqual(textsAt(rest, "CommonPrefixes", "Prefix"), ["c/"]);
});

Deno.test("ListObjectsV2 begins after start-after, until there is a token", async () => {
  const { list } = await withKeys("a", "b", "c");
  const page = await list("&start-after=a&max-keys=1");
  deepStrictEqual(textsAt(page, "Contents", "Key"), ["b"]);
  strictEqual(textOf(page, "StartAfter"), "a");
  const token = textOf(page, "NextContinuationToken");
  const rest = await list(`&start-after=a&continuation-token=${token}`);
  deepStrictEqual(textsAt(rest, "Contents", "Key"), ["c"]);
});

Deno.test("ListObjectsV2 shows owners only when asked", async () => {
  const { list } = await withKeys("a");
  deepStrictEqual(textsAt(await list(""), "Contents", "Owner"), []);
  deepStrictEqual(textsAt(await list("&fetch-owner=true"), "Contents", "Owner", "ID"), ["alice"]);
});

Deno.test("ListObjectsV2 shows how objects are checked", async () => {
  const { list, ok } = await withKeys();
  await ok("PUT", "/bucket/a", { body: "hello", headers: { "x-amz-checksum-crc32": "NhCmhg==" } });
  const page = await list("");
  deepStrictEqual(textsAt(page, "Contents", "ChecksumAlgorithm"), ["CRC32"]);
  deepStrictEqual(textsAt(page, "Contents", "ChecksumType"), ["FULL_OBJECT"]);
});

Deno.test("ListObjectsV2 clamps max-keys and takes 0", async () => {
  const { list } = await withKeys("a");
  strictEqual(textOf(await list("&max-keys=5000"), "MaxKeys"), "1000");
  const none = await list("&max-keys=0");
  deepStrictEqual([textOf(none, "KeyCount"), textOf(none, "IsTruncated")], ["0", "false"]);
});

Deno.test("ListObjectsV2 writes control characters as references, or encoded", async () => {
  const { list, ok } = await withKeys("a\u0001\r");
  deepStrictEqual(textsAt(await list("&encoding-type=url"), "Contents", "Key"), ["a%01%0D"]);
  const text = await (await ok("GET", "/bucket?list-type=2")).text();
  assert(text.includes("<Key>a&#x1;&#xD;</Key>"));
});

Deno.test("ListObjectsV2 refuses tokens that no gateway made", async () => {
  const { send } = await withKeys("a");
  for (const token of ["", "a", "AAAA"]) {
    const response = await send("GET", `/bucket?list-type=2&continuation-token=${token}`);
    const error = await assertError(response, 400, "InvalidArgument");
    strictEqual(textOf(error, "Message"), "The continuation token provided is incorrect");
  }
});

Deno.test("listings refuse a prefix that no key can have", async () => {
  const { list, send } = await withKeys("a");
  const longest = encodeURIComponent("é".repeat(512));
  deepStrictEqual(textsAt(await list(`&prefix=${longest}`), "Contents", "Key"), []);
  for (const query of ["list-type=2", "max-keys=1", "uploads"]) {
    const response = await send("GET", `/bucket?${query}&prefix=${longest}a`);
    await assertError(response, 400, "InvalidArgument");
  }
});
