/**
 * `nats-s3 serve`: connects to NATS, serves S3 until a signal arrives, and shuts down cleanly.
 * @module
 */

import { VERSION } from "../config/command_line.ts";
import type { Config } from "../config/config.ts";
import type { Handler } from "../gateway.ts";
import type { AdminServices } from "../http/admin_pages.ts";
import type { InFlight } from "../http/in_flight.ts";
import { closeConnection, connect, type NatsConnection } from "../nats/connection/connection.ts";
import { waitForJetStream } from "../nats/jetstream/availability.ts";
import { announceService, type Traffic } from "../nats/monitoring/service.ts";
import type { Log } from "../telemetry/log.ts";
import { checkDates } from "./certificate_dates.ts";
import { drain } from "./drain.ts";
import { warnOfKeys } from "./key_warnings.ts";
import { explainListen, listenForAdmin, listenForSites, listenTo } from "./listen.ts";

/** A gateway: the handler of S3 requests with the services around it. */
export type Gateway = Handler & AsyncDisposable & AdminServices & {
  /** The handler of web sites, for a port of their own. */
  readonly sites: Handler;
  /** Requests in flight. */
  readonly inFlight: InFlight;
  /** Statistics of the requests that have ended. */
  readonly traffic: Traffic;
  /**
   * Looks for users before requests arrive.
   *
   * @throws RangeError if accounts are isolated and nobody administers them
   */
  readonly checkUsers: () => Promise<void>;
  /** Cuts off all request bodies and responses that are still in transfer. */
  readonly breakOff: () => void;
};

/** Options of {@linkcode serve}. */
export type ServeOptions = {
  readonly createGateway: (config: Config, connection: NatsConnection, log: Log) => Gateway;
  readonly log: Log;
  /** Called when the gateway accepts requests. */
  readonly onListen?: () => void;
};

/**
 * Serves until SIGINT or SIGTERM. A second signal ends the process immediately.
 *
 * @returns Exit code: 0 after a signal, 1 if it cannot serve or the connection to NATS is closed for good.
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
  // An error in one request must not end the others. The NATS transport throws some TLS alerts where nothing catches them.
  const onUncaught = (event: ErrorEvent | PromiseRejectionEvent): void => {
    event.preventDefault();
    log.error("Uncaught error", {
      cause: event instanceof ErrorEvent ? event.error : event.reason,
    });
  };
  globalThis.addEventListener("error", onUncaught);
  globalThis.addEventListener("unhandledrejection", onUncaught);
  try {
    checkDates(config, log, new Date());
    warnOfKeys(config, log);
    const connection = await connect(config.nats, { log, signal });
    try {
      const { level, domain } = await waitForJetStream(connection, config.nats.apiPrefix, {
        log,
        signal,
      });
      log.info("JetStream is ready", { apiLevel: level, domain });
      await using gateway = createGateway(config, connection, log);
      await gateway.checkUsers();
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

/** Milliseconds within which a second signal is the same Ctrl-C: the terminal and `deno task` both forward it. */
const SAME_SIGNAL = 500;

/** Windows has no SIGTERM. */
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
  const { listen: { hostname }, admin } = config;
  const { inFlight } = gateway;
  let stopping = false;
  await using _admin = listenForAdmin(admin, {
    renderMetrics: gateway.renderMetrics,
    problem: async () => stopping ? "The gateway is stopping" : await gateway.problem(),
  }, log);
  await using sites = listenForSites(config, gateway.sites, log);
  const server = listenTo(config.listen, gateway, {
    config,
    log,
    onListen: (facts) => {
      log.info("Serving S3", facts);
      onListen?.();
    },
  });
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
  const servers = sites === undefined ? [server] : [server, sites];
  await drain(servers, gateway, { timeout: config.drain.timeout, log });
  log.info("Stopped");
  return signal.aborted ? 0 : 1;
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
