/**
 * `nats-s3 serve`: connects, serves until a signal comes, and ends in good order.
 * @module
 */

import { type AdminServices, createAdminHandler } from "../admin.ts";
import type { Config } from "../config.ts";
import type { Handler } from "../gateway.ts";
import type { InFlight } from "../in_flight.ts";
import {
  closeConnection,
  connect,
  type NatsConnection,
  waitForJetStream,
} from "../nats/connection.ts";
import type { Address } from "../setting_values.ts";
import type { Log } from "../telemetry/log.ts";

/** What answers requests. */
export type Gateway = Handler & AsyncDisposable & AdminServices & {
  /** How many requests are in flight. */
  readonly inFlight: InFlight;
  /** Ends the bodies of requests and of answers that are still under way. */
  readonly breakOff: () => void;
};

/** Options of {@linkcode serve}. */
export type ServeOptions = {
  readonly createGateway: (config: Config, connection: NatsConnection, log: Log) => Gateway;
  readonly log: Log;
  /** Called once requests are accepted. */
  readonly onListen?: () => void;
};

/** Milliseconds that requests in flight have to end after a signal. */
const GRACE = 25_000;

/**
 * Serves until SIGINT or SIGTERM; a second one ends it at once.
 *
 * @returns Exit code: 0 after a signal, 1 when it cannot serve or loses NATS for good.
 */
export async function serve(
  config: Config,
  { createGateway, log, onListen }: ServeOptions,
): Promise<number> {
  const stop = new AbortController();
  const { signal } = stop;
  const onSignal = (): void => {
    if (signal.aborted) Deno.exit(130);
    stop.abort();
  };
  for (const name of SIGNALS) Deno.addSignalListener(name, onSignal);
  // One request's mistake must not end the others. The NATS transport throws some TLS alerts into the void.
  const onUncaught = (event: ErrorEvent | PromiseRejectionEvent): void => {
    event.preventDefault();
    log.error("Uncaught", { cause: event instanceof ErrorEvent ? event.error : event.reason });
  };
  globalThis.addEventListener("error", onUncaught);
  globalThis.addEventListener("unhandledrejection", onUncaught);
  try {
    const connection = await connect(config.nats, { log, signal });
    try {
      const { level, domain } = await waitForJetStream(connection, config.nats.apiPrefix, {
        log,
        signal,
      });
      log.info("JetStream is ready", { apiLevel: level, domain });
      await using gateway = createGateway(config, connection, log);
      return await listen(config, { gateway, connection, log, signal, onListen });
    } finally {
      await closeConnection(connection);
    }
  } catch (cause) {
    if (signal.aborted) return 0;
    log.error("Cannot serve", { reason: explain(cause, config), cause });
    return 1;
  } finally {
    for (const name of SIGNALS) Deno.removeSignalListener(name, onSignal);
    globalThis.removeEventListener("error", onUncaught);
    globalThis.removeEventListener("unhandledrejection", onUncaught);
  }
}

/** Windows has no SIGTERM to listen for. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

type Listening = {
  readonly gateway: Gateway;
  readonly connection: NatsConnection;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onListen: (() => void) | undefined;
};

async function listen(
  { listen: { hostname, port }, sharesPort, admin }: Config,
  { gateway, connection, log, signal, onListen }: Listening,
): Promise<number> {
  const { inFlight } = gateway;
  let stopping = false;
  await using _admin = listenForAdmin(admin, {
    renderMetrics: gateway.renderMetrics,
    problem: async () => stopping ? "The gateway is stopping" : await gateway.problem(),
  }, log);
  const server = Deno.serve({
    hostname,
    port,
    reusePort: sharesPort,
    onListen: ({ hostname, port }) => {
      log.info("Serving S3", { hostname, port });
      onListen?.();
    },
    onError: (cause) => {
      log.error("Request without an answer", { cause });
      return new Response(null, { status: 500 });
    },
  }, (request, info) => stopping ? goingAway() : gateway(request, info));

  const lost = await Promise.race([connection.closed(), aborted(signal)]);
  if (!signal.aborted) {
    log.error("The connection to NATS is closed for good", { cause: lost ?? undefined });
  } else {
    log.info("Stopping: requests in flight may end", { requests: inFlight.count });
  }
  // server.shutdown() of Deno 2.9.6 breaks request bodies that still arrive: so it comes when there are none.
  stopping = true;
  const deadline = performance.now() + GRACE;
  while (inFlight.count > 0 && performance.now() < deadline) await pause(20);
  if (inFlight.count > 0) {
    log.warn("Requests in flight take too long: breaking them off", { requests: inFlight.count });
  }
  await Promise.race([server.shutdown(), pause(1000)]);
  log.info("Stopped");
  return signal.aborted ? 0 : 1;
}

/** Serves health and metrics. Where that cannot be, requests are served all the same. */
function listenForAdmin(
  address: Config["admin"],
  services: AdminServices,
  log: Log,
): AsyncDisposable | undefined {
  if (address === "off") return undefined;
  const { hostname, port } = address;
  try {
    return Deno.serve({
      hostname,
      port,
      onListen: ({ hostname, port }) => {
        log.info("Serving health and metrics", { hostname, port });
      },
      onError: (cause) => {
        log.error("Request for health or metrics without an answer", { cause });
        return new Response(null, { status: 500 });
      },
    }, createAdminHandler(services));
  } catch (cause) {
    log.warn("There are no health and metrics pages", {
      reason: explainListen(cause, address, "--admin.listen"),
    });
    return undefined;
  }
}

/** What requests get that come after the signal. */
function goingAway(): Response {
  return new Response(null, {
    status: 503,
    headers: { "retry-after": "1", connection: "close" },
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function explain(cause: unknown, { listen }: Config): string {
  return explainListen(cause, listen, "--listen");
}

function explainListen(cause: unknown, { hostname, port }: Address, flag: string): string {
  if (cause instanceof Deno.errors.AddrInUse) {
    return `Port ${port} of ${hostname} is in use: stop what listens there, or choose another with ${flag}`;
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return `The system does not let us listen on port ${port} of ${hostname}: ${cause.message}`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
