/**
 * Puts a gateway together: the store, the request pipeline, metrics, tracing, the audit log and the workers.
 * @module
 */

import { randomBytes } from "node:crypto";
import { createAuthorize } from "./access/authorize.ts";
import { createBucketAccounts } from "./access/bucket_accounts.ts";
import { createBucketAccesses } from "./access/bucket_access.ts";
import { createDecisionLog } from "./access/decision_log.ts";
import { PublicAccessBlocks } from "./access/public_access_blocks.ts";
import { createStrangerReads } from "./access/strangers.ts";
import { createAuthenticate } from "./auth/authenticate.ts";
import { createAuthenticateQuery } from "./auth/authenticate_query.ts";
import { UserCredentials } from "./auth/user_credentials.ts";
import { checkUsers } from "./commands/key_warnings.ts";
import type { Gateway } from "./commands/serve.ts";
import { VERSION } from "./config/command_line.ts";
import type { Config } from "./config/config.ts";
import { createHandler, type GatewayServices } from "./gateway.ts";
import { addGatewayMetrics, observeCalls } from "./gateway_metrics.ts";
import { createCors, rulesForOrigins } from "./http/cors.ts";
import { createRulesOf } from "./http/cors_rules.ts";
import { createEntry } from "./http/entry.ts";
import type { ExchangeServices } from "./http/exchange_services.ts";
import { FixedBodies } from "./http/fixed_bodies.ts";
import { BodyTurns } from "./http/body_turns.ts";
import { InFlight } from "./http/in_flight.ts";
import { RateLimit } from "./http/rate_limit.ts";
import { Turns } from "./http/turns.ts";
import type { NatsConnection } from "./nats/connection/connection.ts";
import { ConnectionWatch } from "./nats/connection/watch.ts";
import { AuditLog } from "./nats/monitoring/audit.ts";
import { Traffic } from "./nats/monitoring/service.ts";
import { createNatsStore, type NatsStoreOptions } from "./nats/store.ts";
import { Lifecycles } from "./operations/answers/lifecycle.ts";
import { createDropAcl } from "./operations/dropped_acls.ts";
import { DocumentBudget } from "./operations/bodies/document_budget.ts";
import { S3Error } from "./s3/errors.ts";
import { TrustedProxies } from "./s3/forwarded.ts";
import { regionOfUnsigned } from "./s3/region.ts";
import { StallWatch } from "./streams/stall_watch.ts";
import { createLog, type Log } from "./telemetry/log.ts";
import { Metrics } from "./telemetry/metrics/registry.ts";
import { Readiness } from "./telemetry/readiness.ts";
import { createRequestLog } from "./telemetry/request_log.ts";
import { createRequestTracing } from "./telemetry/request_trace.ts";
import { createWebsiteHandler } from "./website/website.ts";
import { AccessLog } from "./workers/access_log.ts";
import { startWorkers } from "./workers/start_workers.ts";

/** Milliseconds for which a client must have stood still before its request is ended in favour of another client's. */
const STILL = 1000;

/**
 * Creates a gateway on a connection that remains the caller's. Disposing it ends all waiting work.
 *
 * @param config Addresses, draining, and the NATS servers, login and service are not used here.
 * @param log A log as configured, by default.
 */
