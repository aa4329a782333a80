/**
 * Kills gateways and nats-servers at random under a mixed load, with a mirror attached to the bucket. Checks that no acknowledged write was lost, that no
 * impossible value was read, and that JetStream finally holds the live objects' bytes and nothing else.
 */

import { connect } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/nats-core";
import { type NatsCluster, type NatsServer, startCluster } from "../../scripts/nats_server.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { type GatewayProcess, spawnGateway } from "../clients/gateway_process.ts";
import { demand } from "../clients/signed_request.ts";
import { compareWithLive } from "../nats/live_bytes.ts";
import { STORE_OPTIONS } from "../nats/store_on_server.ts";
import { History } from "./history.ts";
import { MixedLoad, type Random } from "./mixed_load.ts";

/** Options of {@linkcode runRandomKills}. */
export type KillOptions = {
  readonly kills: number;
  readonly seed: number;
  /** Receives a progress line now and then. */
  readonly note?: (line: string) => void;
  /** Milliseconds after which no further kill begins. */
  readonly limit?: number;
};

/** The result of {@linkcode runRandomKills}. */
export type KillReport = {
  readonly seed: number;
  readonly seconds: number;
  /** Number of kills of each kind. */
  readonly kills: Readonly<Record<string, number>>;
  /** Operations by name and status; status 0 means no response. */
  readonly operations: Readonly<Record<string, number>>;
  /** Events in the histories of all keys. */
  readonly events: number;
  readonly keys: number;
  /** All violations that were found. */
  readonly problems: readonly string[];
};

const BUCKET = "kills";
const STREAM = `OBJ_${BUCKET}`;
const CLIENTS = 8;
const KEYS = 8;
/** Number of kills after which the load changes keys, so that each history stays short enough to search. */
const EPOCH = 10;
/** Number of keys of an epoch that are kept to the end. */
const KEPT = 2;
/** Milliseconds within which a cluster must recover. */
const RECOVERY = 60_000;

type Cluster = {
  readonly nats: NatsCluster;
  readonly connection: NatsConnection;
  readonly gateways: (GatewayProcess | undefined)[];
};

/** Runs the test; all processes have ended when it returns. */
export async function runRandomKills(options: KillOptions): Promise<KillReport> {
  const nats = await startCluster();
  const gateways: (GatewayProcess | undefined)[] = [];
  let connection: NatsConnection | undefined;
  try {
    connection = await connect({ servers: nats.urls.split(","), maxReconnectAttempts: -1 });
    gateways.push(...await Promise.all([startGateway(nats), startGateway(nats)]));
    return await killAll({ nats, connection, gateways }, options);
  } finally {
    await Promise.all(gateways.map((gateway) => gateway?.stop("SIGKILL")));
    await connection?.close();
    // A paused server cannot end.
    for (const server of nats.servers) await server.kill("SIGCONT");
    await nats[Symbol.asyncDispose]();
  }
}

/** Mirrors the bucket's stream: nats-server then also lets the mirror answer direct gets, and it may lag behind. */
async function attachMirror({ connection }: Cluster): Promise<void> {
  const name = `MIRROR_${BUCKET}`;
  const config = { name, mirror: { name: STREAM }, mirror_direct: true, num_replicas: 1 };
  const text = JSON.stringify({ ...config, storage: "file" });
  const reply = await connection.request(`$JS.API.STREAM.CREATE.${name}`, text);
  const { error } = reply.json<{ readonly error?: unknown }>();
  if (error !== undefined) throw new Error(JSON.stringify(error));
}

async function startGateway({ urls }: NatsCluster): Promise<GatewayProcess> {
  const gateway = spawnGateway({
    natsUrl: urls,
    mayLogErrors: true,
    flags: ["--replicas", "3", "--trash.grace", "3s", "--sweep.interval", "0s"],
  });
  await gateway.listening();
  return gateway;
}

async function killAll(cluster: Cluster, options: KillOptions): Promise<KillReport> {
  const { kills, seed, note, limit = Infinity } = options;
  const began = performance.now();
  const random = randomNumbers(seed);
  const history = new History();
  const running = (): GatewayProcess[] =>
    cluster.gateways.filter((gateway) => gateway !== undefined);
  // The load has its own random sequence, so that the kills depend only on the seed.
  const load = new MixedLoad({
    bucket: BUCKET,
    history,
    random: randomNumbers(seed ^ 0x5eed),
    gateways: running,
  });
  const done: Record<string, number> = {};
  const problems: string[] = [];
  const kept: string[] = [];

  const [first] = running();
  if (first === undefined) throw new TypeError("No gateway was started");
  await demand(first, 200, { method: "PUT", path: `/${BUCKET}` });
  await retried(() => attachMirror(cluster));

  let killed = 0;
  let wrong = 0;
  for (let epoch = 0; killed < kills && performance.now() - began < limit; epoch++) {
    const keys = Array.from({ length: KEYS }, (_, i) => `${seed}/${epoch}/k${i}`);
    const stop = new AbortController();
    const clients = Array.from({ length: CLIENTS }, () => load.run(keys, stop.signal));
    for (let i = 0; i < EPOCH && killed < kills; i++, killed++) {
      await delay(200 + random(1200));
      const kind = await killSomething(cluster, random);
      done[kind] = (done[kind] ?? 0) + 1;
    }
    stop.abort();
    await Promise.all(clients);
    await recover(cluster);
    for (const gateway of running()) {
      for (const key of keys) await retried(() => load.readBack(gateway, key));
      await retried(() => load.listBack(gateway, keys));
    }
    for (const key of keys.slice(KEPT)) await retried(() => load.remove(key));
    kept.push(...keys.slice(0, KEPT));
    for (const key of keys) {
      const problem = history.explain(key);
      if (problem === undefined) continue;
      problems.push(problem);
      note?.(problem); // a run that ends early has no report
    }
    for (const problem of load.wrong.slice(wrong)) note?.(problem);
    wrong = load.wrong.length;
    load.forget();
    const so = `${killed} kills, ${history.size} events, ${
      problems.length + load.wrong.length
    } problems`;
    note?.(`${((performance.now() - began) / 1000).toFixed(0)} s: ${so}`);
  }

  // An unanswered write may have landed since.
  for (const gateway of running()) {
    for (const key of kept) await retried(() => load.readBack(gateway, key));
  }
  for (const key of kept) {
    const problem = history.explain(key);
    if (problem !== undefined && !problems.includes(problem)) problems.push(problem);
  }
  problems.push(...await sweepAndCompare(cluster));
  return {
    seed,
    seconds: Math.round((performance.now() - began) / 1000),
    kills: sorted(done),
    operations: sorted(Object.fromEntries(load.counts)),
    events: history.size,
    keys: history.keys.length,
    problems: [...problems, ...load.wrong],
  };
}

