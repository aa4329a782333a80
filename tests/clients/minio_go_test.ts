/** Runs the library of MinIO's client mc: all that mc asks of a gateway, it asks by it. */

import { strictEqual } from "node:assert/strict";
import { buildGoClient } from "../../scripts/go_client.ts";
import { run } from "./client_process.ts";
import { startGateway } from "./gateway_process.ts";

const reasons: string[] = [];
const client = await buildGoClient("minio_go", (text) => reasons.push(text));
// deno-lint-ignore no-console
if (client === undefined) console.log(`Skipping minio-go: ${reasons.join("; ")}`);

Deno.test({
  name: "minio-go finds buckets, tags and versions as mc does",
  ignore: client === undefined,
  async fn() {
    if (client === undefined) return;
    await using gateway = await startGateway();
    const { code, stdout, stderr } = await run(client, [], { gateway });
    strictEqual(code, 0, stderr);
    strictEqual(stdout, "ok\n");
  },
});
