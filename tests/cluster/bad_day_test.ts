/**
 * A cluster's bad day: servers and gateways are killed and paused, while two gateways behind a proxy are under load.
 * Writes continue, no acknowledged write is lost, and metrics, logs and alerts show what happened. Prometheus watches
 * with the project's own rules, in which a minute is shortened to a second.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type GatewayProcess, spawnGateway } from "../clients/gateway_process.ts";
import { ask } from "../clients/signed_request.ts";
import { someBytes } from "../nats/store_on_server.ts";
import { adminUrl, Balancer } from "./balancer.ts";
import { startPrometheus } from "./prometheus.ts";
import { type Cluster, cluster } from "./store_on_cluster.ts";

const BUCKET = "day";
const STREAM = `OBJ_${BUCKET}`;
const CLIENTS = 8;
/** Milliseconds after which a client retries a request, and after which it gives up. */
const REQUEST_TIMEOUT = 5000;
const CLIENT_TIMEOUT = 60_000;
/** Milliseconds that each disturbance lasts. */
const DISTURBED = 12_000;

/** Clients that write, read and list, and retry as SDKs do. */
class Load {
  /** ETag of each key whose write was acknowledged. */
  readonly written = new Map<string, string>();
  /** Time of each acknowledgement, in `performance.now()`. */
  readonly acknowledged: number[] = [];
  readonly wrong: string[] = [];
  readonly #balancer: Balancer;
  #serial = 0;

  constructor(balancer: Balancer) {
    this.#balancer = balancer;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, async (_, client) => {
      while (!signal.aborted) {
        const serial = this.#serial++;
        const key = `client ${client}/${serial}`;
        const bytes = someBytes(serial % 5 === 0 ? 700_000 : 2000 + serial, serial);
        if (!await this.#asked("PUT", key, bytes, 200)) continue;
        this.acknowledged.push(performance.now());
        this.written.set(key, createHash("md5").update(bytes).digest("hex"));
        await this.#asked("GET", key, null, 200);
        if (serial % 10 === 0) await this.#asked("GET", "", null, 200);
        await delay(20);
      }
    }));
  }

  /** Reads every object whose write was acknowledged. */
  async readAll(gateway: Parameters<typeof ask>[0]): Promise<void> {
    for (const [key, etag] of this.written) {
      const response = await ask(gateway, { path: pathOf(key) });
      const bytes = await response.bytes();
      const found = createHash("md5").update(bytes).digest("hex");
      if (response.status !== 200 || found !== etag) {
        this.wrong.push(`${key}: ${response.status}, ${bytes.length} bytes`);
      }
    }
  }

  /** Retries a request until the response is as expected, or a retry cannot help. */
  async #asked(
    method: string,
    key: string,
    body: Uint8Array | null,
    expected: number,
  ): Promise<boolean> {
    const until = performance.now() + CLIENT_TIMEOUT;
    const query = key === "" ? "list-type=2&max-keys=10" : "";
    let last = "";
    while (performance.now() < until) {
      try {
        const signal = AbortSignal.timeout(REQUEST_TIMEOUT);
        const asked = { method, path: pathOf(key), query, body, signal };
        const response = await ask(this.#balancer, asked);
        await response.bytes();
        if (response.status === expected) return true;
        last = String(response.status);
        if (response.status < 500) break;
      } catch (cause) {
        last = String(cause);
      }
      await delay(100);
    }
    this.wrong.push(`${method} ${key}: ${last}`);
    return false;
  }
}

function pathOf(key: string): string {
  return `/${BUCKET}${key === "" ? "" : `/${encodeURIComponent(key).replaceAll("%2F", "/")}`}`;
}

