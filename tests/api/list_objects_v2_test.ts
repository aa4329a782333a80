import { deepStrictEqual, ok as assert, strictEqual } from "node:assert/strict";
import { compareUtf8 } from "../../src/s3/key_order.ts";
import { optionalTextOf, textOf, type XmlElement } from "../../src/s3/xml_reader.ts";
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

Deno.test("ListObjectsV2 begins after start-after unless there is a token", async () => {
  const { list } = await withKeys("a", "b", "c");
  const page = await list("&start-after=a&max-keys=1");
  deepStrictEqual(textsAt(page, "Contents", "Key"), ["b"]);
  strictEqual(textOf(page, "StartAfter"), "a");
  const token = textOf(page, "NextContinuationToken");
  const rest = await list(`&start-after=a&continuation-token=${token}`);
  deepStrictEqual(textsAt(rest, "Contents", "Key"), ["c"]);
});

Deno.test("ListObjectsV2 shows no common prefix that is not greater than start-after", async () => {
  const { list } = await withKeys("a/1", "a/2", "b");
  const items = async (query: string) => {
    const page = await list(query);
    return [textsAt(page, "CommonPrefixes", "Prefix"), textsAt(page, "Contents", "Key")];
  };
  deepStrictEqual(await items("&delimiter=%2F&start-after=a"), [["a/"], ["b"]]);
  for (const text of ["a%2F", "a%2F1", "a%2Fz", "a0"]) {
    deepStrictEqual(await items(`&delimiter=%2F&start-after=${text}`), [[], ["b"]], text);
  }
  deepStrictEqual(await items("&delimiter=%2F&prefix=a%2F&start-after=a%2F1"), [[], ["a/2"]]);
  const page = await list("&delimiter=%2F&start-after=a%2F1");
  deepStrictEqual([textOf(page, "StartAfter"), textOf(page, "KeyCount")], ["a/1", "1"]);
});

Deno.test("ListObjectsV2 repeats no common prefix, regardless of the size of the page", async () => {
  const keys = ["x/a", "x/a::1", "x/a::2", "x/b", "x/b::1::2", "x/😀::1", "x/！::1", "y::1"];
  const { list } = await withKeys(...keys);
  for (const maxKeys of [1, 2, 4, 1000]) {
    const shown: string[] = [];
    let token: string | undefined;
    do {
      const more: string = token === undefined ? "" : `&continuation-token=${token}`;
      const page = await list(`&prefix=x%2F&delimiter=%3A%3A&max-keys=${maxKeys}${more}`);
      const items = [
        ...textsAt(page, "Contents", "Key"),
        ...textsAt(page, "CommonPrefixes", "Prefix"),
      ];
      strictEqual(textOf(page, "KeyCount"), String(items.length));
      shown.push(...items.toSorted(compareUtf8));
      token = optionalTextOf(page, "NextContinuationToken");
      assert(items.length === maxKeys || token === undefined);
    } while (token !== undefined);
    deepStrictEqual(shown, ["x/a", "x/a::", "x/b", "x/b::", "x/！::", "x/😀::"]);
  }
});

Deno.test("ListObjectsV2 resumes after a deleted key and shows newer keys", async () => {
  const { list, ok } = await withKeys("a", "b", "d");
  const token = textOf(await list("&max-keys=2"), "NextContinuationToken");
  await ok("DELETE", "/bucket/b");
  for (const key of ["aa", "c"]) await ok("PUT", pathTo(key), { body: "x" });
  const rest = await list(`&continuation-token=${token}`);
  deepStrictEqual(textsAt(rest, "Contents", "Key"), ["c", "d"]);
});

Deno.test("ListObjectsV2 returns NoSuchBucket if the bucket is deleted between two pages", async () => {
  const { list, ok, send } = await withKeys("a", "b");
  const token = textOf(await list("&max-keys=1"), "NextContinuationToken");
  for (const key of ["a", "b"]) await ok("DELETE", `/bucket/${key}`);
  await ok("DELETE", "/bucket");
  const response = await send("GET", `/bucket?list-type=2&continuation-token=${token}`);
  await assertError(response, 404, "NoSuchBucket");
});

