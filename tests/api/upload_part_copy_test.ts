import { strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml.ts";
import { completion, createUpload } from "./multipart_steps.ts";
import { assertError, createTestGateway, readXml } from "./test_gateway.ts";

Deno.test("UploadPartCopy makes parts of an object and of its ranges", async () => {
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
    strictEqual(textOf(root, "LastModified"), "2024-05-01T10:00:00.500Z");
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

Deno.test("UploadPartCopy refuses an upload that is not there", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/source", { body: "x" });
  const headers = { "x-amz-copy-source": "bucket/source" };
  const response = await send("PUT", "/bucket/key?partNumber=1&uploadId=none", { headers });
  await assertError(response, 404, "NoSuchUpload");
});
