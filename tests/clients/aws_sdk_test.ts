/** Runs the checks of aws_sdk_checks.ts in Deno and in Node, each as a step. */

import { fail, ok, strictEqual } from "node:assert/strict";
import { TEST_LOCK } from "../../scripts/test.ts";
import { CHECKS, type Endpoint, runCheck } from "./aws_sdk_checks.ts";
import { run } from "./client_process.ts";
import { CREDENTIALS, type GatewayProcess, REGION, startGateway } from "./gateway_process.ts";
import { temporaryFolder } from "./real_files.ts";
import { SpoilingProxy } from "./spoiling_proxy.ts";

/** Returns the endpoint that the checks use; disposing closes its proxies. */
function endpointOf(
  { url, port }: GatewayProcess,
): { readonly endpoint: Endpoint } & AsyncDisposable {
  const uploads = new SpoilingProxy(port, "uploads");
  const downloads = new SpoilingProxy(port, "downloads");
  const spoilt = { uploads: uploads.url, downloads: downloads.url };
  return {
    endpoint: { url, ...CREDENTIALS, region: REGION, spoilt },
    async [Symbol.asyncDispose]() {
      for (const proxy of [uploads, downloads]) await proxy[Symbol.asyncDispose]();
    },
  };
}

Deno.test("@aws-sdk/client-s3 in Deno", async (t) => {
  await using gateway = await startGateway();
  await using given = endpointOf(gateway);
  for (const name of Object.keys(CHECKS)) {
    await t.step(name, () => runCheck(name, given.endpoint));
  }
});

Deno.test("@aws-sdk/client-s3 in Node", async (t) => {
  await using folder = await temporaryFolder();
  const bundle = `${folder.path}/checks.mjs`;
  const deno = { command: Deno.execPath(), args: [], env: {} };
  const node = { command: "node", args: [], env: {} };
  await using gateway = await startGateway();
  const file = `${import.meta.dirname}/aws_sdk_checks.ts`;
  const bundled = await run(deno, ["bundle", "--quiet", ...TEST_LOCK, "--output", bundle, file], {
    gateway,
  });
  strictEqual(bundled.code, 0, bundled.stderr);

  await using given = endpointOf(gateway);
  const { code, stdout, stderr } = await run(node, [bundle, JSON.stringify(given.endpoint)], {
    gateway,
  });
  strictEqual(code, 0, stderr);
  const results = stdout.split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line) as { readonly name: string; readonly error: string | null }
  );
  strictEqual(results.length, Object.keys(CHECKS).length);
  for (const { name, error } of results) {
    await t.step(name, () => {
      if (error !== null) fail(error);
    });
  }
  ok(results.length > 0);
});
