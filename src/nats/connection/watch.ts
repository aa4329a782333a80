/**
 * Watches a connection to NATS: whether it stands, how often it was lost, and the distance to the server.
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import type { ConnectionStats } from "../../telemetry/metrics/jetstream.ts";
import { startTicker, stopTicker, type Timer } from "../../world/world.ts";

/** Milliseconds between two pings. */
const INTERVAL = 10_000;

/** Watches a connection, which stays the caller's, until it is disposed. */
export class ConnectionWatch implements Disposable {
  readonly #connection: NatsConnection;
  readonly #timer: Timer;
  #isConnected: boolean;
  #reconnects = 0;
  #roundTrip: number | undefined;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#isConnected = !connection.isClosed();
    this.#timer = startTicker(INTERVAL, () => this.#ping());
    this.#ping();
    this.#follow();
  }

  /** The current statistics. */
  get stats(): ConnectionStats {
    const { inBytes, outBytes } = this.#connection.stats();
    return {
      isConnected: this.#isConnected && !this.#connection.isClosed(),
      reconnects: this.#reconnects,
      roundTrip: this.#roundTrip,
      inBytes,
      outBytes,
    };
  }

  [Symbol.dispose](): void {
    stopTicker(this.#timer);
  }

  #ping(): void {
    this.#connection.rtt()
      .then((milliseconds) => void (this.#roundTrip = milliseconds / 1000), () => {});
  }

  /** Ends with the connection. */
  async #follow(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === "disconnect") this.#isConnected = false;
      if (type === "reconnect") {
        this.#isConnected = true;
        this.#reconnects++;
      }
    }
  }
}
