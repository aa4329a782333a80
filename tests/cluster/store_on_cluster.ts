/**
 * Stores on a cluster of three nats-servers, each connected to chosen servers.
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { type NatsCluster, type NatsServer, startCluster } from "../../scripts/nats_server.ts";
import { createNatsStore, type NatsStoreOptions } from "../../src/nats/store.ts";
import type { Maintenance } from "../../src/store/maintenance.ts";
import type { Store } from "../../src/store/store.ts";
import { STORE_OPTIONS } from "../nats/store_on_server.ts";

/** A store with its own connection. */
export type StoreOnCluster = AsyncDisposable & {
  readonly store: Store & Maintenance;
  readonly connection: NatsConnection;
};

/** A cluster, and functions to inspect it. */
export type Cluster = AsyncDisposable & {
  readonly nats: NatsCluster;
  /** A connection to any server that is up. */
  readonly connection: NatsConnection;
  /** Opens a store that connects only to these servers, or to all servers if none are given. */
  readonly open: (
    servers?: readonly NatsServer[],
    options?: Partial<NatsStoreOptions>,
  ) => Promise<StoreOnCluster>;
  /** Waits until a stream has a leader and all replicas are current; returns the leader's server. */
  readonly leaderOf: (stream: string) => Promise<NatsServer>;
  /** Returns the servers that hold a stream. */
  readonly replicasOf: (stream: string) => Promise<readonly NatsServer[]>;
  /** Waits until a stream has a leader and all replicas are current. */
  readonly recovered: (stream: string) => Promise<void>;
};

const RECOVERY = 60_000;
const REPLICAS = 3;

/** Starts three servers, or more; disposing ends them, paused ones included. */
export async function cluster(size = 3): Promise<Cluster> {
  const nats = await startCluster(size);
  const connection = await connect({
    servers: nats.urls.split(","),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  const open: Cluster["open"] = async (servers = nats.servers, options = {}) => {
    const own = await connect({
      servers: servers.map(({ url }) => url),
      ignoreClusterUpdates: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
    });
    const store = createNatsStore(own, { ...STORE_OPTIONS, replicas: REPLICAS, ...options });
    return {
      store,
      connection: own,
      async [Symbol.asyncDispose]() {
        store[Symbol.dispose]();
        await own.close();
      },
    };
  };
  const leaderOf: Cluster["leaderOf"] = async (stream) => {
    const deadline = Date.now() + RECOVERY;
    for (;;) {
      const { leader, replicas = [] } = await readCluster(connection, stream);
      const server = nats.servers[Number(leader?.slice(1)) - 1];
      const current = replicas.filter(({ current, offline = false }) => current && !offline);
      if (server !== undefined && current.length === REPLICAS - 1) return server;
      if (Date.now() > deadline) throw new Error(`No recovery: ${JSON.stringify(replicas)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  return {
    nats,
    connection,
    open,
    leaderOf,
    async replicasOf(stream) {
      const { leader, replicas = [] } = await readCluster(connection, stream);
      const names = [leader, ...replicas.map(({ name }) => name)];
      return nats.servers.filter((_, i) => names.includes(`n${i + 1}`));
    },
    recovered: async (stream) => void await leaderOf(stream),
    async [Symbol.asyncDispose]() {
      for (const server of nats.servers) await server.kill("SIGCONT");
      await connection.close();
      await nats[Symbol.asyncDispose]();
    },
  };
}

type ClusterInfo = {
  readonly leader?: string;
  readonly replicas?: readonly {
    readonly name: string;
    readonly current: boolean;
    readonly offline?: boolean;
  }[];
};

async function readCluster(connection: NatsConnection, stream: string): Promise<ClusterInfo> {
  try {
    const reply = await connection.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeout: 1000 });
    return reply.json<{ readonly cluster?: ClusterInfo }>().cluster ?? {};
  } catch {
    return {};
  }
}
