/**
 * The permissions that operations ask for after parsing: a key to delete, the source of a copy.
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import { createAuthorize } from "../../src/access/authorize.ts";
import { S3Error } from "../../src/s3/errors.ts";
import type { Permission } from "../../src/s3/permission.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { createUpload } from "./multipart_steps.ts";
import {
  assertError,
  contentMD5,
  createTestGateway,
  readXml,
  type TestGateway,
  textsAt,
} from "./test_gateway.ts";

/** Creates a gateway on which no one may touch the key `secret`, and the list of permissions that it was asked for. */
async function start(): Promise<{ gateway: TestGateway; permissions: Permission[] }> {
  const permissions: Permission[] = [];
  const { check } = createAuthorize(createMemoryStore({ minPartSize: 5, now: () => new Date() }));
  const gateway = await createTestGateway({
    authorize: {
      check,
      allow(_caller, permission) {
        permissions.push(permission);
        const { resource } = permission;
        if (resource.on === "object" && resource.key === "secret") {
          throw new S3Error("AccessDenied");
        }
      },
    },
  });
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
    permissions,
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
