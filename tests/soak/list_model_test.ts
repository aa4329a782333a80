/**
 * The long version of `tests/nats/list_model_test.ts`. To repeat a failure, set `NATS_S3_LIST_SEED` and
 * `NATS_S3_LIST_STEPS` as in its message.
 * @module
 */

import { ok } from "node:assert/strict";
import { runListModelOnServer } from "../nats/list_model.ts";

Deno.test("10,000 random steps of three writers list what a model lists", async () => {
  const steps = Number(Deno.env.get("NATS_S3_LIST_STEPS") ?? 10_000);
  const seed = Number(Deno.env.get("NATS_S3_LIST_SEED") ?? 2);
  const report = await runListModelOnServer({ steps, seed });
  // deno-lint-ignore no-console
  console.log(report);
  const { list = 0 } = report;
  ok(list > steps);
});
