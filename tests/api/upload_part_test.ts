import { strictEqual } from "node:assert/strict";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import { assertError, contentMD5, createTestGateway } from "./test_gateway.ts";

Deno.test("UploadPart returns the part's MD5 and checksum", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway, { "x-amz-checksum-algorithm": "CRC32" });
  const target = `/bucket/key?partNumber=1&uploadId=${uploadId}`;
  const headers = { "x-amz-checksum-crc32": "NhCmhg==" };
  const response = await gateway.ok("PUT", target, { body: "hello", headers });
  strictEqual(response.headers.get("etag"), '"5d41402abc4b2a76b9719d911017c592"');
  strictEqual(response.headers.get("x-amz-checksum-crc32"), "NhCmhg==");
  await assertError(await gateway.send("PUT", target, { body: "x" }), 400, "InvalidRequest");
});

Deno.test("UploadPart refuses invalid requests", async () => {
  const gateway = await createTestGateway();
  const { send } = gateway;
  const uploadId = await createUpload(gateway);
  const put = (query: string, headers: Record<string, string> = {}): Promise<Response> =>
    send("PUT", `/bucket/key?${query}`, { body: "hello", headers });
  for (const number of ["0", "10001", "x", ""]) {
    const response = await put(`partNumber=${number}&uploadId=${uploadId}`);
    await assertError(response, 400, "InvalidArgument");
  }
  await assertError(await put("partNumber=1&uploadId=none"), 404, "NoSuchUpload");
  await assertError(await put("partNumber=1&uploadId=a.b%3E"), 404, "NoSuchUpload");
  await assertError(await put(`uploadId=${uploadId}`), 405, "MethodNotAllowed");
  const valid = `partNumber=1&uploadId=${uploadId}`;
  const wrong = await put(valid, { "content-md5": contentMD5("other") });
  await assertError(wrong, 400, "BadDigest");
  const customer = { "x-amz-server-side-encryption-customer-algorithm": "AES256" };
  await assertError(await put(valid, customer), 501, "NotImplemented");
  await uploadPart(gateway, uploadId, 10_000, "last");
});

Deno.test("UploadPart refuses a checksum of another algorithm than the upload names", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway, { "x-amz-checksum-algorithm": "CRC32" });
  const target = `/bucket/key?partNumber=1&uploadId=${uploadId}`;
  const rows: [Record<string, string>, string][] = [
    [{ "x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": "NhCmhg==" }, "BadDigest"],
    [{ "x-amz-sdk-checksum-algorithm": "CRC32" }, "InvalidRequest"],
    [{ "x-amz-checksum-crc32": "AAAAAA==" }, "BadDigest"],
  ];
  for (const [headers, code] of rows) {
    const response = await gateway.send("PUT", target, { body: "hello", headers });
    await assertError(response, 400, code);
  }
  const parts = await gateway.ok("GET", `/bucket/key?uploadId=${uploadId}`);
  strictEqual((await parts.text()).includes("<Part>"), false);
  await uploadPart(gateway, uploadId, 1, "hello", {
    "x-amz-sdk-checksum-algorithm": "CRC32",
    "x-amz-checksum-crc32": "NhCmhg==",
  });
});

Deno.test("UploadPart computes the checksum that a full-object upload needs", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway, { "x-amz-checksum-algorithm": "CRC64NVME" });
  const target = `/bucket/key?partNumber=1&uploadId=${uploadId}`;
  const { headers } = await gateway.ok("PUT", target, { body: "123456789" });
  strictEqual(headers.get("x-amz-checksum-crc64nvme"), "rosUhgp5mIg=");
  const other = { "x-amz-checksum-crc32": "NhCmhg==" };
  const refused = await gateway.send("PUT", target, { body: "hello", headers: other });
  await assertError(refused, 400, "InvalidRequest");

  const body = completion([[1, headers.get("etag") ?? ""]]);
  const complete = (checksum: string): Promise<Response> =>
    gateway.send("POST", `/bucket/key?uploadId=${uploadId}`, {
      body,
      headers: { "x-amz-checksum-crc64nvme": checksum },
    });
  await assertError(await complete("AAAAAAAAAAA="), 400, "BadDigest");
  strictEqual((await complete("rosUhgp5mIg=")).status, 200);
});

Deno.test("UploadPart accepts parts in any order, and repeatedly", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  const etags = new Map<number, string>();
  for (
    const [number, body] of [[3, "third"], [1, "wrong"], [2, "second "], [1, "first "]] as const
  ) {
    etags.set(number, await uploadPart(gateway, uploadId, number, body));
  }
  const body = completion([1, 2, 3].map((number) => [number, etags.get(number) ?? ""]));
  await gateway.ok("POST", `/bucket/key?uploadId=${uploadId}`, { body });
  strictEqual(await (await gateway.ok("GET", "/bucket/key")).text(), "first second third");
});
