/**
 * JetStream in memory against nats-servers: the long version of `tests/simulation/differential_test.ts`, and a cluster.
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import { compare } from "../simulation/differential.ts";

/** Seeds, and requests of each. */
const [SEEDS, REQUESTS] = [4, 25_000];

Deno.test(`JetStream in memory answers ${SEEDS * REQUESTS} random requests as a nats-server does`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    deepStrictEqual(await compare({ seed, count: REQUESTS }), [], `seed ${seed}`);
  }
});

Deno.test("JetStream in memory answers as the leaders of three nats-servers do", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    deepStrictEqual(await compare({ seed, count: 2000, servers: 3 }), [], `seed ${seed}`);
  }
});
