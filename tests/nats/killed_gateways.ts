/**
 * Two gateways as processes, on one nats-server or on three, which can be killed and come back.
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/nats-core";
import { type NatsServer, startCluster, startNatsServer } from "../../scripts/nats_server.ts";
import {
  CREDENTIALS,
  type GatewayProcess,
  REGION,
  spawnGateway,
} from "../clients/gateway_process.ts";
import { signedRequest } from "../api/test_gateway.ts";
import type { Random } from "../simulation/random.ts";
import type { SendTo } from "./version_side.ts";

/** Milliseconds within which a cluster must recover. */
const RECOVERY = 60_000;
/** Milliseconds after which a request has no response. */
const RESPONSE = 20_000;
const GATEWAYS = 2;

/** Gateways and their servers. Disposing ends them. */
export class KilledGateways implements AsyncDisposable {
  readonly #servers: readonly NatsServer[];
  readonly #ends: AsyncDisposable;
  readonly #connection: NatsConnection;
  readonly #gateways: (GatewayProcess | undefined)[] = [];
  #turn = 0;

  constructor(servers: readonly NatsServer[], ends: AsyncDisposable, connection: NatsConnection) {
    this.#servers = servers;
    this.#ends = ends;
    this.#connection = connection;
  }

  /** Starts them. */
  static async start(servers: 1 | 3): Promise<KilledGateways> {
    const one = servers === 1 ? await startNatsServer() : undefined;
    const three = one === undefined ? await startCluster() : undefined;
    const all = one === undefined ? three?.servers ?? [] : [one];
    const connection = await connect({
      servers: all.map(({ url }) => url),
      maxReconnectAttempts: -1,
    });
    const started = new KilledGateways(all, one ?? three as AsyncDisposable, connection);
    for (let i = 0; i < GATEWAYS; i++) await started.#startGateway(i);
    return started;
  }

  /** Sends to one gateway after the other. */
  readonly send: SendTo = async (method, target, { headers, body }) => {
    const running = this.#gateways.filter((gateway) => gateway !== undefined);
    const gateway = running[this.#turn++ % running.length];
    if (gateway === undefined) throw new TypeError("No gateway runs");
    const signed = signedRequest(method, target, {
      headers,
      ...(body && { body }),
      host: gateway.host,
      region: REGION,
      accessKeyId: CREDENTIALS.accessKeyId,
      secret: CREDENTIALS.secretAccessKey,
      now: new Date(),
    });
    const { "content-length": _, ...sent } = Object.fromEntries(signed.headers);
    return await fetch(`${gateway.url}${target}`, {
      method,
      headers: sent,
      body: body === undefined ? null : new Uint8Array(body),
      signal: AbortSignal.timeout(RESPONSE),
    });
  };

  /** Kills a gateway or a nats-server, and resolves when all serve again. */
  readonly kill = async (random: Random): Promise<string> => {
    if (random.chance(0.7)) {
      const index = random.below(GATEWAYS);
      const gateway = this.#gateways[index];
      this.#gateways[index] = undefined;
      await gateway?.stop("SIGKILL");
      await this.#startGateway(index);
      return "gateway";
    }
    const server = random.pick(this.#servers);
    await server.kill("SIGKILL");
    await delay(random.below(500));
    await server.start();
    await this.#recover();
    return "nats-server";
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#gateways.map((gateway) => gateway?.stop("SIGKILL")));
    await this.#connection.close();
    await this.#ends[Symbol.asyncDispose]();
  }

  async #startGateway(index: number): Promise<void> {
    const gateway = spawnGateway({
      natsUrl: this.#servers.map(({ url }) => url).join(","),
      mayLogErrors: true,
      flags: [
        ...["--replicas", `${this.#servers.length}`, "--trash.grace", "3s"],
        ...["--sweep.interval", "5s", "--sweep.min-age", "1m"],
      ],
    });
    await gateway.listening();
    this.#gateways[index] = gateway;
  }

  /** Waits until all replicas of the buckets' streams are online and current. */
  async #recover(): Promise<void> {
    for (const deadline = Date.now() + RECOVERY; Date.now() < deadline;) {
      if (await this.#isWhole()) return;
      await delay(100);
    }
    throw new Error("The servers do not recover");
  }

  async #isWhole(): Promise<boolean> {
    try {
      const reply = await this.#connection.request("$JS.API.STREAM.LIST", "", { timeout: 1000 });
      const { streams, error, missing } = reply.json<StreamList>();
      if (error !== undefined || missing !== undefined || streams === undefined) return false;
      if (this.#servers.length === 1) return true;
      return streams.every(({ cluster }) => {
        const { leader, replicas = [] } = cluster ?? {};
        return leader !== undefined &&
          replicas.every(({ current, offline }) => current && !offline);
      });
    } catch {
      return false;
    }
  }
}

type StreamList = {
  readonly error?: unknown;
  readonly missing?: unknown;
  readonly streams?: readonly {
    readonly cluster?: {
      readonly leader?: string;
      readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[];
    };
  }[];
};
