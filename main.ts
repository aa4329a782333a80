/**
 * An S3 server on NATS JetStream: {@linkcode createGateway} and {@linkcode parseConfig} for embedding, and the command
 * `nats-s3` when this file is run. Wiring only: the pipeline is in `src/gateway.ts`, the settings in `src/config/settings.ts`.
 *
 * ```sh
 * deno run --allow-net --allow-env main.ts --natsUser ann --natsPassword secret
 * ```
 * @module
 */

import { createAuthorize } from "./src/access/authorize.ts";
import { createAuthenticate } from "./src/auth/authenticate.ts";
import { checkHealth } from "./src/commands/health.ts";
import { type Gateway, serve } from "./src/commands/serve.ts";
import { sweep } from "./src/commands/sweep.ts";
import {
  formatHelp,
  parseInvocation,
  refuseRuntimeSpans,
  type Sources,
  VERSION,
} from "./src/config/command_line.ts";
import { type Config, createConfig } from "./src/config/config.ts";
import { given } from "./src/config/settings.ts";
import { createHandler } from "./src/gateway.ts";
import { InFlight } from "./src/http/in_flight.ts";
import { RateLimit } from "./src/http/rate_limit.ts";
import type { NatsConnection } from "./src/nats/connection/connection.ts";
import { ConnectionWatch } from "./src/nats/connection/watch.ts";
import { failureOf, JetStreamError } from "./src/nats/jetstream/errors.ts";
import { describeCall } from "./src/nats/layout/subjects.ts";
import { addAuditMetrics, AuditLog } from "./src/nats/monitoring/audit.ts";
import { Traffic } from "./src/nats/monitoring/service.ts";
import { createNatsStore, type NatsStore } from "./src/nats/store.ts";
import { S3Error } from "./src/s3/errors.ts";
import { TrustedProxies } from "./src/s3/forwarded.ts";
import { StallWatch } from "./src/streams/stall_watch.ts";
import { createLog, type Log } from "./src/telemetry/log.ts";
import { createGatewayMetrics } from "./src/telemetry/metrics/gateway_metrics.ts";
import { Readiness } from "./src/telemetry/readiness.ts";
import { createRequestLog } from "./src/telemetry/request_log.ts";
import { createRequestTracing } from "./src/telemetry/request_trace.ts";
import { emptyTrashes } from "./src/workers/empty_trash.ts";
import { rewriteParts } from "./src/workers/flatten.ts";
import { sweepOrphans } from "./src/workers/sweep.ts";

export type { Config, Gateway, Log, NatsConnection };

/**
 * Makes what answers requests, on a connection that stays the caller's. Disposing ends what still waits.
 *
 * @param config Of it where to listen, how to drain, and the NATS servers, login and service are not used.
 * @param log By default one as the configuration says.
 */
