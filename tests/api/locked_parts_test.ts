/** UploadPart of an upload whose object is to be locked needs a hash, as PutObject with a lock does. */

import { strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import { createUpload } from "./multipart_steps.ts";
import { assertError, contentMD5, createTestGateway } from "./test_gateway.ts";
import { createLocked, document } from "./version_steps.ts";

const KEY = "/locked/key";

Deno.test("UploadPart of an upload with a lock needs Content-MD5 or a checksum", async () => {
  const gateway = await createTestGateway();
  const { ok, send } = gateway;
  await createLocked(gateway);
  await ok("PUT", "/locked/source", document("x"));
  const free = await createUpload(gateway, {}, KEY);
  const locks: Readonly<Record<string, string>>[] = [
    { "x-amz-object-lock-legal-hold": "ON" },
    {
      "x-amz-object-lock-mode": "GOVERNANCE",
      "x-amz-object-lock-retain-until-date": "2099-01-01T00:00:00Z",
    },
  ];
  const uploads: string[] = [];
  for (const headers of locks) uploads.push(await createUpload(gateway, headers, KEY));
  const retention = "<DefaultRetention><Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention>";
  const configuration = `<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>${retention}</Rule>`;
  const text = `<ObjectLockConfiguration>${configuration}</ObjectLockConfiguration>`;
  await ok("PUT", "/locked?object-lock", document(text));
  uploads.push(await createUpload(gateway, {}, KEY));

  const crc32 = { "x-amz-checksum-crc32": "jNwWgw==" };
  for (const id of uploads) {
    const target = `${KEY}?partNumber=1&uploadId=${id}`;
    const error = await assertError(
      await send("PUT", target, { body: "x" }),
      400,
      "InvalidRequest",
    );
    strictEqual(
      textOf(error, "Message"),
      "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests with Object Lock parameters",
    );
    const parts = await (await ok("GET", `${KEY}?uploadId=${id}`)).text();
    strictEqual(parts.includes("<Part>"), false);
    await ok("PUT", target, { body: "x", headers: { "content-md5": contentMD5("x") } });
    await ok("PUT", target, { body: "x", headers: crc32 });
    // A copied part has no body.
    await ok("PUT", target, { headers: { "x-amz-copy-source": "locked/source" } });
  }
  // What counts is the lock that the upload was begun with.
  await ok("PUT", `${KEY}?partNumber=1&uploadId=${free}`, { body: "x" });
});
