/** The store on JetStream does what the memory store does, in a random sequence of operations on versions. */

import { startNatsServer } from "../../scripts/nats_server.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { compareStores } from "../contract/compared_stores.ts";
import { openStoreUnderTest } from "../contract/nats_store.ts";
import { skipTime } from "./skip_time.ts";

const MIN_PART_SIZE = 64 * 1024;
const STEPS = 500;

Deno.test("the store on JetStream keeps versions as the memory store does", async () => {
  using _ = skipTime({ jump: true });
  await using server = await startNatsServer();
  await using given = await openStoreUnderTest(server.url, { minPartSize: MIN_PART_SIZE });
  const memory = createMemoryStore({ minPartSize: MIN_PART_SIZE });
  await compareStores([memory, given.store], { seed: 1, steps: STEPS });
});
