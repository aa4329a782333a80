import { startNatsServer } from "../../scripts/nats_server.ts";
import { openStoreUnderTest } from "./nats_store.ts";
import { storeContract } from "./store_contract.ts";

// One server for all, outside of tests, so that none is blamed for its process.
const server = await startNatsServer();
Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());

storeContract(
  "NATS store",
  ({ minPartSize }) => openStoreUnderTest(server.url, { minPartSize }),
  { versions: true },
);
