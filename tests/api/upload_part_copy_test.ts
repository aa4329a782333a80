import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import { completion, createUpload } from "./multipart_steps.ts";
import { assertError, createTestGateway, readXml, textsAt } from "./test_gateway.ts";

Deno.test("UploadPartCopy stores an object and its ranges as parts", async () => {
  const gateway = await createTestGateway();
  const { ok, send } = gateway;
  await ok("PUT", "/bucket/source", { body: "0123456789" });
  const uploadId = await createUpload(gateway, { "x-amz-checksum-algorithm": "CRC64NVME" });
  const copy = (number: number, headers: Record<string, string>): Promise<Response> =>
    send("PUT", `/bucket/key?partNumber=${number}&uploadId=${uploadId}`, {
      headers: { "x-amz-copy-source": "bucket/source", ...headers },
    });

  const etags: string[] = [];
  for (const [i, headers] of [{}, { "x-amz-copy-source-range": "bytes=2-4" }].entries()) {
    const root = await readXml(await copy(i + 1, headers), "CopyPartResult");
    etags.push(textOf(root, "ETag"));
    strictEqual(textOf(root, "LastModified"), "2024-05-01T10:00:00.000Z");
    strictEqual(textOf(root, "ChecksumCRC64NVME").length, 12);
  }
  for (const range of ["bytes=2-", "bytes=5-10", "2-4"]) {
    await assertError(await copy(3, { "x-amz-copy-source-range": range }), 400, "InvalidArgument");
  }
  const wrong = await copy(3, { "x-amz-copy-source-if-match": '"x"' });
  await assertError(wrong, 412, "PreconditionFailed");
  const none = await copy(3, { "x-amz-copy-source": "bucket/none" });
  await assertError(none, 404, "NoSuchKey");

  const body = completion([[1, etags[0] ?? ""], [2, etags[1] ?? ""]]);
  await ok("POST", `/bucket/key?uploadId=${uploadId}`, { body });
  strictEqual(await (await ok("GET", "/bucket/key")).text(), "0123456789234");
});

Deno.test("UploadPartCopy refuses an upload that does not exist", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/source", { body: "x" });
  const headers = { "x-amz-copy-source": "bucket/source" };
  const response = await send("PUT", "/bucket/key?partNumber=1&uploadId=none", { headers });
  await assertError(response, 404, "NoSuchUpload");
});

Deno.test("UploadPartCopy checks conditions on the source", async () => {
  const gateway = await createTestGateway();
  const put = await gateway.ok("PUT", "/bucket/source", { body: "0123456789" });
  const etag = put.headers.get("etag") ?? "";
  const before = "Wed, 01 May 2024 09:00:00 GMT";
  const after = "Wed, 01 May 2024 11:00:00 GMT";
  const rows: [Record<string, string>, number][] = [
    [{ "if-match": etag }, 200],
    [{ "if-match": '"x"' }, 412],
    [{ "if-none-match": '"x"' }, 200],
    [{ "if-none-match": etag }, 412],
    [{ "if-modified-since": before }, 200],
    [{ "if-modified-since": after }, 412],
    [{ "if-unmodified-since": before }, 412],
    [{ "if-unmodified-since": after }, 200],
    [{ "if-match": etag, "if-unmodified-since": before }, 200],
    [{ "if-none-match": etag, "if-modified-since": before }, 412],
  ];
  const uploadId = await createUpload(gateway);
  for (const [conditions, status] of rows) {
    const headers = Object.fromEntries(
      Object.entries(conditions).map(([name, value]) => [`x-amz-copy-source-${name}`, value]),
    );
    const target = `/bucket/key?partNumber=1&uploadId=${uploadId}`;
    const response = await gateway.send("PUT", target, {
      headers: { "x-amz-copy-source": "bucket/source", ...headers },
    });
    strictEqual(response.status, status, JSON.stringify(conditions));
    await response.body?.cancel();
  }
});

Deno.test("UploadPartCopy refuses invalid requests and leaves the upload usable", async () => {
  const gateway = await createTestGateway();
  await gateway.ok("PUT", "/bucket/source", { body: "0123456789" });
  const uploadId = await createUpload(gateway);
  const rows: [number: string, Record<string, string>, status: number, code: string][] = [
    ["0", {}, 400, "InvalidArgument"],
    ["10001", {}, 400, "InvalidArgument"],
    ["1", { "x-amz-copy-source": "missing/source" }, 404, "NoSuchBucket"],
    ["1", { "x-amz-copy-source": "bucket/none" }, 404, "NoSuchKey"],
    ["1", { "x-amz-copy-source": "bucket" }, 400, "InvalidArgument"],
    ["1", { "x-amz-copy-source-range": "bytes=4-2" }, 400, "InvalidArgument"],
    ["1", { "x-amz-copy-source-range": "bytes=-2" }, 400, "InvalidArgument"],
    ["1", { "x-amz-copy-source-range": "bytes=0-1,3-4" }, 400, "InvalidArgument"],
    ["1", { "x-amz-copy-source-range": "bytes=10-10" }, 400, "InvalidArgument"],
  ];
  for (const [number, headers, status, code] of rows) {
    const target = `/bucket/key?partNumber=${number}&uploadId=${uploadId}`;
    const response = await gateway.send("PUT", target, {
      headers: { "x-amz-copy-source": "/bucket/source", ...headers },
    });
    await assertError(response, status, code);
  }
  const listed = await gateway.ok("GET", `/bucket/key?uploadId=${uploadId}`);
  deepStrictEqual(textsAt(await readXml(listed, "ListPartsResult"), "Part"), []);
  const headers = {
    "x-amz-copy-source": "/bucket/source",
    "x-amz-copy-source-range": "bytes=9-9",
  };
  const target = `/bucket/key?partNumber=1&uploadId=${uploadId}`;
  const root = await readXml(await gateway.ok("PUT", target, { headers }), "CopyPartResult");
  const body = completion([[1, textOf(root, "ETag")]]);
  await gateway.ok("POST", `/bucket/key?uploadId=${uploadId}`, { body });
  strictEqual(await (await gateway.ok("GET", "/bucket/key")).text(), "9");
});
