import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { compareUtf8 } from "../../src/s3/key_order.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
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

async function withVersions(): Promise<
  TestGateway & {
    readonly list: (query: string) => Promise<string>;
    readonly version: (status: "Enabled" | "Suspended") => Promise<void>;
    readonly put: (key: string, body: string) => Promise<void>;
    readonly remove: (key: string) => Promise<void>;
  }
> {
  const gateway = await createTestGateway();
  return {
    ...gateway,
    list: async (query) => await (await gateway.ok("GET", `/bucket?versions${query}`)).text(),
    version: async (status) => {
      await gateway.store.putDocument("bucket" as BucketName, "versioning", status);
    },
    put: async (key, body) => void await gateway.ok("PUT", pathTo(key), { body }),
    remove: async (key) => {
      const input = { precondition: {}, owner: "alice" };
      await gateway.store.deleteObject("bucket" as BucketName, key as ObjectKey, input);
    },
  };
}

/** The elements of a page that are versions or common prefixes, in their order. */
function shown(text: string): readonly string[] {
  const element =
    /<(Version|DeleteMarker)><Key>([^<]*)<\/Key><VersionId>([^<]*)<\/VersionId><IsLatest>([a-z]*)</g;
  return Array.from(
    text.matchAll(element),
    ([, name, key, id, latest]) => `${name} ${key} ${id} ${latest}`,
  );
}

Deno.test("ListObjectVersions shows versions and delete markers in one order, the newest of a key first", async () => {
  const { list, version, put, remove, store } = await withVersions();
  await put("a", "1");
  await version("Enabled");
  await put("a", "two");
  await put("b", "x");
  await remove("a");
  await put("a", "three");
  await remove("b/gone");
  await version("Suspended");
  await put("b", "null");
  const { versions } = await store.listVersions("bucket" as BucketName, {
    ...{ prefix: "", delimiter: "", limit: 1000, afterKey: "", afterVersion: undefined },
  });
  const ids = versions.map(({ versionId }) => versionId as string);
  const [a3 = "", marker = "", a2 = "", a1, b2, b1 = "", gone = ""] = ids;
  deepStrictEqual([a1, b2], ["null", "null"]);
  const all = [
    `Version a ${a3} true`,
    `DeleteMarker a ${marker} false`,
    `Version a ${a2} false`,
    "Version a null false",
    "Version b null true",
    `Version b ${b1} false`,
    `DeleteMarker b/gone ${gone} true`,
  ];
  const text = await list("");
  deepStrictEqual(shown(text), all);
  const owner = "<Owner><ID>alice</ID><DisplayName>alice</DisplayName></Owner>";
  const modified = "<LastModified>2024-05-01T10:00:00.000Z</LastModified>";
  strictEqual(
    text.match(/<DeleteMarker>.*?<\/DeleteMarker>/)?.[0],
    `<DeleteMarker><Key>a</Key><VersionId>${marker}</VersionId><IsLatest>false</IsLatest>` +
      `${modified}${owner}</DeleteMarker>`,
  );
  deepStrictEqual(shown(await list("&prefix=b%2F")), all.slice(6));
  deepStrictEqual(shown(await list("&delimiter=%2F")), all.slice(0, 6));
  deepStrictEqual(shown(await list("&key-marker=a")), all.slice(4));
  deepStrictEqual(shown(await list(`&key-marker=a&version-id-marker=${marker}`)), all.slice(2));
  deepStrictEqual(shown(await list("&key-marker=b&version-id-marker=null")), all.slice(5));
  deepStrictEqual(
    shown(await list("&key-marker=b&version-id-marker=0000000002null")),
    all.slice(5),
  );
});

Deno.test("ListObjectVersions pages through versions, delete markers and null versions", async () => {
  const { list, version, put, remove } = await withVersions();
  for (const key of ["a", "b/1", "b/2", "c"]) await put(key, "1");
  for (const status of ["Enabled", "Suspended", "Enabled"] as const) {
    await version(status);
    for (const key of ["a", "b/1", "c"]) {
      await put(key, status);
      await remove(key);
    }
  }
  const whole = shown(await list(""));
  strictEqual(whole.length, 3 * 5 + 1);
  for (const query of ["", "&prefix=b%2F", "&delimiter=%2F"]) {
    const expected = shown(await list(query));
    for (const maxKeys of [1, 2, 3, 7]) {
      const found: string[] = [];
      let pages = 0;
      for (let markers: string | undefined = ""; markers !== undefined; pages++) {
        const text: string = await list(`${query}&max-keys=${maxKeys}${markers}`);
        found.push(...shown(text));
        const [, key] = text.match(/<NextKeyMarker>(.*?)</) ?? [];
        const [, id] = text.match(/<NextVersionIdMarker>(.*?)</) ?? [];
        strictEqual(text.includes("<IsTruncated>true<"), key !== undefined);
        const mark = id === undefined ? "" : `&version-id-marker=${id}`;
        markers = key === undefined ? undefined : `&key-marker=${encodeURIComponent(key)}${mark}`;
      }
      deepStrictEqual(found, expected, `${query} in pages of ${maxKeys}`);
      const items = expected.length + (query === "&delimiter=%2F" ? 1 : 0);
      strictEqual(pages, Math.ceil(items / maxKeys));
    }
  }
});

Deno.test("ListObjectVersions rejects markers and parameters that AWS rejects", async () => {
  const { send } = await withKeys();
  for (
    const [query, name] of [
      ["version-id-marker=null", "version-id-marker"],
      ["version-id-marker=&key-marker=a", "version-id-marker"],
      ["version-id-marker=null&key-marker=", "version-id-marker"],
      ["version-id-marker=0123456789abcdef&key-marker=a", "version-id-marker"],
      ["version-id-marker=0000000001nul&key-marker=a", "version-id-marker"],
      ["version-id-marker=zzzzzzzzzznull&key-marker=a", "version-id-marker"],
      [`version-id-marker=${"z".repeat(32)}&key-marker=a`, "version-id-marker"],
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
