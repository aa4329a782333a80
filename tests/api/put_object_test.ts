import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { assertError, contentMD5, createTestGateway, type Send } from "./test_gateway.ts";

Deno.test("PutObject returns the MD5 as ETag", async () => {
  const { ok } = await createTestGateway();
  const response = await ok("PUT", "/bucket/key", { body: "hello" });
  strictEqual(response.headers.get("etag"), '"5d41402abc4b2a76b9719d911017c592"');
  strictEqual(await (await ok("GET", "/bucket/key")).text(), "hello");
});

Deno.test("PutObject verifies the stated length and hashes before it stores anything", async () => {
  const { ok, send, store } = await createTestGateway();
  const rows: [Record<string, string>, number, string][] = [
    [{ "content-md5": contentMD5("other") }, 400, "BadDigest"],
    [{ "content-md5": "xyz" }, 400, "InvalidDigest"],
    [{ "x-amz-content-sha256": "0".repeat(64) }, 400, "XAmzContentSHA256Mismatch"],
    [{ "x-amz-checksum-crc32": "AAAAAA==" }, 400, "BadDigest"],
    [{ "x-amz-checksum-crc32": "AAA" }, 400, "InvalidRequest"],
    [{ "x-amz-checksum-crc32": "NhCmhg==", "x-amz-checksum-sha1": "x" }, 400, "InvalidRequest"],
    [{ "x-amz-sdk-checksum-algorithm": "CRC32" }, 400, "InvalidRequest"],
    [
      { "x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": "NhCmhg==" },
      400,
      "BadDigest",
    ],
    [{ "x-amz-checksum-sha512": "AAAA" }, 400, "InvalidRequest"],
  ];
  for (const [headers, status, code] of rows) {
    await assertError(await send("PUT", "/bucket/key", { body: "hello", headers }), status, code);
  }
  deepStrictEqual((await store.listBuckets()).length, 1);
  strictEqual((await send("HEAD", "/bucket/key")).status, 404);

  const headers = { "content-md5": contentMD5("hello"), "x-amz-checksum-crc32": "NhCmhg==" };
  const response = await ok("PUT", "/bucket/key", { body: "hello", headers });
  strictEqual(response.headers.get("x-amz-checksum-crc32"), "NhCmhg==");
  strictEqual(response.headers.get("x-amz-checksum-type"), "FULL_OBJECT");
});

Deno.test("PutObject verifies a checksum in a trailer", async () => {
  const { ok, send } = await createTestGateway();
  const put = (checksum: string): Send => ({
    body: `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`,
    headers: {
      "content-encoding": "aws-chunked",
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "x-amz-decoded-content-length": "5",
      "x-amz-trailer": "x-amz-checksum-crc32",
    },
  });
  await assertError(await send("PUT", "/bucket/key", put("AAAAAA==")), 400, "BadDigest");
  const response = await ok("PUT", "/bucket/key", put("NhCmhg=="));
  strictEqual(response.headers.get("x-amz-checksum-crc32"), "NhCmhg==");
  const got = await ok("GET", "/bucket/key");
  strictEqual(await got.text(), "hello");
  strictEqual(got.headers.get("content-encoding"), null);
});

Deno.test("PutObject stores metadata, and GetObject returns it", async () => {
  const { ok } = await createTestGateway();
  const utf8 = (text: string): string => Buffer.from(text).toString("latin1");
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "max-age=60",
    "content-disposition": utf8('attachment; filename="é.txt"'),
    "content-encoding": "gzip",
    "content-language": "de",
    "expires": "Wed, 01 May 2030 10:00:00 GMT",
    "x-amz-meta-name": utf8("漢字 😀"),
    "x-amz-meta-empty": "",
    "x-amz-storage-class": "STANDARD_IA",
    "x-amz-website-redirect-location": "/other",
  };
  await ok("PUT", "/bucket/key", {
    headers: { ...headers, "x-amz-tagging": "a=1&b=2" },
    body: "x",
  });
  for (const method of ["GET", "HEAD"]) {
    const response = await ok(method, "/bucket/key");
    await response.body?.cancel();
    for (const [name, value] of Object.entries(headers)) {
      strictEqual(response.headers.get(name), value, name);
    }
    strictEqual(response.headers.get("x-amz-tagging-count"), "2");
  }
});

