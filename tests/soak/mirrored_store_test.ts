/** The long version of `tests/contract/mirrored_store_test.ts`: the whole contract beside a mirror of records. */

import { startNatsServer } from "../../scripts/nats_server.ts";
import { mirrorRecords } from "../contract/mirrors_of_streams.ts";
import { openStoreUnderTest } from "../contract/nats_store.ts";
import { storeContract } from "../contract/store_contract.ts";

// One server for all, outside of tests, so that none is blamed for its process.
const server = await startNatsServer();
Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());

storeContract(
  "NATS store with a mirror of its records",
  ({ minPartSize }) => openStoreUnderTest(server.url, { minPartSize }, mirrorRecords),
);
