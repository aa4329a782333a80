/**
 * `nats-s3 serve`: connects, serves until a signal comes, and ends in good order.
 * @module
 */

import { type AdminServices, createAdminHandler } from "../http/admin_pages.ts";
import { VERSION } from "../config/command_line.ts";
import type { Config } from "../config/config.ts";
import type { Handler } from "../gateway.ts";
import type { InFlight } from "../http/in_flight.ts";
import {
  closeConnection,
  connect,
  type NatsConnection,
  waitForJetStream,
} from "../nats/connection/connection.ts";
import { announceService, type Traffic } from "../nats/monitoring/service.ts";
import type { Address } from "../config/network_values.ts";
import type { Log } from "../telemetry/log.ts";
import { checkDates } from "./certificate_dates.ts";

/** What answers requests. */
export type Gateway = Handler & AsyncDisposable & AdminServices & {
  /** The requests in flight. */
  readonly inFlight: InFlight;
  /** The requests that have ended. */
  readonly traffic: Traffic;
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

/** Milliseconds in which requests that were broken off free what they wrote. */
const AFTERMATH = 2000;

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
  let stoppedAt = 0;
  const onSignal = (): void => {
    if (!signal.aborted) {
      stoppedAt = performance.now();
      stop.abort();
    } else if (performance.now() - stoppedAt > SAME_SIGNAL) Deno.exit(130);
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
    checkDates(config, log, new Date());
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
    await log.flush();
    for (const name of SIGNALS) Deno.removeSignalListener(name, onSignal);
    globalThis.removeEventListener("error", onUncaught);
    globalThis.removeEventListener("unhandledrejection", onUncaught);
  }
}

/** Milliseconds within which a second signal is the first one: a terminal and `deno task` both pass a Ctrl-C on. */
const SAME_SIGNAL = 500;

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
  config: Config,
  { gateway, connection, log, signal, onListen }: Listening,
): Promise<number> {
  const { listen: { hostname, port }, sharesPort, admin, tls } = config;
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
    ...tls,
    onListen: ({ hostname, port }) => {
      log.info("Serving S3", { hostname, port, scheme: tls === undefined ? "http" : "https" });
      onListen?.();
    },
    onError: (cause) => {
      log.error("Request without an answer", { cause });
      return new Response(null, { status: 500 });
    },
  }, gateway);
  const service = config.nats.service === "off" ? undefined : announceService(connection, {
    version: VERSION,
    metadata: { region: config.region, listen: `${hostname}:${server.addr.port}` },
    traffic: gateway.traffic,
    log,
  });

  const lost = await Promise.race([connection.closed(), aborted(signal)]);
  stopping = true;
  service?.[Symbol.dispose]();
  inFlight.stop();
  if (signal.aborted) {
    log.info("Stopping: requests in flight may end", { requests: inFlight.count });
    await pause(config.drain.delay);
  } else {
    log.error("The connection to NATS is closed for good", { cause: lost ?? undefined });
  }
  await drain(server, gateway, { timeout: config.drain.timeout, log });
  log.info("Stopped");
  return signal.aborted ? 0 : 1;
}

/** What {@linkcode drain} takes. */
type DrainOptions = {
  /** Milliseconds that requests have to end. */
  readonly timeout: number;
  readonly log: Log;
};

/**
 * Closes a server when the requests that are in flight have ended.
 *
 * `server.shutdown()` of Deno 2.9.6 lets answers end, but breaks request bodies that still arrive, and nothing closes
 * the listener alone. So it comes when no body arrives, and until then requests are served as ever: those that were
 * there first have arrived sooner or later, and only for as long as it takes the ones that came meanwhile, a request
 * with a body gets a 503.
 */
async function drain(
  server: Deno.HttpServer,
  { inFlight, breakOff }: Gateway,
  { timeout, log }: DrainOptions,
): Promise<void> {
  const deadline = performance.now() + timeout;
  const left = (): number => Math.max(0, deadline - performance.now());
  await within(timeout / 2, inFlight.bodiesArrived());
  inFlight.refuseBodies();
  await within(left(), inFlight.bodiesArrived());
  const closed = inFlight.arriving === 0 ? server.shutdown() : undefined;
  await within(left(), Promise.all([closed, inFlight.ended()]));
  if (inFlight.count > 0) {
    log.warn("Requests in flight take too long: breaking them off", { requests: inFlight.count });
    breakOff();
    await within(AFTERMATH, inFlight.ended());
  }
  await within(1000, closed ?? server.shutdown());
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

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits for a promise, but no longer than some milliseconds. */
async function within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => timer = setTimeout(resolve, milliseconds));
  await Promise.race([promise, late]);
  clearTimeout(timer);
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
