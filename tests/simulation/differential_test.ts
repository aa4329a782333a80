/** JetStream in memory answers as a nats-server does. `tests/soak` compares more. */

import { deepStrictEqual } from "node:assert/strict";
import { compare } from "./differential.ts";

Deno.test("JetStream in memory answers thousands of random requests as a nats-server does", async () => {
  deepStrictEqual(await compare({ seed: 1, count: 3000 }), []);
});
