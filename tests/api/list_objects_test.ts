import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
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
  deepStrictEqual(textsAt(root, "Contents", "LastModified")[0], "2024-05-01T10:00:00.000Z");
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

Deno.test("ListObjects shows the same time as HeadObject, in whole seconds", async () => {
  const { ok } = await withKeys("a");
  const root = await readXml(await ok("GET", "/bucket"), "ListBucketResult");
  const listed = textsAt(root, "Contents", "LastModified")[0] ?? "";
  const head = (await ok("HEAD", "/bucket/a")).headers.get("last-modified") ?? "";
  strictEqual(Date.parse(listed), Date.parse(head));
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

Deno.test("ListObjects pages through everything once with any delimiter", async () => {
  const keys = ["a", "a-1", "a--1", "a--2", "b--", "b--c--d", "--", "--x", "😀--1", "！--1"];
  const { ok } = await withKeys(...keys);
  const rows: [delimiter: string, prefix: string, expected: string[]][] = [
    ["--", "", ["--", "a", "a--", "a-1", "b--", "！--", "😀--"]],
    ["--", "b--", ["b--", "b--c--"]],
    ["-", "a-", ["a--", "a-1"]],
    ["--1", "", ["--", "--x", "a", "a--1", "a--2", "a-1", "b--", "b--c--d", "！--1", "😀--1"]],
    ["none of them has this", "a", ["a", "a--1", "a--2", "a-1"]],
  ];
  for (const [delimiter, prefix, expected] of rows) {
    const shown: string[] = [];
    let marker: string | undefined = "";
    while (marker !== undefined) {
      const query = new URLSearchParams({ delimiter, prefix, marker, "max-keys": "1" });
      const root = await readXml(await ok("GET", `/bucket?${encoded(query)}`), "ListBucketResult");
      const items = [
        ...textsAt(root, "Contents", "Key"),
        ...textsAt(root, "CommonPrefixes", "Prefix"),
      ];
      const next = textsAt(root, "NextMarker");
      deepStrictEqual(next, textOf(root, "IsTruncated") === "true" ? items : []);
      shown.push(...items);
      [marker] = next;
    }
    deepStrictEqual(shown, expected, `${delimiter} ${prefix}`);
  }
});

/** Encodes a text as signatures require: a space does not become a plus. */
function encoded(query: URLSearchParams): string {
  return query.toString().replaceAll("+", "%20");
}

Deno.test("ListObjects shows no common prefix that is not greater than the marker", async () => {
  const { ok } = await withKeys("a/1", "a/2", "b");
  const list = async (query: string) => {
    const root = await readXml(await ok("GET", `/bucket?${query}`), "ListBucketResult");
    return [textsAt(root, "CommonPrefixes", "Prefix"), textsAt(root, "Contents", "Key")];
  };
  deepStrictEqual(await list("delimiter=%2F&marker=a"), [["a/"], ["b"]]);
  for (const marker of ["a%2F", "a%2F1", "a%2F2", "a%2Fz", "a0"]) {
    deepStrictEqual(await list(`delimiter=%2F&marker=${marker}`), [[], ["b"]], marker);
  }
  deepStrictEqual(await list("marker=a%2F1"), [[], ["a/2", "b"]]);
  deepStrictEqual(await list("delimiter=%2F&prefix=a%2F&marker=a%2F1"), [[], ["a/2"]]);
  const root = await readXml(
    await ok("GET", "/bucket?delimiter=%2F&marker=a%2F1"),
    "ListBucketResult",
  );
  strictEqual(textOf(root, "Marker"), "a/1");
});

Deno.test("ListObjects clamps max-keys and accepts 0", async () => {
  const { ok } = await withKeys("a");
  for (
    const [asked, used] of [["1001", "1000"], ["2147483647", "1000"], ["", "1000"], ["7", "7"]]
  ) {
    const response = await ok("GET", `/bucket?max-keys=${asked}`);
    strictEqual(textOf(await readXml(response, "ListBucketResult"), "MaxKeys"), used);
  }
  const none = await readXml(await ok("GET", "/bucket?max-keys=0&delimiter=a"), "ListBucketResult");
  deepStrictEqual(textsAt(none, "Contents"), []);
  deepStrictEqual([textOf(none, "MaxKeys"), textOf(none, "IsTruncated")], ["0", "false"]);
  deepStrictEqual(textsAt(none, "NextMarker"), []);
});

Deno.test("ListObjects shows the checksum algorithm and type of objects", async () => {
  const { ok } = await withKeys("b");
  await ok("PUT", "/bucket/a", { body: "hello", headers: { "x-amz-checksum-crc32": "NhCmhg==" } });
  const root = await readXml(await ok("GET", "/bucket"), "ListBucketResult");
  deepStrictEqual(textsAt(root, "Contents", "Key"), ["a", "b"]);
  deepStrictEqual(textsAt(root, "Contents", "ChecksumAlgorithm"), ["CRC32"]);
  deepStrictEqual(textsAt(root, "Contents", "ChecksumType"), ["FULL_OBJECT"]);
});

Deno.test("ListObjects returns NoSuchBucket if the bucket is deleted between two pages", async () => {
  const { ok, send } = await withKeys("a", "b");
  await ok("GET", "/bucket?max-keys=1");
  for (const key of ["a", "b"]) await ok("DELETE", `/bucket/${key}`);
  await ok("DELETE", "/bucket");
  await assertError(await send("GET", "/bucket?marker=a"), 404, "NoSuchBucket");
});

Deno.test("ListObjects encodes keys on request", async () => {
  const { ok } = await withKeys("a b/\u0001", "é+");
  const query = "encoding-type=url&prefix=&marker=%20";
  const root = await readXml(await ok("GET", `/bucket?${query}`), "ListBucketResult");
  deepStrictEqual(textsAt(root, "Contents", "Key"), ["a%20b/%01", "%C3%A9%2B"]);
  deepStrictEqual(textsAt(root, "EncodingType"), ["url"]);
  deepStrictEqual(textsAt(root, "Marker"), ["%20"]);
});

Deno.test("ListObjects encodes every element that is made of keys", async () => {
  const { ok } = await withKeys("p(\u0001)/a\u0002/1", "p(\u0001)/b\u0002/1", "p(\u0001)/!");
  const query = "encoding-type=url&prefix=p%28%01%29%2F&delimiter=%02%2F&marker=p%28&max-keys=2";
  const root = await readXml(await ok("GET", `/bucket?${query}`), "ListBucketResult");
  deepStrictEqual(
    ["Prefix", "Delimiter", "Marker", "NextMarker"].map((name) => textOf(root, name)),
    ["p%28%01%29/", "%02/", "p%28", "p%28%01%29/a%02/"],
  );
  deepStrictEqual(textsAt(root, "Contents", "Key"), ["p%28%01%29/%21"]);
  deepStrictEqual(textsAt(root, "CommonPrefixes", "Prefix"), ["p%28%01%29/a%02/"]);
});

Deno.test("ListObjects refuses invalid parameters", async () => {
  const { send } = await withKeys();
  const numbers = ["-1", "x", "1.5", "%201", "2147483648", "99999999999"];
  for (const query of [...numbers.map((text) => `max-keys=${text}`), "encoding-type=gzip"]) {
    for (const version of ["", "&list-type=2"]) {
      const response = await send("GET", `/bucket?${query}${version}`);
      const error = await assertError(response, 400, "InvalidArgument");
      const [name = "", value = ""] = query.split("=");
      strictEqual(textOf(error, "ArgumentName"), name);
      strictEqual(textOf(error, "ArgumentValue"), decodeURIComponent(value));
    }
  }
  const negative = await assertError(
    await send("GET", "/bucket?max-keys=-1"),
    400,
    "InvalidArgument",
  );
  strictEqual(
    textOf(negative, "Message"),
    "Argument max-keys must be an integer between 0 and 2147483647",
  );
  await assertError(await send("GET", "/missing"), 404, "NoSuchBucket");
});
