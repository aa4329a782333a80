/**
 * The long version of `tests/http/malformed_requests_test.ts`. To repeat a failure, set `NATS_S3_MALFORMED_SEED` as in
 * its message, and `NATS_S3_MALFORMED_COUNT=1`.
 * @module
 */

import { ok } from "node:assert/strict";
import { sendMalformed } from "../http/malformed_run.ts";

Deno.test("100,000 malformed requests do no harm", async () => {
  const count = Number(Deno.env.get("NATS_S3_MALFORMED_COUNT") ?? 100_000);
  const seed = Number(Deno.env.get("NATS_S3_MALFORMED_SEED") ?? 1_000_000);
  const outcomes = await sendMalformed({ count, seed, connections: 16 });
  // deno-lint-ignore no-console
  console.log(outcomes);
  ok(Object.values(outcomes.times).reduce((sum, times) => sum + times, 0) === count);
});
