/**
 * A gateway's connection and request layer, for benchmarks that speak to JetStream directly.
 * @module
 */

import {
  closeConnection,
  connect,
  type NatsConnection,
} from "../../src/nats/connection/connection.ts";
import { Requests } from "../../src/nats/jetstream/requests.ts";
import { type StoreName, streamOf } from "../../src/nats/layout/names.ts";
import { createLog } from "../../src/telemetry/log.ts";

/** Milliseconds. */
const TIMEOUT = 30_000;

/** Options of requests. */
export const REQUEST_OPTIONS = {
  apiPrefix: "$JS.API",
  inboxPrefix: "_INBOX",
  timeout: TIMEOUT,
} as const;

/** Connects; the caller closes the connection. */
export function openConnection(natsUrl: string): Promise<NatsConnection> {
  return connect({
    servers: [natsUrl],
    login: { kind: "none" },
    tls: undefined,
    inboxPrefix: "_INBOX",
  }, { log: createLog({ format: "text", level: "error" }) });
}

/** Connects; disposing closes the connection. */
export async function openRequests(natsUrl: string): Promise<
  AsyncDisposable & { readonly requests: Requests }
> {
  const connection = await openConnection(natsUrl);
  const requests = new Requests(connection, REQUEST_OPTIONS);
  return {
    requests,
    async [Symbol.asyncDispose]() {
      requests[Symbol.dispose]();
      await closeConnection(connection);
    },
  };
}

/** Returns the sequence of the last message of a bucket's stream. */
export async function readLastSequence(
  requests: Pick<Requests, "call">,
  store: StoreName,
): Promise<number> {
  type Info = { readonly state: { readonly last_seq: number } };
  return (await requests.call<Info>(`STREAM.INFO.${streamOf(store)}`)).state.last_seq;
}