/** Kills or pauses a process and brings it back; returns a description. */
async function killSomething(cluster: Cluster, random: Random): Promise<string> {
  const { nats: { servers } } = cluster;
  const kind = random(10);
  if (kind < 4) {
    await killGateway(cluster, random(2), random(500));
    return "gateway SIGKILL";
  }
  // Wait until the last server has caught up, because JetStream stores nothing without two servers of three.
  await recover(cluster);
  const leader = await findLeader(cluster);
  const aimed = random(5) < 3 ? leader : undefined;
  const server = aimed ?? servers[random(servers.length)];
  if (server === undefined) throw new TypeError("No server was found");
  const role = server === leader ? "leader" : "follower";
  if (kind < 7) {
    await server.kill("SIGKILL");
    await delay(100 + random(2500));
    await server.start();
    return `nats-server SIGKILL (${role})`;
  }
  await server.kill("SIGSTOP");
  // A gateway that dies while a server is paused leaves messages that the server reads only later.
  const both = random(3) === 0;
  const pause = delay(300 + random(6000));
  if (both) await killGateway(cluster, random(2), random(500));
  await pause;
  await server.kill("SIGCONT");
  return `nats-server SIGSTOP (${role})${both ? " and gateway SIGKILL" : ""}`;
}

async function killGateway(cluster: Cluster, index: number, pause: number): Promise<void> {
  const gateway = cluster.gateways[index];
  cluster.gateways[index] = undefined;
  await gateway?.stop("SIGKILL");
  await delay(pause);
  cluster.gateways[index] = await startGateway(cluster.nats);
}

type StreamInfo = {
  readonly cluster?: {
    readonly leader?: string;
    readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[];
  };
};

async function readStream({ connection }: Cluster): Promise<StreamInfo | undefined> {
  try {
    return (await connection.request(`$JS.API.STREAM.INFO.${STREAM}`, "", { timeout: 1000 }))
      .json();
  } catch {
    return undefined;
  }
}

async function findLeader(cluster: Cluster): Promise<NatsServer | undefined> {
  const name = (await readStream(cluster))?.cluster?.leader;
  return cluster.nats.servers[Number(name?.slice(1)) - 1];
}

/** Waits until every replica is online and current. */
async function recover(cluster: Cluster): Promise<void> {
  const deadline = Date.now() + RECOVERY;
  for (;;) {
    const replicas = (await readStream(cluster))?.cluster?.replicas ?? [];
    const current = replicas.filter(({ current, offline = false }) => current && !offline);
    if (current.length === cluster.nats.servers.length - 1) return;
    if (Date.now() > deadline) throw new Error(`No recovery: ${JSON.stringify(replicas)}`);
    await delay(100);
  }
}

/** Aborts open uploads, sweeps without a grace period, and returns the leftover and the missing data. */
async function sweepAndCompare(cluster: Cluster): Promise<readonly string[]> {
  const bucket = BUCKET as BucketName;
  const options = { ...STORE_OPTIONS, replicas: 3, grace: 0 };
  using store = createNatsStore(cluster.connection, options);
  const query = { prefix: "", delimiter: "", keyMarker: "", uploadIdMarker: "", limit: 1_000_000 };
  const { uploads } = await retried(() => store.listUploads(bucket, query));
  for (const { key, id } of uploads) await retried(() => store.abortUpload(bucket, key, id));
  const deadline = Date.now() + 20_000;
  for (;;) {
    await retried(() => store.sweep(bucket, { minAge: 0, dryRun: false }));
    const { unnamed, missing } = await compareWithLive(cluster.connection, BUCKET);
    // Leases of killed readers expire by themselves.
    const leases = unnamed.some((subject) => subject.startsWith("S3.lease."));
    if (leases && Date.now() < deadline) {
      await delay(1000);
      continue;
    }
    return [
      ...unnamed.map((subject) =>
        `${subject} belongs to no object, but is still present after the sweep`
      ),
      ...missing.map((subject) => `An object names ${subject}, which is missing`),
    ];
  }
}

/** Repeats work until it succeeds, because an election may still run after a recovery. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + RECOVERY;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      if (Date.now() > deadline) throw cause;
      await delay(200);
    }
  }
}

function randomNumbers(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * limit);
  };
}

function sorted(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => a < b ? -1 : 1));
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
