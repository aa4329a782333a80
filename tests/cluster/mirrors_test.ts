/**
 * The store contract on streams that others follow: a mirror of the same name in another JetStream domain, whose responses
 * cannot be told from the stream's, and a stream with the bucket as its source.
 */

import { ok } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { call, openStoreUnderTest } from "../contract/nats_store.ts";
import { storeContract } from "../contract/store_contract.ts";
import { startHubAndLeaf } from "../nats/hub_and_leaf.ts";

// Outside of tests, so that none is blamed for their processes.
const servers = await startHubAndLeaf();
Deno.test.afterAll(async () => await servers[Symbol.asyncDispose]());

const LEAF = "$JS.leaf.API";
const PATIENCE = 20_000;

type Info = { readonly state: { readonly messages: number } };

/** Creates a mirror of the records in the leaf's domain, and waits until it has begun. */
async function mirrorInLeaf(connection: NatsConnection, stream: string): Promise<void> {
  await call(connection, `STREAM.DELETE.${stream}`, undefined, LEAF).catch(() => {});
  const mirror = {
    name: stream,
    filter_subject: `$O.${stream.replace(/^OBJ_/, "")}.S3.>`,
    external: { api: "$JS.hub.API", deliver: "" },
  };
  const config = { name: stream, storage: "memory", allow_direct: true, mirror_direct: true };
  await untilItHas(connection, stream, LEAF, { ...config, mirror });
}

/** Creates a stream that has a bucket as its source, and waits until it has begun. */
async function source(connection: NatsConnection, stream: string): Promise<void> {
  const name = `OBJ_copy-of-${stream}`;
  await call(connection, `STREAM.DELETE.${name}`).catch(() => {});
  const config = { name, storage: "memory", allow_direct: true, sources: [{ name: stream }] };
  await untilItHas(connection, name, "$JS.API", config);
}

async function untilItHas(
  connection: NatsConnection,
  stream: string,
  apiPrefix: string,
  config: unknown,
): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  // The leaf may still be connecting.
  for (;;) {
    try {
      await call(connection, `STREAM.CREATE.${stream}`, config, apiPrefix);
      break;
    } catch (cause) {
      if (Date.now() > deadline) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  for (;;) {
    const { state } = await call<Info>(connection, `STREAM.INFO.${stream}`, undefined, apiPrefix);
    if (state.messages > 0) return;
    ok(Date.now() < deadline, `${stream} stays empty`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

storeContract(
  "NATS store with a mirror in a leaf's domain",
  ({ minPartSize }) => openStoreUnderTest(servers.hub.url, { minPartSize }, mirrorInLeaf),
);

storeContract(
  "NATS store through a leaf that has a mirror",
  ({ minPartSize }) =>
    openStoreUnderTest(
      servers.leaf.url,
      { minPartSize, apiPrefix: "$JS.hub.API" },
      mirrorInLeaf,
    ),
);

storeContract(
  "NATS store that is a source",
  ({ minPartSize }) => openStoreUnderTest(servers.hub.url, { minPartSize }, source),
);
