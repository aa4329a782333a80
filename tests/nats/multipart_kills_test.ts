/** The small twin of `tests/soak/multipart_kills_test.ts`. */

import { strictEqual } from "node:assert/strict";
import { runMultipartKills } from "./multipart_kills.ts";

Deno.test("a gateway that is killed in a multipart upload loses nothing and leaves nothing", async () => {
  const { rounds } = await runMultipartKills({ rounds: 3, seed: 7 });
  strictEqual(rounds, 3);
});
