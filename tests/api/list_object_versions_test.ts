import { deepStrictEqual, strictEqual } from "node:assert/strict";
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
    await readXml(await gateway.ok("GET", `/bucket?versions${query}`), "ListVersionsResult");
  return { ...gateway, list };
}

Deno.test("ListObjectVersions shows each object once, as the latest version null", async () => {
  const { list } = await withKeys("a", "b/1", "b/2", "c");
  const root = await list("&delimiter=%2F");
  deepStrictEqual(textsAt(root, "Version", "Key"), ["a", "c"]);
  deepStrictEqual(textsAt(root, "CommonPrefixes", "Prefix"), ["b/"]);
  deepStrictEqual(textsAt(root, "Version", "VersionId"), ["null", "null"]);
  deepStrictEqual(textsAt(root, "Version", "IsLatest"), ["true", "true"]);
  deepStrictEqual(textsAt(root, "Version", "LastModified")[0], "2024-05-01T10:00:00.000Z");
  deepStrictEqual(textsAt(root, "Version", "ETag")[0], '"9dd4e461268c8034f5c8564e155c67a6"');
  deepStrictEqual(textsAt(root, "Version", "Size")[0], "1");
  deepStrictEqual(textsAt(root, "Version", "StorageClass")[0], "STANDARD");
  deepStrictEqual(textsAt(root, "Version", "Owner", "ID")[0], "alice");
  const names = ["Name", "Prefix", "KeyMarker", "VersionIdMarker", "MaxKeys", "Delimiter"];
  deepStrictEqual(
    [...names, "IsTruncated"].map((name) => textOf(root, name)),
    ["bucket", "", "", "", "1000", "/", "false"],
  );
  deepStrictEqual(textsAt(root, "DeleteMarker"), []);
  for (const name of ["NextKeyMarker", "NextVersionIdMarker", "EncodingType"]) {
    strictEqual(optionalTextOf(root, name), undefined);
  }
});

Deno.test("ListObjectVersions pages through everything once, by key and version markers", async () => {
  const keys = ["a", "a/1", "a/2", "b//c", "！", "😀", "é", "z"];
  const { list } = await withKeys(...keys);
  for (const maxKeys of [1, 3, 1000]) {
    const shown: string[] = [];
    for (let markers: string | undefined = ""; markers !== undefined;) {
      const page: XmlElement = await list(`&encoding-type=url&max-keys=${maxKeys}${markers}`);
      shown.push(...textsAt(page, "Version", "Key").map(decodeURIComponent));
      const next = optionalTextOf(page, "NextKeyMarker");
      strictEqual(optionalTextOf(page, "NextVersionIdMarker"), next && "null");
      strictEqual(textOf(page, "IsTruncated"), String(next !== undefined));
      const encoded: string = encodeURIComponent(decodeURIComponent(next ?? ""));
      markers = next && `&key-marker=${encoded}&version-id-marker=null`;
    }
    deepStrictEqual(shown, keys.toSorted(compareUtf8));
  }
});

Deno.test("ListObjectVersions continues after a common prefix without a version marker", async () => {
  const { list } = await withKeys("a/1", "a/2", "b", "c/1");
  const page = await list("&delimiter=%2F&max-keys=1");
  deepStrictEqual(textsAt(page, "CommonPrefixes", "Prefix"), ["a/"]);
  strictEqual(textOf(page, "NextKeyMarker"), "a/");
  strictEqual(optionalTextOf(page, "NextVersionIdMarker"), undefined);
  const rest = await list("&delimiter=%2F&key-marker=a%2F");
  deepStrictEqual(textsAt(rest, "Version", "Key"), ["b"]);
  deepStrictEqual(textsAt(rest, "CommonPrefixes", "Prefix"), ["c/"]);
  const inside = await list("&prefix=a%2F&key-marker=a%2F1&version-id-marker=null");
  deepStrictEqual(textsAt(inside, "Version", "Key"), ["a/2"]);
  deepStrictEqual([textOf(inside, "KeyMarker"), textOf(inside, "VersionIdMarker")], [
    "a/1",
    "null",
  ]);
});

Deno.test("ListObjectVersions rejects markers and parameters that AWS rejects", async () => {
  const { send } = await withKeys();
  for (
    const [query, name] of [
      ["version-id-marker=null", "version-id-marker"],
      ["version-id-marker=&key-marker=a", "version-id-marker"],
      ["version-id-marker=null&key-marker=", "version-id-marker"],
      ["version-id-marker=0123456789abcdef&key-marker=a", "version-id-marker"],
      ["max-keys=-1", "max-keys"],
      ["encoding-type=base64", "encoding-type"],
      [`prefix=${"x".repeat(1025)}`, "prefix"],
    ]
  ) {
    const error = await assertError(
      await send("GET", `/bucket?versions&${query}`),
      400,
      "InvalidArgument",
    );
    strictEqual(textOf(error, "ArgumentName"), name);
  }
  await assertError(await send("GET", "/missing?versions"), 404, "NoSuchBucket");
});
