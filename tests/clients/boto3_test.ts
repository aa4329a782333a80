/** Runs boto3_checks.py and reports each check as a step. */

import { fail, ok, strictEqual } from "node:assert/strict";
import { ensurePython } from "../../scripts/client_tools.ts";
import { run } from "./client_process.ts";
import { startGateway } from "./gateway_process.ts";
import { SpoilingProxy } from "./spoiling_proxy.ts";

const CHECKS = `${import.meta.dirname}/boto3_checks.py`;

for (
  const [name, env] of [
    ["boto3", {}],
    ["boto3 with awscrt", { BOTO_DISABLE_CRT: "false" }],
  ] as const
) {
  Deno.test(name, async (t) => {
    const python = await ensurePython();
    await using gateway = await startGateway();
    await using uploads = new SpoilingProxy(gateway.port, "uploads");
    await using downloads = new SpoilingProxy(gateway.port, "downloads");
    const spoilt = { SPOILT_UPLOADS: uploads.url, SPOILT_DOWNLOADS: downloads.url };
    const { code, stdout, stderr } = await run(python, [CHECKS], {
      gateway,
      env: { ...env, ...spoilt },
    });
    const results = stdout.split("\n").filter((line) => line !== "").map((line) =>
      JSON.parse(line) as { readonly name: string; readonly error: string | null }
    );
    for (const { name, error } of results) {
      await t.step(name, () => {
        if (error !== null) fail(error);
      });
    }
    strictEqual(code, 0, stderr);
    ok(results.length > 15, `only ${results.length} checks ran`);
  });
}
