/** Runs MinIO's Python client: tags, versions and the questions that it asks of a bucket. */

import { strictEqual } from "node:assert/strict";
import { ensurePython } from "../../scripts/client_tools.ts";
import { run } from "./client_process.ts";
import { startGateway } from "./gateway_process.ts";

const CHECKS = `${import.meta.dirname}/minio_checks.py`;
const REQUIREMENTS = `${import.meta.dirname}/minio_requirements.txt`;

Deno.test("minio-py finds buckets, tags and versions as on Amazon", async () => {
  const python = await ensurePython(REQUIREMENTS);
  await using gateway = await startGateway();
  const { code, stdout, stderr } = await run(python, [CHECKS], { gateway });
  strictEqual(code, 0, stderr);
  strictEqual(stdout, "ok\n");
});