/** Returns a gateway's metrics: values by series. */
async function metricsOf(gateway: GatewayProcess): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${adminUrl(gateway)}/metrics`)).text();
  return new Map(
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end))];
    }),
  );
}

/** Returns the sum of all series of a metric. */
function sum(metrics: ReadonlyMap<string, number>, name: string): number {
  return [...metrics].filter(([series]) => series.split("{")[0] === name)
    .reduce((total, [, value]) => total + value, 0);
}

Deno.test("a cluster's bad day: writes resume, nothing is lost, metrics and logs tell", async (t) => {
  await using given = await cluster();
  const start = async (): Promise<GatewayProcess> => {
    const gateway = spawnGateway({
      natsUrl: given.nats.urls,
      flags: ["--replicas", "3"],
      mayLogErrors: true,
    });
    await gateway.listening();
    return gateway;
  };
  let gateways = [await start(), await start()] as const;
  await using balancer = new Balancer();
  balancer.use(gateways);
  while (balancer.ready < 2) await delay(50);
  const load = new Load(balancer);
  const stop = new AbortController();
  try {
    await (await ask(balancer, { method: "PUT", path: `/${BUCKET}` })).bytes();
    await using prometheus = await startPrometheus(gateways.map(adminUrl));
    if (prometheus === undefined) tell("Prometheus is not installed: skipping the alerts");
    const loading = load.run(stop.signal);
    await delay(2000);

    const disturb: Disturb = async (what, { begin, end, alerts = [] }) => {
      await t.step(what, async () => {
        await given.recovered(STREAM);
        const from = performance.now();
        await begin();
        await delay(DISTURBED);
        const during = load.acknowledged.filter((at) => at > from);
        const times = [from, ...during, performance.now()];
        const gap = Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at)));
        const fired = await prometheus?.firedWithin(Math.ceil(DISTURBED / 1000));
        tell(`${what}: ${during.length} writes, none for ${(gap / 1000).toFixed(1)} s; ${fired}`);
        await end();
        ok(
          fired === undefined || alerts.length === 0 || alerts.some((name) => fired.includes(name)),
          `${what}: none of ${alerts} in ${fired}`,
        );
        ok(during.length > 0, `${what}: no write in ${DISTURBED / 1000} s`);
        deepStrictEqual(load.wrong, []);
      });
    };
    await disturbServers(given, disturb);

    const [first, second] = gateways;
    const calls = await Promise.all(gateways.map(metricsOf));
    const told = (name: string): number =>
      calls.reduce((total, metrics) => total + sum(metrics, name), 0);
    const logged = (message: string): number =>
      gateways.flatMap(({ log }) => log.filter(({ msg }) => msg === message)).length;
    strictEqual(told("nats_s3_nats_reconnects_total"), logged("Connected to NATS again"));
    strictEqual(logged("Lost the connection to NATS"), logged("Connected to NATS again"));
    ok(told("nats_s3_jetstream_call_failures_total") > 0, "no failed call was counted");
    ok(logged("Failed") > 0, "no failure was logged");

    const alerts = ["NatsS3GatewayDown"];
    await disturb("gateway paused", {
      begin: () => Promise.resolve(Deno.kill(first.pid, "SIGSTOP")),
      async end() {
        Deno.kill(first.pid, "SIGCONT");
        while (balancer.ready < 2) await delay(50);
      },
      alerts,
    });
    await disturb("gateway killed", {
      begin: () => first.stop("SIGKILL"),
      async end() {
        gateways = [await start(), second];
        balancer.use(gateways);
        while (balancer.ready < 2) await delay(50);
      },
      alerts,
    });

    stop.abort();
    await loading;
    ok(load.written.size > 100, `${load.written.size} writes`);
    for (const gateway of gateways) await load.readAll(gateway);
    deepStrictEqual(load.wrong, []);
  } finally {
    stop.abort();
    for (const gateway of gateways) await gateway.stop();
  }
});

/** Disturbs the cluster, and undoes it afterwards. */
type Disturb = (what: string, how: {
  readonly begin: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
  /** One of these must have fired, if Prometheus watches. */
  readonly alerts?: readonly string[];
}) => Promise<void>;

/** Kills and pauses the stream's leader, then a follower. */
async function disturbServers(given: Cluster, disturb: Disturb): Promise<void> {
  for (const role of ["leader", "follower"]) {
    // Writes need no follower, and clients connected to it find another server: no alert need fire.
    const alerts = role === "leader" ? ["NatsS3JetStreamFailures", "NatsS3Errors"] : [];
    for (const how of ["killed", "paused"]) {
      const leader = await given.leaderOf(STREAM);
      const server = role === "leader"
        ? leader
        : given.nats.servers.find((server) => server !== leader);
      if (server === undefined) throw new TypeError("No follower was found");
      await disturb(`${role} ${how}`, {
        begin: () => server.kill(how === "killed" ? "SIGKILL" : "SIGSTOP"),
        end: () => how === "killed" ? server.start() : server.kill("SIGCONT"),
        alerts,
      });
    }
  }
}

function tell(text: string): void {
  // deno-lint-ignore no-console
  console.log(text);
}