Deno.test("PutObject gives an object without a content type AWS's default", async () => {
  const { ok } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: new Uint8Array([1]) });
  strictEqual((await ok("HEAD", "/bucket/key")).headers.get("content-type"), "binary/octet-stream");
});

Deno.test("PutObject checks conditions", async () => {
  const { ok, send } = await createTestGateway();
  const put = (headers: Record<string, string>): Promise<Response> =>
    send("PUT", "/bucket/key", { body: "x", headers });
  await assertError(await put({ "if-match": '"abc"' }), 404, "NoSuchKey");
  strictEqual((await put({ "if-none-match": "*" })).status, 200);
  await assertError(await put({ "if-none-match": "*" }), 412, "PreconditionFailed");
  await assertError(await put({ "if-none-match": '"abc"' }), 501, "NotImplemented");
  await assertError(await put({ "if-match": '"abc"' }), 412, "PreconditionFailed");
  const etag = (await ok("HEAD", "/bucket/key")).headers.get("etag") ?? "";
  strictEqual((await put({ "if-match": etag })).status, 200);
});

Deno.test("PutObject lets one of fifty racing writers win", async () => {
  const { send } = await createTestGateway();
  const responses = await Promise.all(
    Array.from(
      { length: 50 },
      (_, i) => send("PUT", "/bucket/key", { body: `${i}`, headers: { "if-none-match": "*" } }),
    ),
  );
  const statuses = responses.map(({ status }) => status);
  deepStrictEqual(statuses.filter((status) => status === 200).length, 1);
  deepStrictEqual(statuses.filter((status) => status === 412).length, 49);
});

Deno.test("PutObject refuses headers that the gateway cannot enforce", async () => {
  const { send } = await createTestGateway();
  const rows: [Record<string, string>, number, string][] = [
    [{ "x-amz-meta-a": "x".repeat(2048) }, 400, "MetadataTooLarge"],
    [{ "x-amz-object-lock-legal-hold": "ON" }, 400, "InvalidRequest"],
    [{ "x-amz-server-side-encryption": "AES256" }, 501, "NotImplemented"],
    [{ "x-amz-server-side-encryption": "aws:kms" }, 501, "NotImplemented"],
    [{ "x-amz-server-side-encryption-customer-algorithm": "AES256" }, 501, "NotImplemented"],
    [{ "x-amz-acl": "public-read" }, 400, "AccessControlListNotSupported"],
    [{ "x-amz-tagging": "a=1&a=2" }, 400, "InvalidArgument"],
    [{ "x-amz-storage-class": "GLACIER" }, 400, "InvalidStorageClass"],
  ];
  for (const [headers, status, code] of rows) {
    await assertError(await send("PUT", "/bucket/key", { body: "x", headers }), status, code);
  }
  await assertError(await send("PUT", "/missing/key", { body: "x" }), 404, "NoSuchBucket");
  const long = await send("PUT", `/bucket/${"k".repeat(1025)}`, { body: "x" });
  await assertError(long, 400, "KeyTooLongError");
  strictEqual((await send("HEAD", "/bucket/key")).status, 404);
});

Deno.test("PutObject returns AES256 where JetStream encrypts", async () => {
  const { ok } = await createTestGateway({ encryptionAtRest: true });
  const headers = { "x-amz-server-side-encryption": "AES256" };
  const response = await ok("PUT", "/bucket/key", { body: "x", headers });
  strictEqual(response.headers.get("x-amz-server-side-encryption"), "AES256");
  const head = await ok("HEAD", "/bucket/key");
  strictEqual(head.headers.get("x-amz-server-side-encryption"), "AES256");
});

Deno.test("PutObject refuses a body of more than 5 GiB before reading it", async () => {
  const { send } = await createTestGateway();
  const headers = {
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-decoded-content-length": String(5 * 1024 ** 3 + 1),
  };
  const response = await send("PUT", "/bucket/key", { body: "0\r\n\r\n", headers });
  await assertError(response, 400, "EntityTooLarge");
});
