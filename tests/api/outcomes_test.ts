/**
 * What the record of a request tells of the object that it wrote or deleted.
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import type { RequestOutcome } from "../../src/telemetry/request_record.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import { createTestGateway } from "./test_gateway.ts";

const MD5_OF_HELLO = "5d41402abc4b2a76b9719d911017c592";

Deno.test("A write reports key, size and ETag, and a deletion reports the key", async () => {
  const outcomes = new Map<string | undefined, RequestOutcome | undefined>();
  const gateway = await createTestGateway({
    observe: ({ operation, outcome }) => void outcomes.set(operation, outcome),
  });
  const { ok, send } = gateway;
  await ok("PUT", "/bucket/a", { body: "hello" });
  await (await ok("GET", "/bucket/a")).bytes();
  const source = { "x-amz-copy-source": "bucket/a" };
  await ok("PUT", "/bucket/b", { headers: source });
  const uploadId = await createUpload(gateway);
  const part = await uploadPart(gateway, uploadId, 1, "hello");
  const target = `/bucket/key?partNumber=2&uploadId=${uploadId}`;
  await ok("PUT", target, { headers: { ...source, "x-amz-copy-source-range": "bytes=0-3" } });
  await ok("POST", `/bucket/key?uploadId=${uploadId}`, { body: completion([[1, part]]) });
  const body = "<Tagging><TagSet/></Tagging>";
  await ok("PUT", "/bucket/a?tagging", { body });
  await ok("DELETE", "/bucket/a?tagging");
  await ok("DELETE", "/bucket/a");
  await send("HEAD", "/bucket/a");

  const written = (key: string): RequestOutcome => ({
    key,
    size: 5,
    etag: MD5_OF_HELLO,
    versionId: undefined,
  });
  deepStrictEqual(Object.fromEntries(outcomes), {
    CreateBucket: undefined,
    PutObject: written("a"),
    GetObject: undefined,
    CopyObject: written("b"),
    CreateMultipartUpload: undefined,
    UploadPart: { key: "key", size: 5, etag: MD5_OF_HELLO },
    UploadPartCopy: { key: "key", size: 4, etag: "4229d691b07b13341da53f17ab9f2416" },
    CompleteMultipartUpload: {
      key: "key",
      size: 5,
      etag: "62109206880d38a4010a98e11243924a-1",
      versionId: undefined,
    },
    PutObjectTagging: { key: "a", versionId: undefined },
    DeleteObjectTagging: { key: "a", versionId: undefined },
    DeleteObject: { key: "a", versionId: undefined },
    HeadObject: undefined,
  });
});
