/**
 * Finds out within seconds that a server is dead, because requests would wait for it.
 *
 * The library's own heartbeat counts pongs alone. They come behind all messages that are on their way, which may take a busy
 * gateway longer than a dead server is given: it would cut a connection that works hard. So every message counts here.
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { startTicker, stopTicker } from "../../world/world.ts";

/** Milliseconds between two pings. */
const INTERVAL = 2000;
/** Pings without a sign of life after which the connection is made again. */
const MAX_SILENT = 2;
/** Milliseconds between two pings of the library: so many that it never sends a second one. */
export const LIBRARY_INTERVAL = 2 ** 30;

/** Pings the server until the connection closes, and makes the connection again when nothing arrives. */
export function keepAlive(connection: NatsConnection): void {
  let isConnected = true;
  let received = -1;
  let silent = 0;
  const timer = startTicker(INTERVAL, () => {
    if (!isConnected || connection.isClosed()) return;
    const { inMsgs } = connection.stats();
    if (inMsgs !== received) silent = 0;
    received = inMsgs;
    if (silent >= MAX_SILENT) {
      connection.reconnect().catch(() => {}); // it is closing
      return;
    }
    silent++;
    connection.flush().then(() => void (silent = 0), () => {});
  });
  connection.closed().then(() => stopTicker(timer));
  const follow = async (): Promise<void> => {
    for await (const { type } of connection.status()) {
      if (type === "disconnect") isConnected = false;
      if (type === "reconnect") [isConnected, silent] = [true, 0];
    }
  };
  follow();
}
