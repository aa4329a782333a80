/** The store contract on three servers. */

import { openStoreUnderTest } from "../contract/nats_store.ts";
import { storeContract } from "../contract/store_contract.ts";
import { cluster } from "./store_on_cluster.ts";

// One cluster for all tests, because starting it takes seconds; outside of them, so that no test leaks its processes.
const given = await cluster();
Deno.test.afterAll(async () => await given[Symbol.asyncDispose]());

storeContract(
  "NATS store, R=3",
  ({ minPartSize }) => openStoreUnderTest(given.nats.urls, { minPartSize, replicas: 3 }),
);
