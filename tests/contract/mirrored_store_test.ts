/**
 * The store contract on streams that have mirrors in the same JetStream. nats-server lets such mirrors respond to the
 * stream's direct gets, with old messages or none. `tests/soak/mirrored_store_test.ts` has all of it for mirrors of
 * records.
 */

import { startNatsServer } from "../../scripts/nats_server.ts";
import { skipTime } from "../nats/skip_time.ts";
import { mirror, mirrorRecords } from "./mirrors_of_streams.ts";
import { openStoreUnderTest } from "./nats_store.ts";
import { storeContract } from "./store_contract.ts";

// No other gateway looks at these buckets, so no test waits until it did.
skipTime({ jump: true });

// One server for all, outside of tests, so that none is blamed for its process.
const server = await startNatsServer();
Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());

storeContract(
  "NATS store with a mirror",
  ({ minPartSize }) => openStoreUnderTest(server.url, { minPartSize }, mirror),
  { versions: true },
);

// Only what reads records: the rest reads the same messages as without a mirror.
storeContract(
  "NATS store with a mirror of its records",
  ({ minPartSize }) => openStoreUnderTest(server.url, { minPartSize }, mirrorRecords),
  { recordsOnly: true },
);
