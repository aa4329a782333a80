/**
 * A TCP proxy in front of gateways that spreads connections over the ready ones.
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import type { GatewayProcess } from "../clients/gateway_process.ts";
import type { Reachable } from "../clients/signed_request.ts";

/** Milliseconds between two probes of a gateway; next, the timeout of a probe and of the other half of a connection. */
const INTERVAL = 250;
const TIMEOUT = 1000;

type Backend = { readonly gateway: GatewayProcess; isReady: boolean };
type Pair = { readonly client: Deno.TcpConn; readonly server: Deno.TcpConn };

/** A proxy in front of gateways; disposing closes all connections. */
export class Balancer implements Reachable, AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #stop = new AbortController();
  readonly #pairs = new Map<Pair, Backend>();
  readonly #connections = new Set<Promise<void>>();
  #backends: readonly Backend[] = [];
  #next = 0;
  readonly #running: Promise<void>[];

  constructor() {
    this.#running = [this.#accept(), this.#probe()];
  }

  get host(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** The number of ready gateways. */
  get ready(): number {
    return this.#backends.filter(({ isReady }) => isReady).length;
  }

  /** Replaces the gateways behind the proxy. */
  use(gateways: readonly GatewayProcess[]): void {
    this.#backends = gateways.map((gateway) =>
      this.#backends.find((known) => known.gateway === gateway) ?? { gateway, isReady: false }
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#listener.close();
    for (const pair of this.#pairs.keys()) this.#end(pair);
    await Promise.allSettled([...this.#running, ...this.#connections]);
  }

  async #probe(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await Promise.all(this.#backends.map(async (backend) => {
        backend.isReady = await isReady(backend.gateway);
        if (backend.isReady) return;
        // Proxies close the connections to a server that is down.
        for (const [pair, of] of this.#pairs) if (of === backend) this.#end(pair);
      }));
      await delay(INTERVAL);
    }
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const connected = this.#connect(client).finally(() => this.#connections.delete(connected));
      this.#connections.add(connected);
    }
  }

  async #connect(client: Deno.TcpConn): Promise<void> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const ready = this.#backends.filter(({ isReady }) => isReady);
      const backend = ready[this.#next++ % ready.length];
      if (backend === undefined) break;
      try {
        const server = await Deno.connect({ hostname: "127.0.0.1", port: backend.gateway.port });
        const pair = { client, server };
        this.#pairs.set(pair, backend);
        const over = [
          client.readable.pipeTo(server.writable),
          server.readable.pipeTo(client.writable),
        ];
        await Promise.race(over.map((one) => one.catch(() => {})));
        const rest = new AbortController();
        const timeout = delay(TIMEOUT, undefined, { signal: rest.signal }).catch(() => {});
        await Promise.race([Promise.allSettled(over), timeout]);
        rest.abort();
        this.#end(pair);
        return;
      } catch {
        backend.isReady = false;
      }
    }
    close(client);
  }

  #end(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    close(pair.client);
    close(pair.server);
  }
}

/** Returns the URL of a gateway's health and metrics. */
export function adminUrl(gateway: GatewayProcess): string {
  const line = gateway.log.find(({ msg }) => msg === "Serving health and metrics");
  return `http://127.0.0.1:${line?.["port"]}`;
}

async function isReady(gateway: GatewayProcess): Promise<boolean> {
  try {
    const response = await fetch(`${adminUrl(gateway)}/readyz`, {
      signal: AbortSignal.timeout(TIMEOUT),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // the other side closed first
  }
}
