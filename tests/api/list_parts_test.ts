import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { optionalTextOf, textOf } from "../../src/s3/xml_reader.ts";
import { createUpload, uploadPart } from "./multipart_steps.ts";
import { assertError, createTestGateway, readXml, textsAt } from "./test_gateway.ts";

Deno.test("ListParts shows the parts by number, in pages", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  for (const number of [3, 1, 2, 1]) {
    await uploadPart(gateway, uploadId, number, "x".repeat(number));
  }
  const list = async (query: string) =>
    await readXml(
      await gateway.ok("GET", `/bucket/key?uploadId=${uploadId}${query}`),
      "ListPartsResult",
    );
  const all = await list("");
  deepStrictEqual(textsAt(all, "Part", "PartNumber"), ["1", "2", "3"]);
  deepStrictEqual(textsAt(all, "Part", "Size"), ["1", "2", "3"]);
  deepStrictEqual(textsAt(all, "Owner", "ID"), ["alice"]);
  deepStrictEqual(textsAt(all, "Part", "LastModified")[0], "2024-05-01T10:00:00.000Z");
  strictEqual(textOf(all, "StorageClass"), "STANDARD");
  strictEqual(textOf(all, "IsTruncated"), "false");
  strictEqual(optionalTextOf(all, "NextPartNumberMarker"), undefined);

  const first = await list("&max-parts=2");
  strictEqual(textOf(first, "IsTruncated"), "true");
  strictEqual(textOf(first, "NextPartNumberMarker"), "2");
  const rest = await list("&max-parts=2&part-number-marker=2");
  deepStrictEqual(textsAt(rest, "Part", "PartNumber"), ["3"]);
  strictEqual(textOf(rest, "PartNumberMarker"), "2");
  for (const query of ["&part-number-marker=3", "&part-number-marker=20000", "&max-parts=0"]) {
    const none = await list(query);
    deepStrictEqual([textsAt(none, "Part"), textOf(none, "IsTruncated")], [[], "false"], query);
  }
  strictEqual(textOf(await list("&max-parts=5000"), "MaxParts"), "1000");
});

Deno.test("ListParts refuses invalid parameters", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  await assertError(await gateway.send("GET", "/bucket/key?uploadId=none"), 404, "NoSuchUpload");
  const target = `/bucket/key?uploadId=${uploadId}&max-parts=-1`;
  await assertError(await gateway.send("GET", target), 400, "InvalidArgument");
  const marker = `/bucket/key?uploadId=${uploadId}&part-number-marker=x`;
  await assertError(await gateway.send("GET", marker), 400, "InvalidArgument");
  const otherKey = await gateway.send("GET", `/bucket/other?uploadId=${uploadId}`);
  await assertError(otherKey, 404, "NoSuchUpload");
  await gateway.ok("DELETE", `/bucket/key?uploadId=${uploadId}`);
  await assertError(
    await gateway.send("GET", `/bucket/key?uploadId=${uploadId}`),
    404,
    "NoSuchUpload",
  );
});
