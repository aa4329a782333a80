/**
 * Two nats-servers, each with a JetStream domain of its own: a hub, and a leaf node that is connected to it.
 * @module
 */

import { freePort, type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";

/** The two servers; disposing stops them. Their domains are `hub` and `leaf`. */
export type HubAndLeaf = AsyncDisposable & { readonly hub: NatsServer; readonly leaf: NatsServer };

/** Starts a hub and a leaf node. */
export async function startHubAndLeaf(): Promise<HubAndLeaf> {
  const port = freePort();
  const hub = await startNatsServer({
    jetstream: "domain: hub",
    config: `server_name: hub\nleafnodes { listen: "127.0.0.1:${port}" }`,
  });
  const leaf = await startNatsServer({
    jetstream: "domain: leaf",
    config: `server_name: leaf\nleafnodes { remotes: [{ url: "nats://127.0.0.1:${port}" }] }`,
  });
  return {
    hub,
    leaf,
    async [Symbol.asyncDispose]() {
      await Promise.all([hub, leaf].map((server) => server[Symbol.asyncDispose]()));
    },
  };
}
