import { strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import { assertError, contentMD5, createTestGateway, type Send } from "./test_gateway.ts";

Deno.test("Errors have the messages that Amazon sends", async () => {
  const { ok, send } = await createTestGateway({ minPartSize: 5 });
  await ok("PUT", "/bucket/key", { body: "x" });
  const complete = (...numbers: number[]) =>
    `<CompleteMultipartUpload>${
      numbers.map((number) => `<Part><PartNumber>${number}</PartNumber><ETag>a</ETag></Part>`)
        .join("")
    }</CompleteMultipartUpload>`;
  const created = await (await ok("POST", "/bucket/parts?uploads")).text();
  const id = /<UploadId>(.*)<\/UploadId>/.exec(created)?.[1];
  const rows: readonly (readonly [
    request: string,
    status: number,
    code: string,
    message: string,
    options?: Send,
  ])[] = [
    [
      "GET /bucket",
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      { secret: "wrong" },
    ],
    [
      "GET /bucket",
      403,
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      { accessKeyId: "nobody" },
    ],
    ["GET /missing", 404, "NoSuchBucket", "The specified bucket does not exist"],
    ["GET /bucket/none", 404, "NoSuchKey", "The specified key does not exist."],
    ["DELETE /bucket", 409, "BucketNotEmpty", "The bucket you tried to delete is not empty"],
    [
      "GET /bucket/key",
      412,
      "PreconditionFailed",
      "At least one of the pre-conditions you specified did not hold",
      { headers: { "if-match": "other" } },
    ],
    [
      "POST /bucket?delete",
      400,
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
      { body: "<oops", headers: { "content-md5": contentMD5("<oops") } },
    ],
    [
      `POST /bucket/parts?uploadId=${id}`,
      400,
      "InvalidPart",
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      { body: complete(1) },
    ],
    [
      `POST /bucket/parts?uploadId=${id}`,
      400,
      "InvalidPartOrder",
      "The list of parts was not in ascending order. Parts must be ordered by part number.",
      { body: complete(2, 1) },
    ],
    [
      "GET /bucket/parts?uploadId=none",
      404,
      "NoSuchUpload",
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    ],
    [
      "GET /bucket/key",
      416,
      "InvalidRange",
      "The requested range is not satisfiable",
      { headers: { range: "bytes=9-" } },
    ],
    [
      "PUT /bucket/key",
      400,
      "BadDigest",
      "The Content-MD5 you specified did not match what we received.",
      { body: "y", headers: { "content-md5": "7i1LFxQmQlRv4smKPnlNZA==" } },
    ],
    [
      "PUT /bucket/key",
      400,
      "InvalidDigest",
      "The Content-MD5 you specified was invalid.",
      { body: "y", headers: { "content-md5": "x" } },
    ],
    [
      "PUT /bucket/key",
      400,
      "InvalidStorageClass",
      "The storage class you specified is not valid",
      { body: "y", headers: { "x-amz-storage-class": "COLD" } },
    ],
    [
      "PUT /bucket/key",
      400,
      "MetadataTooLarge",
      "Your metadata headers exceed the maximum allowed metadata size",
      { body: "y", headers: { "x-amz-meta-a": "b".repeat(3000) } },
    ],
    [`GET /bucket/${"k".repeat(1025)}`, 400, "KeyTooLongError", "Your key is too long"],
  ];
  for (const [request, status, code, message, options] of rows) {
    const [method = "", target = ""] = request.split(" ");
    const error = await assertError(await send(method, target, options), status, code);
    strictEqual(textOf(error, "Message"), message);
  }
});

Deno.test("What clients send by mistake has the codes that Amazon sends", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });

  const part = await send("PUT", "/bucket/key?partNumber=1", { body: "y" });
  const error = await assertError(part, 400, "InvalidArgument");
  strictEqual(
    textOf(error, "Message"),
    "This operation does not accept partNumber without uploadId",
  );
  await assertError(
    await send("PUT", "/bucket/key?uploadId=1", { body: "y" }),
    405,
    "MethodNotAllowed",
  );
  strictEqual(await (await ok("GET", "/bucket/key")).text(), "x");

  for (const method of ["GET", "DELETE"]) {
    for (const id of ["x", "null%20", "a%2Fb"]) {
      const invalid = await send(method, `/bucket/key?versionId=${id}`);
      await assertError(invalid, 400, "InvalidArgument");
    }
    const unknown = await send(method, "/bucket/key?versionId=3HL4kqtJvjVBH40Nrjfkd3HL4kqtJvjV");
    await assertError(unknown, 404, "NoSuchVersion");
  }

  const override = await send("GET", "/bucket/key?response-server=nginx");
  const refused = await assertError(override, 400, "InvalidArgument");
  strictEqual(textOf(refused, "ArgumentName"), "response-server");
  strictEqual(textOf(refused, "ArgumentValue"), "nginx");
  strictEqual((await send("HEAD", "/bucket/key?response-server=nginx")).status, 400);

  const chunked = {
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "content-encoding": "aws-chunked",
    "x-amz-trailer": "x-amz-checksum-crc32",
  };
  const malformed = { ...chunked, "x-amz-decoded-content-length": "five" };
  const length = await send("PUT", "/bucket/key", { headers: malformed, body: "5\r\nhello\r\n" });
  await assertError(length, 411, "MissingContentLength");
  const whole = { ...chunked, "x-amz-decoded-content-length": "5" };
  const wire = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
  await ok("PUT", "/bucket/key", { headers: whole, body: wire });
  for (let size = 0; size < wire.length; size += 7) {
    const cut = await send("PUT", "/bucket/key", { headers: whole, body: wire.slice(0, size) });
    await assertError(cut, 400, "IncompleteBody");
  }
});