Deno.test("ListObjectsV2 shows owners only on request", async () => {
  const { list } = await withKeys("a");
  deepStrictEqual(textsAt(await list(""), "Contents", "Owner"), []);
  deepStrictEqual(textsAt(await list("&fetch-owner=false"), "Contents", "Owner"), []);
  deepStrictEqual(textsAt(await list("&fetch-owner=true"), "Contents", "Owner", "ID"), ["alice"]);
});

Deno.test("ListObjectsV2 shows the checksum algorithm and type of objects", async () => {
  const { list, ok } = await withKeys();
  await ok("PUT", "/bucket/a", { body: "hello", headers: { "x-amz-checksum-crc32": "NhCmhg==" } });
  const page = await list("");
  deepStrictEqual(textsAt(page, "Contents", "ChecksumAlgorithm"), ["CRC32"]);
  deepStrictEqual(textsAt(page, "Contents", "ChecksumType"), ["FULL_OBJECT"]);
});

Deno.test("ListObjectsV2 clamps max-keys and accepts 0", async () => {
  const { list } = await withKeys("a");
  for (
    const [asked, used] of [["1001", "1000"], ["2147483647", "1000"], ["", "1000"], ["7", "7"]]
  ) {
    strictEqual(textOf(await list(`&max-keys=${asked}`), "MaxKeys"), used);
  }
  const none = await list("&max-keys=0");
  deepStrictEqual([textOf(none, "KeyCount"), textOf(none, "IsTruncated")], ["0", "false"]);
});

Deno.test("ListObjectsV2 writes control characters as references, or encoded", async () => {
  const { list, ok } = await withKeys("a\u0001\r");
  deepStrictEqual(textsAt(await list("&encoding-type=url"), "Contents", "Key"), ["a%01%0D"]);
  const text = await (await ok("GET", "/bucket?list-type=2")).text();
  assert(text.includes("<Key>a&#x1;&#xD;</Key>"));
});

Deno.test("ListObjectsV2 encodes every element that is made of keys", async () => {
  const { list } = await withKeys("p(\u0001)/a\u0002/1", "p(\u0001)/!", "p(\u0001)/z");
  const page = await list(
    "&encoding-type=url&prefix=p%28%01%29%2F&delimiter=%02%2F&start-after=p%28&max-keys=2",
  );
  deepStrictEqual(
    ["Prefix", "Delimiter", "StartAfter", "EncodingType"].map((name) => textOf(page, name)),
    ["p%28%01%29/", "%02/", "p%28", "url"],
  );
  deepStrictEqual(textsAt(page, "Contents", "Key"), ["p%28%01%29/%21"]);
  deepStrictEqual(textsAt(page, "CommonPrefixes", "Prefix"), ["p%28%01%29/a%02/"]);
});

Deno.test("ListObjectsV2 refuses tokens that no gateway created", async () => {
  const { list, send } = await withKeys("a", "b", "é", "z");
  const token = textOf(await list("&start-after=b&max-keys=1"), "NextContinuationToken");
  const changed = Array.from(token, (char, i) => {
    return token.slice(0, i) + (char === "A" ? "B" : "A") + token.slice(i + 1);
  });
  const others = [
    "",
    "a",
    "AAAA",
    "z",
    token.slice(0, -1),
    `${token}A`,
    `${token}%3D`,
    `%20${token}`,
  ];
  for (const other of [...others, ...changed]) {
    const response = await send("GET", `/bucket?list-type=2&continuation-token=${other}`);
    const error = await assertError(response, 400, "InvalidArgument");
    strictEqual(textOf(error, "Message"), "The continuation token provided is incorrect");
  }
  deepStrictEqual(textsAt(await list(`&continuation-token=${token}`), "Contents", "Key"), ["é"]);
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
