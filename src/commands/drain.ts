/**
 * Closes the servers after the requests in flight have ended.
 * @module
 */

import type { InFlight } from "../http/in_flight.ts";
import type { Log } from "../telemetry/log.ts";

/** Milliseconds for requests that were cut off to free what they wrote. */
const AFTERMATH = 2000;

/** Options of {@linkcode drain}. */
export type DrainOptions = {
  /** Milliseconds that requests may take to end. */
  readonly timeout: number;
  readonly log: Log;
};

/**
 * Closes servers after their requests in flight have ended.
 *
 * `server.shutdown()` of Deno 2.9.6 lets responses end but breaks off request bodies that are still arriving, and there
 * is no way to close only the listener. So the shutdown waits until no body is arriving, and the server accepts requests
 * until then. The bodies that were arriving at first end sooner or later. While those that came meanwhile end, a new
 * request with a body gets a 503.
 */
export async function drain(
  servers: readonly Deno.HttpServer[],
  { inFlight, breakOff }: { readonly inFlight: InFlight; readonly breakOff: () => void },
  { timeout, log }: DrainOptions,
): Promise<void> {
  const deadline = performance.now() + timeout;
  const left = (): number => Math.max(0, deadline - performance.now());
  await within(timeout / 2, inFlight.bodiesArrived());
  inFlight.refuseBodies();
  await within(left(), inFlight.bodiesArrived());
  const shutDown = (): Promise<unknown> => Promise.all(servers.map((server) => server.shutdown()));
  const closed = inFlight.arriving === 0 ? shutDown() : undefined;
  await within(left(), Promise.all([closed, inFlight.ended()]));
  if (inFlight.count > 0) {
    log.warn("Requests in flight take too long: cutting them off", { requests: inFlight.count });
    breakOff();
    await within(AFTERMATH, inFlight.ended());
  }
  await within(1000, closed ?? shutDown());
}

/** Waits for a promise, for at most this long. */
async function within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => timer = setTimeout(resolve, milliseconds));
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