export function createGateway(
  config: Config,
  connection: NatsConnection,
  log: Log = createLog(config.log),
): Gateway {
  const now = (): Date => new Date();
  const stalls = new StallWatch(config.limits.stall, { isLasting: true });
  const { rate, share } = config.limits;
  const turns = new Turns();
  const bodyTurns = new BodyTurns((age) => stalls.tellStill(age));
  const end = (accepts: (client: string | undefined) => boolean): boolean =>
    stalls.endStillest(STILL, accepts) || turns.turnAway(accepts) ||
    bodyTurns.turnAway(accepts);
  const sharing = share === "off" ? undefined : { share, end };
  const inFlight = new InFlight(config.limits.requests, sharing);
  const traffic = new Traffic();
  const watch = new ConnectionWatch(connection);
  const audit = createAuditLog(config, connection, log);
  const tracing = createRequestTracing(config.tracing, { version: VERSION, log });
  const documents = new DocumentBudget();
  const registry = new Metrics();
  const metrics = addGatewayMetrics(registry, {
    requests: () => ({ inFlight, stalled: stalls.ended }),
    jetStream: () => ({ isReady: readiness.isReady, connection: watch.stats }),
    store: () => {
      const stats = store.stats();
      return { ...stats, buffered: { ...stats.buffered, documents: documents.used } };
    },
    process: () => ({ version: VERSION, droppedLines: log.dropped() }),
    accessLog: () => accessLog.stats,
    audit,
    tracing,
  });
  const store = createNatsStore(connection, {
    ...storeOptionsOf(config),
    indexMemory: config.indexMemory,
    nativeLayout: config.nativeLayout,
    log,
    now,
    observe: {
      call: observeCalls(metrics.call, tracing),
      indexed: metrics.indexed,
      unreadable: metrics.unreadable,
    },
  });
  const readiness = new Readiness(async () => {
    return watch.stats.isConnected ? await store.problem() : "There is no connection to NATS";
  });
  const credentials = new UserCredentials(config.credentials, store.users);
  const accounts = createBucketAccounts({
    store,
    home: config.account,
    isIsolated: () => credentials.isIsolated,
    accountOfKey: (id) => credentials.find(id)?.principal.account,
  });
  const accessLog = new AccessLog({
    store,
    ownerOf: accounts.ownerOf,
    account: config.account,
    region: regionOfUnsigned(config.region),
    checksum: config.checksumDefault,
    log,
  });
  const logRequest = createRequestLog(config.log.requests, log);
  const locations = config.bucket.placements?.map(({ location }) => location) ?? [];
  const {
    region,
    encryptionAtRest,
    checksumDefault,
    cors,
    account,
    clockSkew,
    sigv2,
    domains,
    trustedProxies,
  } = config;
  const minioHealth = async (): Promise<string | undefined> =>
    inFlight.isStopping ? "The gateway is stopping" : await readiness.check();
  const proxies = trustedProxies.length > 0 ? new TrustedProxies(trustedProxies) : undefined;
  const reads = createStrangerReads(store);
  const blocks = new PublicAccessBlocks({ documents: store, users: store.users });
  const authorize = createAuthorize({
    store,
    buckets: createBucketAccesses({ store, strangers: reads, blocks, ...accounts }),
    blocks,
    dropsAcls: config.ignoresAcls,
    accountOfListed: accounts.accountOfListed,
    account,
    now,
    decided: createDecisionLog(log),
  });
  const shared: ExchangeServices & Pick<GatewayServices, "store" | "cors"> = {
    store,
    cors: createCors({
      rulesOf: createRulesOf(reads),
      fallback: cors && rulesForOrigins(cors),
    }),
    proxies,
    inFlight,
    turns,
    bodyTurns,
    fixedBodies: new FixedBodies(config.limits.stall),
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
    accessLog,
    tracing,
    newRequestId: () => crypto.randomUUID(),
  };
  const s3 = createHandler({
    ...shared,
    documents,
    lifecycles: new Lifecycles(store, config.lifecycle.day),
    region,
    locations,
    encryptionAtRest,
    dropAcl: config.ignoresAcls ? createDropAcl(log, metrics.droppedAcl) : undefined,
    blocksNewBuckets: config.blocksNewBuckets,
    checksumDefault,
    domains,
    authenticate: createAuthenticate({ credentials, region, locations, clockSkew, sigv2, now }),
    authenticateQuery: createAuthenticateQuery({ credentials, region, locations, clockSkew, now }),
    users: store.users,
    hasPrincipal: (arn) => credentials.hasPrincipal(arn),
    ownerOf: accounts.ownerOf,
    sources: () => ({ now: now(), random: randomBytes }),
    authorize,
    account,
    ...(config.minioHealth && { minioHealth }),
  });
  const siteDomains = config.website.domains;
  const sites = createWebsiteHandler({ ...shared, reads, authorize, domains: siteDomains });
  const stop = new AbortController();
  const users = config.users.sealing === undefined ? undefined : store.users;
  const workers = startWorkers(config, { store, users, metrics, log, signal: stop.signal });
  return Object.assign(createEntry({ s3, sites, siteDomains, proxies }), {
    sites,
    inFlight,
    traffic,
    renderMetrics: () => registry.render(),
    problem: () => readiness.check(),
    checkUsers: () => checkUsers(credentials, config.credentials, log),
    breakOff() {
      // The runtime prints the stack, which would not help here.
      stalls.breakOff(Object.assign(new S3Error("ServiceUnavailable"), { stack: "" }));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      const lines = accessLog[Symbol.asyncDispose]().finally(() => {
        for (const part of [stalls, watch, readiness, metrics, store]) part[Symbol.dispose]();
      });
      await Promise.all([
        lines,
        workers,
        tracing?.[Symbol.asyncDispose](),
        audit?.[Symbol.asyncDispose](),
      ]);
    },
  });
}

/** Returns the options of a store that every command needs. */
export function storeOptionsOf(
  { bucket, nats, defaultOwner, grace, users, credentials: { hasAdministrator } }: Config,
): Omit<NatsStoreOptions, "log"> {
  const { apiPrefix, inboxPrefix } = nats;
  return {
    ...bucket,
    apiPrefix,
    inboxPrefix,
    defaultOwner,
    grace,
    users: { ...users, hasAdministrator },
  };
}

function createAuditLog(
  { audit: { subject }, nats }: Config,
  connection: NatsConnection,
  log: Log,
): AuditLog | undefined {
  return subject === undefined ? undefined : new AuditLog(connection, { ...nats, subject, log });
}
