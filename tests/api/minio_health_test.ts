import { strictEqual } from "node:assert/strict";
import { assertError, createTestGateway } from "./test_gateway.ts";

const READY = ["/minio/health/ready", "/minio/health/cluster", "/minio/health/cluster/read"];

Deno.test("MinIO's health paths tell whether the gateway can serve requests, unsigned", async () => {
  let problem: string | undefined;
  const { send } = await createTestGateway({ minioHealth: () => Promise.resolve(problem) });
  const statusOf = async (method: string, target: string): Promise<number> => {
    const response = await send(method, target, { anonymous: true });
    strictEqual(await response.text(), "");
    strictEqual(response.headers.get("content-length"), "0");
    return response.status;
  };
  for (const method of ["GET", "HEAD"]) {
    problem = undefined;
    for (const path of ["/minio/health/live", ...READY, "/minio/health/cluster?maintenance=true"]) {
      strictEqual(await statusOf(method, path), 200, path);
    }
    problem = "There is no connection to NATS";
    for (const path of READY) strictEqual(await statusOf(method, path), 503, path);
    strictEqual(await statusOf(method, "/minio/health/live"), 200);
  }
});

Deno.test("MinIO's health paths hide nothing but themselves", async () => {
  const { ok, send } = await createTestGateway({ minioHealth: () => Promise.resolve(undefined) });
  await ok("PUT", "/minio");
  for (const key of ["health/live", "health", "health/other", "health/live/"]) {
    await ok("PUT", `/minio/${key}`, { body: key });
  }
  for (const key of ["health", "health/other", "health/live/"]) {
    strictEqual(await (await ok("GET", `/minio/${key}`)).text(), key);
    await assertError(await send("GET", `/minio/${key}`, { anonymous: true }), 403, "AccessDenied");
  }
  strictEqual(
    await (await ok("GET", "/health/live", { host: "minio.s3.test" })).text(),
    "health/live",
  );
  const other = await send("GET", "/minio/health/live", { host: "bucket.s3.test" });
  await assertError(other, 404, "NoSuchKey");
  const put = await send("PUT", "/minio/health/live", { anonymous: true, body: "x" });
  await assertError(put, 403, "AccessDenied");
});

Deno.test("MinIO's health paths are served only if the operator says so", async () => {
  const { send } = await createTestGateway();
  for (const path of ["/minio/health/live", ...READY]) {
    await assertError(await send("GET", path, { anonymous: true }), 404, "NoSuchBucket");
  }
});
