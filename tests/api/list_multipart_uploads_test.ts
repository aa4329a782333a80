import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { optionalTextOf, textOf } from "../../src/s3/xml_reader.ts";
import { createUpload } from "./multipart_steps.ts";
import { assertError, createTestGateway, readXml, textsAt } from "./test_gateway.ts";

Deno.test("ListMultipartUploads shows uploads by key, in pages", async () => {
  const gateway = await createTestGateway();
  const ids = new Set<string>();
  for (const path of ["/bucket/b/1", "/bucket/a", "/bucket/a", "/bucket/c"]) {
    ids.add(await createUpload(gateway, {}, path));
  }
  const list = async (query: string) =>
    await readXml(await gateway.ok("GET", `/bucket?uploads${query}`), "ListMultipartUploadsResult");

  const all = await list("");
  deepStrictEqual(textsAt(all, "Upload", "Key"), ["a", "a", "b/1", "c"]);
  deepStrictEqual(new Set(textsAt(all, "Upload", "UploadId")), ids);
  deepStrictEqual(textsAt(all, "Upload", "Initiator", "ID")[0], "alice");
  deepStrictEqual(textsAt(all, "Upload", "Initiated")[0], "2024-05-01T10:00:00.000Z");

  const shown: string[] = [];
  let markers = "";
  for (let truncated = "true"; truncated === "true";) {
    const page = await list(`&max-uploads=1${markers}`);
    shown.push(...textsAt(page, "Upload", "UploadId"));
    truncated = textOf(page, "IsTruncated");
    markers = `&key-marker=${encodeURIComponent(optionalTextOf(page, "NextKeyMarker") ?? "")}` +
      `&upload-id-marker=${optionalTextOf(page, "NextUploadIdMarker") ?? ""}`;
  }
  deepStrictEqual(shown, textsAt(all, "Upload", "UploadId"));

  const grouped = await list("&delimiter=%2F&key-marker=a");
  deepStrictEqual(textsAt(grouped, "CommonPrefixes", "Prefix"), ["b/"]);
  deepStrictEqual(textsAt(grouped, "Upload", "Key"), ["c"]);
  strictEqual(textOf(grouped, "Delimiter"), "/");
});

Deno.test("ListMultipartUploads shows no common prefix that is not greater than the key marker", async () => {
  const gateway = await createTestGateway();
  const ids = new Map<string, string>();
  for (const key of ["a/1", "a/3", "b", "c/1"]) {
    ids.set(key, await createUpload(gateway, {}, `/bucket/${key}`));
  }
  const rows: [query: string, prefixes: string[], keys: string[]][] = [
    ["", ["a/", "c/"], ["b"]],
    ["&key-marker=a", ["a/", "c/"], ["b"]],
    ["&key-marker=a%2F", ["c/"], ["b"]],
    ["&key-marker=a%2F2", ["c/"], ["b"]],
    [`&key-marker=a%2F1&upload-id-marker=${ids.get("a/1")}`, ["c/"], ["b"]],
    ["&key-marker=a%2F1&prefix=a%2F", [], ["a/3"]],
    ["&key-marker=c", ["c/"], []],
    ["&key-marker=d", [], []],
  ];
  for (const [query, prefixes, keys] of rows) {
    const response = await gateway.ok("GET", `/bucket?uploads&delimiter=%2F${query}`);
    const page = await readXml(response, "ListMultipartUploadsResult");
    deepStrictEqual(textsAt(page, "CommonPrefixes", "Prefix"), prefixes, query);
    deepStrictEqual(textsAt(page, "Upload", "Key"), keys, query);
  }
});

Deno.test("ListMultipartUploads shows the properties of an upload", async () => {
  const gateway = await createTestGateway();
  const id = await createUpload(gateway, {
    "x-amz-checksum-algorithm": "CRC32C",
    "x-amz-checksum-type": "FULL_OBJECT",
    "x-amz-storage-class": "GLACIER_IR",
  });
  const page = await readXml(
    await gateway.ok("GET", "/bucket?uploads"),
    "ListMultipartUploadsResult",
  );
  const names = ["Key", "UploadId", "StorageClass", "ChecksumAlgorithm", "ChecksumType"];
  deepStrictEqual(
    names.flatMap((name) => textsAt(page, "Upload", name)),
    ["key", id, "GLACIER_IR", "CRC32C", "FULL_OBJECT"],
  );
  deepStrictEqual(
    ["Bucket", "KeyMarker", "UploadIdMarker", "Prefix", "MaxUploads", "IsTruncated"]
      .map((name) => textOf(page, name)),
    ["bucket", "", "", "", "1000", "false"],
  );
});

Deno.test("ListMultipartUploads accepts prefix, encoding and markers", async () => {
  const gateway = await createTestGateway();
  const ids: string[] = [];
  for (
    const path of ["/bucket/a%20b/%2B", "/bucket/a%20b/%C3%A4", "/bucket/a%20b/%C3%A4", "/bucket/c"]
  ) {
    ids.push(await createUpload(gateway, {}, path));
  }
  const list = async (query: string) =>
    await readXml(await gateway.ok("GET", `/bucket?uploads${query}`), "ListMultipartUploadsResult");

  const plain = await list("&prefix=a%20b%2F");
  deepStrictEqual(textsAt(plain, "Upload", "Key"), ["a b/+", "a b/ä", "a b/ä"]);
  strictEqual(optionalTextOf(plain, "EncodingType"), undefined);

  const encoded = await list("&prefix=a%20b%2F&encoding-type=url&max-uploads=2");
  deepStrictEqual(textsAt(encoded, "Upload", "Key"), ["a%20b/%2B", "a%20b/%C3%A4"]);
  deepStrictEqual(
    ["Prefix", "EncodingType", "NextKeyMarker", "IsTruncated", "MaxUploads"]
      .map((name) => textOf(encoded, name)),
    ["a%20b/", "url", "a%20b/%C3%A4", "true", "2"],
  );
  const next = textOf(encoded, "NextUploadIdMarker");
  const rest = await list(`&encoding-type=url&key-marker=a%20b%2F%C3%A4&upload-id-marker=${next}`);
  deepStrictEqual(textsAt(rest, "Upload", "Key"), ["a%20b/%C3%A4", "c"]);
  deepStrictEqual(
    ["KeyMarker", "UploadIdMarker"].map((name) => textOf(rest, name)),
    ["a%20b/%C3%A4", next],
  );
  deepStrictEqual(textsAt(await list("&key-marker=a%20b%2F%C3%A4"), "Upload", "Key"), ["c"]);
  // Without a key marker, the upload id marker has no effect.
  strictEqual(textsAt(await list(`&upload-id-marker=${ids[3]}`), "Upload").length, 4);
  const none = await list("&max-uploads=0");
  deepStrictEqual([textsAt(none, "Upload").length, textOf(none, "IsTruncated")], [0, "false"]);

  for (const query of ["&max-uploads=-1", "&max-uploads=x", "&encoding-type=base64"]) {
    const response = await gateway.send("GET", `/bucket?uploads${query}`);
    await assertError(response, 400, "InvalidArgument");
  }
  await assertError(await gateway.send("GET", "/missing?uploads"), 404, "NoSuchBucket");
});
