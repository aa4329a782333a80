/**
 * Mirrors of a stream in the same JetStream. nats-server lets them respond to the stream's direct gets, with old messages
 * or none.
 * @module
 */

import { ok } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { call } from "./nats_store.ts";

const PATIENCE = 10_000;
const PAUSE = 10;

/** Creates a mirror and waits until it responds to the stream's direct gets. */
export async function mirror(
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
    // Asking without a pause costs the processor more than the tests do.
    if (!isAnswering) await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Creates a mirror of the gateway's records alone: it has no message of any object. */
export async function mirrorRecords(connection: NatsConnection, stream: string): Promise<void> {
  await mirror(connection, stream, (store) => `$O.${store}.S3.>`);
}
