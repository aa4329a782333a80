import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { S3Error } from "../../src/s3/errors.ts";
import type { Permission } from "../../src/s3/permission.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import {
  assertError,
  authorizeWith,
  createTestGateway,
  type TestGateway,
  watchPermissions,
} from "./test_gateway.ts";

const TARGET = "/bucket/new%20name?renameObject";

async function withSource(): Promise<TestGateway> {
  const gateway = await createTestGateway();
  const headers = {
    "content-type": "text/plain",
    "x-amz-meta-a": "b",
    "x-amz-tagging": "k=v",
    "x-amz-checksum-crc32": "NhCmhg==",
  };
  await gateway.ok("PUT", "/bucket/source", { body: "hello", headers });
  return gateway;
}

Deno.test("RenameObject keeps everything but the key", async () => {
  const { ok, send } = await withSource();
  const shown = async (path: string): Promise<readonly (string | null)[]> => {
    const headers = { "x-amz-checksum-mode": "ENABLED" };
    const { headers: found } = await ok("HEAD", path, { headers });
    return [
      "etag",
      "last-modified",
      "content-type",
      "x-amz-meta-a",
      "x-amz-tagging-count",
      "x-amz-checksum-crc32",
    ].map((name) => found.get(name));
  };
  const before = await shown("/bucket/source");
  const headers = { "x-amz-rename-source": "source" };
  const response = await ok("PUT", TARGET, { headers });
  deepStrictEqual([response.status, await response.text()], [200, ""]);
  deepStrictEqual(await shown("/bucket/new%20name"), before);
  strictEqual(await (await ok("GET", "/bucket/new%20name")).text(), "hello");
  await assertError(await send("GET", "/bucket/source"), 404, "NoSuchKey");
  await assertError(await send("PUT", TARGET, { headers }), 404, "NoSuchKey");
});

Deno.test("RenameObject finds the source behind a slash, the bucket's name, or both", async () => {
  for (const source of ["/source", "bucket/source", "/bucket/source", "%73ource"]) {
    const { ok, store } = await withSource();
    await ok("PUT", TARGET, { headers: { "x-amz-rename-source": source } });
    const { objects } = await store.listObjects("bucket" as never, {
      prefix: "",
      delimiter: "",
      after: "",
      limit: 10,
    });
    deepStrictEqual(objects.map(({ key }) => key as string), ["new name"], source);
  }
  // A key that stands in the header as it is goes first.
  const { ok } = await withSource();
  await ok("PUT", "/bucket//source", { body: "with a slash" });
  await ok("PUT", TARGET, { headers: { "x-amz-rename-source": "/source" } });
  strictEqual(await (await ok("GET", "/bucket/new%20name")).text(), "with a slash");
});

Deno.test("RenameObject checks conditions on both ends", async () => {
  const { ok, send } = await withSource();
  const etag = '"5d41402abc4b2a76b9719d911017c592"';
  const [past, future] = ["Mon, 01 Jan 2024 00:00:00 GMT", "Wed, 01 Jan 2025 00:00:00 GMT"];
  await ok("PUT", "/bucket/new%20name", { body: "old" });
  const refused = {
    "if-match": etag,
    "if-none-match": "*",
    "if-modified-since": future,
    "if-unmodified-since": past,
    "x-amz-rename-source-if-match": '"0"',
    "x-amz-rename-source-if-none-match": etag,
    "x-amz-rename-source-if-modified-since": future,
    "x-amz-rename-source-if-unmodified-since": past,
  };
  for (const [name, value] of Object.entries(refused)) {
    const headers = { "x-amz-rename-source": "source", [name]: value };
    await assertError(await send("PUT", TARGET, { headers }), 412, "PreconditionFailed");
  }
  const headers = {
    "x-amz-rename-source": "source",
    "if-modified-since": past,
    "if-unmodified-since": future,
    "x-amz-rename-source-if-match": etag,
    "x-amz-rename-source-if-none-match": '"0"',
  };
  await ok("PUT", TARGET, { headers });
  strictEqual(await (await ok("GET", "/bucket/new%20name")).text(), "hello");
});

Deno.test("RenameObject with a client token can be repeated, with the same parameters only", async () => {
  const { ok, send } = await withSource();
  const headers = { "x-amz-rename-source": "bucket/source", "x-amz-client-token": "token" };
  await ok("PUT", TARGET, { headers });
  await ok("PUT", "/bucket/source", { body: "another" });
  await ok("PUT", TARGET, { headers });
  strictEqual(await (await ok("GET", "/bucket/source")).text(), "another");
  for (
    const [target, more] of [
      ["/bucket/other?renameObject", {}],
      [TARGET, { "if-match": "*" }],
      [TARGET, { "x-amz-rename-source": "source" }],
    ] as const
  ) {
    const response = await send("PUT", target, { headers: { ...headers, ...more } });
    await assertError(response, 400, "IdempotencyParameterMismatch");
  }
  for (const token of ["a b", "a".repeat(65)]) {
    const bad = { ...headers, "x-amz-client-token": token };
    await assertError(await send("PUT", TARGET, { headers: bad }), 400, "InvalidArgument");
  }
});

Deno.test("RenameObject refuses a missing header and keys that end with a slash", async () => {
  const { ok, send } = await withSource();
  await ok("PUT", "/bucket/folder/", { body: "" });
  await assertError(await send("PUT", TARGET), 400, "InvalidRequest");
  for (const [target, source] of [[TARGET, "folder/"], ["/bucket/f/?renameObject", "source"]]) {
    const headers = { "x-amz-rename-source": source ?? "" };
    await assertError(await send("PUT", target ?? "", { headers }), 400, "InvalidRequest");
  }
  strictEqual(await (await ok("GET", "/bucket/source")).text(), "hello");
});

Deno.test("RenameObject asks for s3:GetObject and s3:DeleteObject on the source, s3:PutObject on the new key", async () => {
  const asked: Permission[] = [];
  let refused: string | undefined;
  const store = createMemoryStore({ minPartSize: 5, now: () => new Date() });
  const watched = watchPermissions(authorizeWith(store), (permission) => {
    asked.push(permission);
    if (permission.action === refused) throw new S3Error("AccessDenied");
  });
  const { ok, send } = await createTestGateway({
    store,
    authorize(request) {
      asked.push({ action: request.operation.action, resource: request.request.target });
      return watched(request);
    },
  });
  await ok("PUT", "/bucket/source", { body: "hello" });
  const headers = { "x-amz-rename-source": "source" };
  for (refused of ["s3:GetObject", "s3:DeleteObject"]) {
    await assertError(await send("PUT", TARGET, { headers }), 403, "AccessDenied");
  }
  strictEqual(await (await ok("GET", "/bucket/source")).text(), "hello");
  refused = undefined;
  asked.length = 0;
  await ok("PUT", TARGET, { headers });
  const on = (key: string): unknown => ({ on: "object", bucket: "bucket", key });
  deepStrictEqual(asked as unknown[], [
    { action: "s3:PutObject", resource: on("new name") },
    { action: "s3:GetObject", resource: on("source") },
    { action: "s3:DeleteObject", resource: on("source") },
  ]);
  await assertError(await send("PUT", TARGET, { headers, anonymous: true }), 403, "AccessDenied");
});
