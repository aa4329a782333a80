import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { optionalTextOf, textOf } from "../../src/s3/xml.ts";
import { createUpload } from "./multipart_steps.ts";
import { createTestGateway, readXml, textsAt } from "./test_gateway.ts";

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
  deepStrictEqual(textsAt(all, "Upload", "Initiated")[0], "2024-05-01T10:00:00.500Z");

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
