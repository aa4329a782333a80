/**
 * The permissions that operations ask for after parsing: a key to delete, the source of a copy.
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { S3Error } from "../../src/s3/errors.ts";
import type { Permission } from "../../src/s3/permission.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { createUpload } from "./multipart_steps.ts";
import {
  assertError,
  authorizeWith,
  contentMD5,
  createTestGateway,
  readXml,
  type TestGateway,
  textsAt,
  watchPermissions,
} from "./test_gateway.ts";

/** Creates a gateway on which no one may touch the key `secret`, and the list of permissions that it was asked for. */
async function start(): Promise<{ gateway: TestGateway; permissions: Permission[] }> {
  const permissions: Permission[] = [];
  const store = createMemoryStore({ minPartSize: 5, now: () => new Date() });
  const gateway = await createTestGateway({
    store,
    authorize: watchPermissions(authorizeWith(store), (permission) => {
      permissions.push(permission);
      const { resource } = permission;
      if (resource.on === "object" && resource.key === "secret") throw new S3Error("AccessDenied");
    }),
  });
  permissions.length = 0; // those of the bucket
  for (const key of ["open", "secret"]) await gateway.ok("PUT", `/bucket/${key}`, { body: "x" });
  deepStrictEqual(permissions, []);
  return { gateway, permissions };
}

Deno.test("DeleteObjects asks for s3:DeleteObject on each key, and a refusal becomes the key's error", async () => {
  const { gateway: { ok }, permissions } = await start();
  const body =
    "<Delete><Object><Key>open</Key></Object><Object><Key>secret</Key></Object></Delete>";
  const headers = { "content-md5": contentMD5(body) };
  const root = await readXml(
    await ok("POST", "/bucket?delete", { body, headers }),
    "DeleteResult",
  );
  deepStrictEqual(textsAt(root, "Deleted", "Key"), ["open"]);
  deepStrictEqual(textsAt(root, "Error", "Key"), ["secret"]);
  deepStrictEqual(textsAt(root, "Error", "Code"), ["AccessDenied"]);
  deepStrictEqual(
    permissions.map(({ action, resource }) => ({ action, resource })),
    ["open", "secret"].map((key) => ({
      action: "s3:DeleteObject",
      resource: { on: "object", bucket: "bucket", key },
    })),
  );
  await ok("HEAD", "/bucket/secret");
});

Deno.test("CopyObject and UploadPartCopy ask for s3:GetObject on the source", async () => {
  const { gateway, permissions } = await start();
  const { ok, send } = gateway;
  const uploadId = await createUpload(gateway);
  const part = `/bucket/key?partNumber=1&uploadId=${uploadId}`;
  for (const target of ["/bucket/copy", part]) {
    const source = (key: string): Record<string, string> => ({
      "x-amz-copy-source": `bucket/${key}`,
    });
    await ok("PUT", target, { headers: source("open") });
    const refused = await send("PUT", target, { headers: source("secret") });
    await assertError(refused, 403, "AccessDenied");
  }
  deepStrictEqual(permissions.map(({ action }) => action), Array(4).fill("s3:GetObject"));
});

Deno.test("a write with tags asks for s3:PutObjectTagging, and a copy of tags for reading them", async () => {
  const { gateway, permissions } = await start();
  const { ok, send } = gateway;
  const tagged = { "x-amz-tagging": "a=1" };
  const asked = (): readonly string[] =>
    permissions.splice(0).map(({ action, resource }) =>
      `${action} ${resource.on === "object" ? resource.key : ""}`
    );
  const source = { "x-amz-copy-source": "bucket/tagged" };
  const replace = { ...source, ...tagged, "x-amz-tagging-directive": "REPLACE" };

  await ok("PUT", "/bucket/tagged", { headers: tagged });
  deepStrictEqual(asked(), ["s3:PutObjectTagging tagged"]);
  await ok("POST", "/bucket/upload?uploads", { headers: tagged });
  deepStrictEqual(asked(), ["s3:PutObjectTagging upload"]);
  await ok("PUT", "/bucket/copy", { headers: source });
  deepStrictEqual(asked(), [
    "s3:GetObject tagged",
    "s3:GetObjectTagging tagged",
    "s3:PutObjectTagging copy",
  ]);
  await ok("PUT", "/bucket/copy", { headers: replace });
  deepStrictEqual(asked(), ["s3:PutObjectTagging copy", "s3:GetObject tagged"]);
  await ok("PUT", "/bucket/copy", { headers: { ...source, "x-amz-tagging-directive": "REPLACE" } });
  deepStrictEqual(asked(), ["s3:GetObject tagged"]);
  await ok("POST", "/bucket/plain?uploads");
  await ok("PUT", "/bucket/plain", { headers: { "x-amz-tagging": "" } });
  deepStrictEqual(asked(), []);

  for (
    const [method, target, headers] of [
      ["PUT", "/bucket/secret", tagged],
      ["POST", "/bucket/secret?uploads", tagged],
      ["PUT", "/bucket/secret", source],
      ["PUT", "/bucket/secret", replace],
    ] as const
  ) await assertError(await send(method, target, { headers }), 403, "AccessDenied");
  strictEqual(await (await ok("GET", "/bucket/secret")).text(), "x");
});

Deno.test("CreateBucket asks for itself, and with tags for s3:TagResource", async () => {
  const { gateway: { ok }, permissions } = await start();
  const body = "<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags>" +
    "</CreateBucketConfiguration>";
  await ok("PUT", "/tagged", { body });
  const resource = { on: "bucket", bucket: "tagged" };
  const facts = { bucketTags: new Map([["a", "1"]]) };
  deepStrictEqual(permissions, [
    { action: "s3:CreateBucket", resource, facts },
    { action: "s3:TagResource", resource, facts },
  ]);
});
