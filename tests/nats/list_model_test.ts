/** The small twin of `tests/soak/list_model_test.ts`. */

import { ok } from "node:assert/strict";
import { runListModelOnServer } from "./list_model.ts";

Deno.test("500 random steps of three writers list what a model lists", async () => {
  const { list = 0 } = await runListModelOnServer({ steps: 500, seed: 1 });
  ok(list > 500);
});
