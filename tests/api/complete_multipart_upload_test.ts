import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  type ChecksumAlgorithm,
  type ChecksumType,
  combineChecksums,
  createChecksumHasher,
} from "../../src/s3/checksum_algorithms.ts";
import { checksumElement, checksumHeader } from "../../src/s3/checksum_headers.ts";
import {
  parseBucketName,
  parseObjectKey,
  parsePartNumber,
  parseUploadId,
} from "../../src/s3/names.ts";
import { textOf } from "../../src/s3/xml_reader.ts";
import { sourceOfPiece } from "../../src/streams/byte_source.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import { assertError, createTestGateway, readXml, textsAt } from "./test_gateway.ts";

Deno.test("CompleteMultipartUpload creates the object", async () => {
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

Deno.test("CompleteMultipartUpload refuses an invalid list of parts", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  const etags = [
    await uploadPart(gateway, uploadId, 1, "a"),
    await uploadPart(gateway, uploadId, 2, "b"),
  ];
  const [first = "", second = ""] = etags;
  const rows: [string, string][] = [
    ["", "MalformedXML"],
    ["<oops", "MalformedXML"],
    [completion([]), "MalformedXML"],
    [completion([[2, second], [1, first]]), "InvalidPartOrder"],
    [completion([[1, first], [1, first]]), "InvalidPartOrder"],
    [completion([[1, second]]), "InvalidPart"],
    [completion([[3, first]]), "InvalidPart"],
    [completion([[0, first]]), "InvalidArgument"],
    [completion([[1, first], [2, second]]), "EntityTooSmall"],
    [completion([[10_001, first]]), "InvalidArgument"],
    ["<CompleteMultipartUpload/>", "MalformedXML"],
    ["<CompleteMultipartUpload><Part/></CompleteMultipartUpload>", "MalformedXML"],
    [completion([[1, first]]).replace(/<ETag>.*<\/ETag>/, ""), "MalformedXML"],
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

Deno.test("CompleteMultipartUpload verifies the checksum of the whole object", async () => {
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

Deno.test("CompleteMultipartUpload checks conditions", async () => {
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

Deno.test("CompleteMultipartUpload names the part that is too small and leaves the upload usable", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  const small = await uploadPart(gateway, uploadId, 3, "tiny");
  const last = await uploadPart(gateway, uploadId, 9, "the end");
  const target = `/bucket/key?uploadId=${uploadId}`;
  const response = await gateway.send("POST", target, {
    body: completion([[3, small], [9, last]]),
  });
  const error = await assertError(response, 400, "EntityTooSmall");
  deepStrictEqual(
    ["ProposedSize", "MinSizeAllowed", "PartNumber", "ETag"].map((name) => textOf(error, name)),
    ["4", "5", "3", small.replaceAll('"', "")],
  );

  // Gaps are allowed; a part that is uploaded again replaces the earlier one.
  const larger = await uploadPart(gateway, uploadId, 3, "large enough, ");
  const stale = await gateway.send("POST", target, { body: completion([[3, small], [9, last]]) });
  await assertError(stale, 400, "InvalidPart");
  await gateway.ok("POST", target, { body: completion([[3, larger], [9, last]]) });
  strictEqual(await (await gateway.ok("GET", "/bucket/key")).text(), "large enough, the end");
});

Deno.test("CompleteMultipartUpload checks If-Match, and succeeds again with any conditions", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  const body = completion([[1, await uploadPart(gateway, uploadId, 1, "hello")]]);
  const target = `/bucket/key?uploadId=${uploadId}`;
  const complete = (headers: Record<string, string>): Promise<Response> =>
    gateway.send("POST", target, { body, headers });
  await assertError(await complete({ "if-match": '"x"' }), 404, "NoSuchKey");
  const { headers } = await gateway.ok("PUT", "/bucket/key", { body: "there" });
  await assertError(await complete({ "if-match": '"x"' }), 412, "PreconditionFailed");
  await assertError(await complete({ "if-none-match": '"x"' }), 501, "NotImplemented");
  const match = { "if-match": headers.get("etag") ?? "" };
  const etags: string[] = [];
  for (const again of [match, match, { "if-none-match": "*" }]) {
    const root = await readXml(await complete(again), "CompleteMultipartUploadResult");
    etags.push(textOf(root, "ETag"));
  }
  strictEqual(new Set(etags).size, 1);
  strictEqual(await (await gateway.ok("GET", "/bucket/key")).text(), "hello");
});

Deno.test("CompleteMultipartUpload checks the stated size", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  const body = completion([[1, await uploadPart(gateway, uploadId, 1, "hello")]]);
  const rows: [size: string, code: string][] = [
    ["4", "InvalidRequest"],
    ["53687091200000", "InvalidRequest"],
    ["-5", "InvalidArgument"],
    ["five", "InvalidArgument"],
  ];
  const target = `/bucket/key?uploadId=${uploadId}`;
  for (const [size, code] of rows) {
    const headers = { "x-amz-mp-object-size": size };
    await assertError(await gateway.send("POST", target, { body, headers }), 400, code);
  }
  await gateway.ok("POST", target, { body, headers: { "x-amz-mp-object-size": "5" } });
});

/** Returns the checksum of a text in base64. */
async function checksumOf(algorithm: ChecksumAlgorithm, text: string): Promise<string> {
  const hasher = await createChecksumHasher(algorithm);
  hasher.update(new TextEncoder().encode(text));
  return hasher.digest();
}

Deno.test("CompleteMultipartUpload creates the checksum types of each algorithm", async () => {
  const gateway = await createTestGateway();
  const rows: [ChecksumAlgorithm, named: ChecksumType | undefined, type: ChecksumType][] = [
    ["CRC32", undefined, "COMPOSITE"],
    ["CRC32", "FULL_OBJECT", "FULL_OBJECT"],
    ["CRC32C", "COMPOSITE", "COMPOSITE"],
    ["CRC32C", "FULL_OBJECT", "FULL_OBJECT"],
    ["CRC64NVME", undefined, "FULL_OBJECT"],
    ["SHA1", undefined, "COMPOSITE"],
    ["SHA256", "COMPOSITE", "COMPOSITE"],
    ["SHA512", undefined, "COMPOSITE"],
    ["MD5", undefined, "COMPOSITE"],
    ["XXHASH64", undefined, "COMPOSITE"],
    ["XXHASH3", undefined, "COMPOSITE"],
    ["XXHASH128", "COMPOSITE", "COMPOSITE"],
  ];
  const bodies = ["hello ", "world"];
  for (const [algorithm, named, type] of rows) {
    const [header, element] = [checksumHeader(algorithm), checksumElement(algorithm)];
    const uploadId = await createUpload(gateway, {
      "x-amz-checksum-algorithm": algorithm,
      ...(named !== undefined && { "x-amz-checksum-type": named }),
    });
    const parts: [number, string, string][] = [];
    const checksums: { checksum: string; size: number }[] = [];
    for (const [i, body] of bodies.entries()) {
      const checksum = await checksumOf(algorithm, body);
      const etag = await uploadPart(gateway, uploadId, i + 1, body, { [header]: checksum });
      parts.push([i + 1, etag, `<${element}>${checksum}</${element}>`]);
      checksums.push({ checksum, size: body.length });
    }
    const listed = await readXml(
      await gateway.ok("GET", `/bucket/key?uploadId=${uploadId}`),
      "ListPartsResult",
    );
    strictEqual(textOf(listed, "ChecksumAlgorithm"), algorithm);
    strictEqual(textOf(listed, "ChecksumType"), type);
    deepStrictEqual(textsAt(listed, "Part", element), checksums.map(({ checksum }) => checksum));

    const target = `/bucket/key?uploadId=${uploadId}`;
    const { value } = await combineChecksums(algorithm, type, checksums);
    if (type === "FULL_OBJECT") strictEqual(value, await checksumOf(algorithm, bodies.join("")));
    const wrong = { [header]: await checksumOf(algorithm, "other") };
    const body = completion(parts);
    await assertError(
      await gateway.send("POST", target, { body, headers: wrong }),
      400,
      "BadDigest",
    );
    const root = await readXml(
      await gateway.ok("POST", target, { body, headers: { [header]: value } }),
      "CompleteMultipartUploadResult",
    );
    strictEqual(textOf(root, element), value);
    strictEqual(textOf(root, "ChecksumType"), type);

    for (const method of ["GET", "HEAD"]) {
      const headers = { "x-amz-checksum-mode": "ENABLED" };
      const answer = await gateway.ok(method, "/bucket/key", { headers });
      await answer.body?.cancel();
      strictEqual(answer.headers.get(header), value, method);
      strictEqual(answer.headers.get("x-amz-checksum-type"), type);
    }
  }
});

Deno.test("CompleteMultipartUpload requires the parts' checksums if the object's checksum is made of them", async () => {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway, { "x-amz-checksum-algorithm": "SHA1" });
  const checksum = await checksumOf("SHA1", "hello");
  const headers = { "x-amz-checksum-sha1": checksum };
  const etag = await uploadPart(gateway, uploadId, 1, "hello", headers);
  const element = (name: string, value: string): string => `<${name}>${value}</${name}>`;
  const other = await checksumOf("SHA1", "other");
  const right = element("ChecksumSHA1", checksum);
  const rows: [more: string, code: string][] = [
    ["", "InvalidRequest"],
    [element("ChecksumSHA1", other), "InvalidPart"],
    [element("ChecksumCRC32", "NhCmhg=="), "InvalidPart"],
    [right + element("ChecksumCRC32", "NhCmhg=="), "MalformedXML"],
  ];
  const target = `/bucket/key?uploadId=${uploadId}`;
  for (const [more, code] of rows) {
    const response = await gateway.send("POST", target, { body: completion([[1, etag, more]]) });
    await assertError(response, 400, code);
  }
  const body = completion([[1, etag, right]]);
  const count = { "x-amz-checksum-sha1": `${checksum}-2` };
  await assertError(await gateway.send("POST", target, { body, headers: count }), 400, "BadDigest");
  await gateway.ok("POST", target, { body });
});

Deno.test("CompleteMultipartUpload of one part keeps the checksum of the part's bytes", async () => {
  const gateway = await createTestGateway();
  for (const type of ["COMPOSITE", "FULL_OBJECT"]) {
    const uploadId = await createUpload(gateway, {
      "x-amz-checksum-algorithm": "CRC32",
      "x-amz-checksum-type": type,
    });
    const stated = { "x-amz-checksum-crc32": "NhCmhg==" };
    const etag = await uploadPart(gateway, uploadId, 1, "hello", stated);
    const body = completion([[1, etag, "<ChecksumCRC32>NhCmhg==</ChecksumCRC32>"]]);
    await gateway.ok("POST", `/bucket/key?uploadId=${uploadId}`, { body });
    const headers = { "x-amz-checksum-mode": "ENABLED" };
    const part = await gateway.ok("HEAD", "/bucket/key?partNumber=1", { headers });
    strictEqual(part.headers.get("x-amz-checksum-crc32"), "NhCmhg==");
    const whole = await gateway.ok("HEAD", "/bucket/key", { headers });
    strictEqual(whole.headers.get("x-amz-checksum-type"), type);
    const isOfBytes = whole.headers.get("x-amz-checksum-crc32") === "NhCmhg==";
    strictEqual(isOfBytes, type === "FULL_OBJECT");
  }
});

Deno.test("CompleteMultipartUpload accepts 10,000 parts with their checksums", async () => {
  const gateway = await createTestGateway({ minPartSize: 1 });
  const uploadId = await createUpload(gateway, { "x-amz-checksum-algorithm": "SHA256" });
  const parts: [number, string, string][] = [];
  for (let number = 1; number <= 10_000; number++) {
    const { etag, checksum } = await gateway.store.putPart(
      parseBucketName("bucket"),
      parseObjectKey("key"),
      parseUploadId(uploadId),
      parsePartNumber(String(number)),
      {
        content: {
          stream: sourceOfPiece(new Uint8Array([number % 251])),
          size: 1,
          algorithm: "SHA256",
          verify: () => {},
        },
      },
    );
    parts.push([number, `"${etag}"`, `<ChecksumSHA256>${checksum}</ChecksumSHA256>`]);
  }
  const target = `/bucket/key?uploadId=${uploadId}`;
  const response = await gateway.ok("POST", target, { body: completion(parts) });
  const root = await readXml(response, "CompleteMultipartUploadResult");
  strictEqual(textOf(root, "ETag").endsWith('-10000"'), true);
  strictEqual(textOf(root, "ChecksumSHA256").endsWith("=-10000"), true);
  const last = await gateway.ok("GET", "/bucket/key?partNumber=10000");
  strictEqual(last.headers.get("x-amz-mp-parts-count"), "10000");
  deepStrictEqual([...new Uint8Array(await last.arrayBuffer())], [10_000 % 251]);

  const attributes = await gateway.ok("GET", "/bucket/key?attributes", {
    headers: { "x-amz-object-attributes": "ObjectParts", "x-amz-part-number-marker": "9998" },
  });
  const listed = await readXml(attributes, "GetObjectAttributesResponse");
  deepStrictEqual(textsAt(listed, "ObjectParts", "Part", "PartNumber"), ["9999", "10000"]);
});
