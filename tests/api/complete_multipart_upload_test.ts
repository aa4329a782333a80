import { strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import { assertError, createTestGateway, readXml } from "./test_gateway.ts";

Deno.test("CompleteMultipartUpload makes the object", async () => {
  const gateway = await createTestGateway();
  const { ok } = gateway;
  const uploadId = await createUpload(gateway, { "content-type": "text/plain" });
  const second = await uploadPart(gateway, uploadId, 2, "world");
  const first = await uploadPart(gateway, uploadId, 1, "hello ");
  const target = `/bucket/key?uploadId=${uploadId}`;
  const body = completion([[1, first], [2, second]]);
  for (let i = 0; i < 2; i++) {
    const root = await readXml(await ok("POST", target, { body }), "CompleteMultipartUploadResult");
    strictEqual(textOf(root, "Location"), "http://localhost/bucket/key");
    strictEqual(textOf(root, "Bucket"), "bucket");
    strictEqual(textOf(root, "Key"), "key");
    strictEqual(/^"[0-9a-f]{32}-2"$/.test(textOf(root, "ETag")), true);
  }
  const got = await ok("GET", "/bucket/key");
  strictEqual(await got.text(), "hello world");
  strictEqual(got.headers.get("content-type"), "text/plain");
});

Deno.test("CompleteMultipartUpload refuses a list of parts that is wrong", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  const etags = [
    await uploadPart(gateway, uploadId, 1, "a"),
    await uploadPart(gateway, uploadId, 2, "b"),
  ];
  const [first = "", second = ""] = etags;
  const rows: [string, string][] = [
    ["", "InvalidRequest"],
    ["<oops", "MalformedXML"],
    [completion([]), "MalformedXML"],
    [completion([[2, second], [1, first]]), "InvalidPartOrder"],
    [completion([[1, first], [1, first]]), "InvalidPartOrder"],
    [completion([[1, second]]), "InvalidPart"],
    [completion([[3, first]]), "InvalidPart"],
    [completion([[0, first]]), "InvalidArgument"],
    [completion([[1, first], [2, second]]), "EntityTooSmall"],
    ["<CompleteMultipartUpload><Part/></CompleteMultipartUpload>", "MalformedXML"],
  ];
  for (const [body, code] of rows) {
    const response = await gateway.send("POST", `/bucket/key?uploadId=${uploadId}`, { body });
    await assertError(response, 400, code);
  }
  const body = completion([[1, first]]);
  const none = await gateway.send("POST", "/bucket/key?uploadId=none", { body });
  await assertError(none, 404, "NoSuchUpload");
  const size = { body, headers: { "x-amz-mp-object-size": "2" } };
  const wrong = await gateway.send("POST", `/bucket/key?uploadId=${uploadId}`, size);
  await assertError(wrong, 400, "InvalidRequest");
  strictEqual((await gateway.send("HEAD", "/bucket/key")).status, 404);
});

Deno.test("CompleteMultipartUpload verifies the checksum of the whole", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway, {
    "x-amz-checksum-algorithm": "CRC32",
    "x-amz-checksum-type": "FULL_OBJECT",
  });
  const etag = await uploadPart(gateway, uploadId, 1, "hello", {
    "x-amz-checksum-crc32": "NhCmhg==",
  });
  const body = completion([[1, etag, "<ChecksumCRC32>NhCmhg==</ChecksumCRC32>"]]);
  const complete = (headers: Record<string, string>): Promise<Response> =>
    gateway.send("POST", `/bucket/key?uploadId=${uploadId}`, { body, headers });
  await assertError(await complete({ "x-amz-checksum-crc32": "AAAAAA==" }), 400, "BadDigest");
  await assertError(await complete({ "x-amz-checksum-type": "COMPOSITE" }), 400, "InvalidRequest");
  const response = await complete({
    "x-amz-checksum-crc32": "NhCmhg==",
    "x-amz-checksum-type": "FULL_OBJECT",
    "x-amz-mp-object-size": "5",
  });
  const root = await readXml(response, "CompleteMultipartUploadResult");
  strictEqual(textOf(root, "ChecksumCRC32"), "NhCmhg==");
  strictEqual(textOf(root, "ChecksumType"), "FULL_OBJECT");
});

Deno.test("CompleteMultipartUpload keeps conditions", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  const body = completion([[1, await uploadPart(gateway, uploadId, 1, "hello")]]);
  await gateway.ok("PUT", "/bucket/key", { body: "there" });
  const target = `/bucket/key?uploadId=${uploadId}`;
  const refused = await gateway.send("POST", target, { body, headers: { "if-none-match": "*" } });
  await assertError(refused, 412, "PreconditionFailed");
  await gateway.ok("DELETE", "/bucket/key");
  await gateway.ok("POST", target, { body, headers: { "if-none-match": "*" } });
});
