import { strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml.ts";
import { assertError, createTestGateway, readXml } from "./test_gateway.ts";

Deno.test("CreateMultipartUpload answers with an upload id", async () => {
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

Deno.test("CreateMultipartUpload refuses what it cannot keep", async () => {
  const { send } = await createTestGateway();
  const rows: [Record<string, string>, number, string][] = [
    [{ "x-amz-checksum-algorithm": "MD9" }, 400, "InvalidRequest"],
    [{ "x-amz-checksum-type": "COMPOSITE" }, 400, "InvalidRequest"],
    [{ "x-amz-object-lock-mode": "GOVERNANCE" }, 400, "InvalidRequest"],
    [{ "x-amz-server-side-encryption": "aws:kms" }, 501, "NotImplemented"],
  ];
  for (const [headers, status, code] of rows) {
    await assertError(await send("POST", "/bucket/key?uploads", { headers }), status, code);
  }
  await assertError(await send("POST", "/missing/key?uploads"), 404, "NoSuchBucket");
});
