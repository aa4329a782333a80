import { startNatsServer } from "../../scripts/nats_server.ts";
import { skipTime } from "../nats/skip_time.ts";
import { openStoreUnderTest } from "./nats_store.ts";
import { storeContract } from "./store_contract.ts";

// No other gateway looks at these buckets, so no test waits until it did.
skipTime({ jump: true });

// One server for all, outside of tests, so that none is blamed for its process.
const server = await startNatsServer();
Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());

storeContract(
  "NATS store",
  ({ minPartSize }) => openStoreUnderTest(server.url, { minPartSize }),
  { versions: true },
);
