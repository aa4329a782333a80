import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import { assertError, createTestGateway, readXml } from "./test_gateway.ts";

Deno.test("CreateMultipartUpload returns an upload id", async () => {
  const { ok } = await createTestGateway();
  const headers = { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT" };
  const response = await ok("POST", "/bucket/a/b?uploads", { headers });
  strictEqual(response.headers.get("x-amz-checksum-algorithm"), "CRC32");
  strictEqual(response.headers.get("x-amz-checksum-type"), "FULL_OBJECT");
  const root = await readXml(response, "InitiateMultipartUploadResult");
  strictEqual(textOf(root, "Bucket"), "bucket");
  strictEqual(textOf(root, "Key"), "a/b");
  strictEqual(textOf(root, "UploadId").length > 0, true);
});

Deno.test("CreateMultipartUpload refuses headers that the gateway cannot enforce", async () => {
  const { send } = await createTestGateway();
  const rows: [Record<string, string>, number, string][] = [
    [{ "x-amz-checksum-algorithm": "MD9" }, 400, "InvalidRequest"],
    [{ "x-amz-checksum-type": "COMPOSITE" }, 400, "InvalidRequest"],
    [{ "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "HALF" }, 400, "InvalidRequest"],
    [
      { "x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "FULL_OBJECT" },
      400,
      "InvalidRequest",
    ],
    [
      { "x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE" },
      400,
      "InvalidRequest",
    ],
    [{ "x-amz-storage-class": "COLD" }, 400, "InvalidStorageClass"],
    [{ "x-amz-tagging": "a=1&a=2" }, 400, "InvalidArgument"],
    [{ "x-amz-meta-a": "x".repeat(3000) }, 400, "MetadataTooLarge"],
    [{ "x-amz-object-lock-legal-hold": "ON" }, 400, "InvalidRequest"],
    [{ "x-amz-server-side-encryption": "aws:kms" }, 501, "NotImplemented"],
  ];
  for (const [headers, status, code] of rows) {
    await assertError(await send("POST", "/bucket/key?uploads", { headers }), status, code);
  }
  await assertError(await send("POST", "/missing/key?uploads"), 404, "NoSuchBucket");
});

Deno.test("CreateMultipartUpload stores every header that PutObject stores", async () => {
  const gateway = await createTestGateway({ encryptionAtRest: true });
  const kept = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "max-age=60",
    "content-disposition": 'attachment; filename="a b.html"',
    "content-encoding": "gzip",
    "content-language": "de",
    "expires": "Thu, 01 Dec 2033 16:00:00 GMT",
    "x-amz-website-redirect-location": "/elsewhere",
    "x-amz-storage-class": "STANDARD_IA",
    "x-amz-server-side-encryption": "AES256",
    "x-amz-meta-name": "value",
    "x-amz-meta-other": "more",
  };
  const headers = { ...kept, "x-amz-tagging": "k=v&l=w" };
  const uploadId = await createUpload(gateway, headers);
  const body = completion([[1, await uploadPart(gateway, uploadId, 1, "hello")]]);
  await gateway.ok("POST", `/bucket/key?uploadId=${uploadId}`, { body });
  await gateway.ok("PUT", "/bucket/put", { body: "hello", headers });
  for (const key of ["key", "put"]) {
    const { headers: shown } = await gateway.ok("HEAD", `/bucket/${key}`);
    deepStrictEqual(
      Object.fromEntries(Object.keys(kept).map((name) => [name, shown.get(name)])),
      kept,
      key,
    );
    strictEqual(shown.get("x-amz-tagging-count"), "2", key);
  }
});