export function createGateway(
  config: Config,
  connection: NatsConnection,
  log: Log = createLog(config.log),
): Gateway {
  const { region, encryptionAtRest, credentials, clockSkew, sigv2, domains, defaultOwner } = config;
  const { trustedProxies } = config;
  const now = (): Date => new Date();
  const inFlight = new InFlight(config.limits.requests);
  const stalls = new StallWatch(config.limits.stall);
  const { rate } = config.limits;
  const traffic = new Traffic();
  const watch = new ConnectionWatch(connection);
  const metrics = createGatewayMetrics({
    version: VERSION,
    inFlight,
    isReady: () => readiness.isReady,
    stalled: stalls.ended,
    store: () => store.stats(),
    nats: () => watch.figures,
    droppedLines: log.dropped,
  });
  const { subject } = config.audit;
  const audit = subject === undefined
    ? undefined
    : new AuditLog(connection, { ...config.nats, subject, log });
  addAuditMetrics(metrics.metrics, audit);
  const tracing = createRequestTracing(config.tracing, {
    version: VERSION,
    log,
    metrics: metrics.metrics,
  });
  const store: NatsStore = createNatsStore(connection, {
    ...config.bucket,
    grace: config.grace,
    indexMemory: config.indexMemory,
    nativeLayout: config.nativeLayout,
    apiPrefix: config.nats.apiPrefix,
    inboxPrefix: config.nats.inboxPrefix,
    defaultOwner,
    log,
    now,
    observe: {
      call({ method, subject, size }) {
        const began = performance.now();
        const traced = tracing?.current?.call({ method, size, ...describeCall(method, subject) });
        return (error, received) => {
          const seconds = (performance.now() - began) / 1000;
          const failure = error === undefined ? undefined : failureOf(error);
          metrics.call(method, seconds, failure);
          const code = error instanceof JetStreamError ? error.code : undefined;
          traced?.({ failure, code, received });
        };
      },
      indexed: metrics.indexed,
    },
  });
  const readiness = new Readiness(async () => {
    return watch.figures.isConnected ? await store.problem() : "There is no connection to NATS";
  });
  const logRequest = createRequestLog(config.log.requests, log);
  const handler = createHandler({
    store,
    region,
    encryptionAtRest,
    domains,
    ...(trustedProxies.length > 0 && { proxies: new TrustedProxies(trustedProxies) }),
    authenticate: createAuthenticate({ credentials, region, clockSkew, sigv2, now }),
    authorize: createAuthorize(store),
    inFlight,
    ...(rate !== "off" && { rateLimit: new RateLimit(rate) }),
    stalls,
    log,
    observe(record) {
      metrics.request(record);
      logRequest(record);
      audit?.add(record);
      traffic.add(record);
    },
    rejected: metrics.rejected,
    tracing,
    newRequestId: () => crypto.randomUUID(),
  });
  const stop = new AbortController();
  const { signal } = stop;
  const { emptiedTrash, swept, rewritten } = metrics;
  const { grace } = config;
  const workers = [emptyTrashes(store, { grace, log, signal, report: emptiedTrash })];
  if (config.nativeLayout !== "off") {
    workers.push(rewriteParts(store, { log, signal, report: rewritten }));
  }
  if (config.sweep.interval > 0) {
    workers.push(sweepOrphans(store, { ...config.sweep, log, signal, report: swept }));
  }
  return Object.assign(handler, {
    inFlight,
    traffic,
    renderMetrics: metrics.render,
    problem: () => readiness.check(),
    breakOff() {
      // The runtime prints it: where it was made says nothing.
      stalls.breakOff(Object.assign(new S3Error("ServiceUnavailable"), { stack: "" }));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      watch[Symbol.dispose]();
      readiness[Symbol.dispose]();
      metrics[Symbol.dispose]();
      store[Symbol.dispose]();
      await Promise.all([
        ...workers,
        tracing?.[Symbol.asyncDispose](),
        audit?.[Symbol.asyncDispose](),
      ]);
    },
  });
}

/**
 * The configuration that variables give, for programs that embed the gateway. Defaults are those of `serve`.
 *
 * @param variables By their names, such as `NATS_S3_S3_REGION`; pass `Deno.env.toObject()` to take the environment's.
 * @throws RangeError, TypeError for what is missing or malformed; the message is for the user
 *
 * @example Usage
 * ```ts
 * import { parseConfig } from "./main.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const credentials = [{ accessKey: "ann", secretKey: "a long secret" }];
 * const config = parseConfig({ NATS_S3_CREDENTIALS: JSON.stringify({ credentials }) });
 * strictEqual(config.region, "us-east-1");
 * ```
 */
export function parseConfig(variables: Readonly<Record<string, string>>): Config {
  const sources = { args: [], env: variables, readTextFile: Deno.readTextFileSync };
  const invocation = parseInvocation(sources);
  if (invocation.kind !== "run") throw new TypeError(`Unexpected invocation: ${invocation.kind}`);
  return createConfig(invocation.values);
}

/** What a command line asks for, ready to run to an exit code. */
function plan(sources: Sources): () => number | Promise<number> {
  const invocation = parseInvocation(sources);
  if (invocation.kind === "help") return () => print(formatHelp());
  if (invocation.kind === "version") return () => print(`nats-s3 ${VERSION}`);
  const { command, values } = invocation;
  if (command === "health") {
    const address = given(values, "listen");
    return async () => {
      const problem = await checkHealth(address, values.serverCert !== undefined);
      return problem === undefined ? 0 : fail(problem, 1);
    };
  }
  const config = createConfig(values);
  if (command === "sweep") {
    return () => sweep(config, { log: createLog(config.log), print });
  }
  refuseRuntimeSpans(sources.env);
  return () => serve(config, { createGateway, log: createLog(config.log) });
}

/** Runs a command line; returns the exit code, 2 for one that makes no sense. */
async function main(readSources: () => Sources): Promise<number> {
  let run: ReturnType<typeof plan>;
  try {
    run = plan(readSources());
  } catch (cause) {
    return fail(cause instanceof Error ? cause.message : String(cause), 2);
  }
  return await run();
}

function print(text: string): number {
  // deno-lint-ignore no-console
  console.log(text);
  return 0;
}

function fail(text: string, code: number): number {
  // deno-lint-ignore no-console
  console.error(text);
  return code;
}

if (import.meta.main) {
  Deno.exit(
    await main(() => ({
      args: Deno.args,
      env: Deno.env.toObject(),
      readTextFile: Deno.readTextFileSync,
    })),
  );
}
