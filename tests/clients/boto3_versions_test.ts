/** Runs boto3_version_checks.py. */

import { strictEqual } from "node:assert/strict";
import { ensurePython } from "../../scripts/client_tools.ts";
import { run } from "./client_process.ts";
import { startGateway } from "./gateway_process.ts";

const CHECKS = `${import.meta.dirname}/boto3_version_checks.py`;

Deno.test("boto3 keeps versions, locks them and lets them expire", async () => {
  const python = await ensurePython();
  await using gateway = await startGateway();
  const { code, stdout, stderr } = await run(python, [CHECKS], { gateway });
  strictEqual(code, 0, stderr);
  strictEqual(stdout, "ok\n");
});
