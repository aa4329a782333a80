/**
 * Kills 100 gateways during multipart uploads and their rewriting. `NATS_S3_SOAK_SEED` and `NATS_S3_SOAK_KILLS` set the
 * seed and the number of kills.
 */

import { runMultipartKills } from "../nats/multipart_kills.ts";

Deno.test("100 gateways that are killed in multipart uploads lose nothing and leave nothing", async () => {
  const report = await runMultipartKills({
    rounds: Number(Deno.env.get("NATS_S3_SOAK_KILLS") ?? 100),
    seed: Number(Deno.env.get("NATS_S3_SOAK_SEED") ?? 1),
  });
  // deno-lint-ignore no-console
  console.log(report);
});
