/**
 * The store contract on streams that have mirrors in the same JetStream. nats-server lets such mirrors respond to the
 * stream's direct gets, with old messages or none.
 */

import { ok } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { call, openStoreUnderTest } from "./nats_store.ts";
import { storeContract } from "./store_contract.ts";

// One server for all, outside of tests, so that none is blamed for its process.
const server = await startNatsServer();
Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());

const PATIENCE = 10_000;

/** Creates a mirror and waits until it responds to the stream's direct gets. */
async function mirror(
  connection: NatsConnection,
  stream: string,
  filter?: (store: string) => string,
): Promise<void> {
  const name = `MIRROR_${stream}`;
  const store = stream.replace(/^OBJ_/, "");
  await connection.request(`$JS.API.STREAM.DELETE.${name}`); // that of an earlier bucket
  await call(connection, `STREAM.CREATE.${name}`, {
    name,
    storage: "memory",
    mirror: { name: stream, ...(filter && { filter_subject: filter(store) }) },
  });
  const deadline = Date.now() + PATIENCE;
  const record = `$JS.API.DIRECT.GET.${stream}.$O.${store}.S3.bucket.layout`;
  for (let isAnswering = false; !isAnswering;) {
    ok(Date.now() < deadline, "the mirror never responds");
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => connection.request(record)),
    );
    isAnswering = replies.some(({ headers }) => headers?.get("Nats-Stream") === name);
  }
}

storeContract(
  "NATS store with a mirror",
  ({ minPartSize }) => openStoreUnderTest(server.url, { minPartSize }, mirror),
  { versions: true },
);

storeContract(
  "NATS store with a mirror of its records",
  ({ minPartSize }) =>
    openStoreUnderTest(
      server.url,
      { minPartSize },
      (connection, stream) => mirror(connection, stream, (store) => `$O.${store}.S3.>`),
    ),
);
