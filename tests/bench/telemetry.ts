/**
 * `deno task bench:telemetry`: the cost of observability for small objects. Several gateways on one nats-server, each
 * observed in a different way, take the same load in turns. Each round compares them with the unobserved gateway.
 *
 * - `--rounds N` measured rounds, 40 by default, after the warm-up rounds
 * - `--baseline PATH` another `main.ts` to compare with, such as that of an older commit
 * - `--keep` writes the table to `docs/metrics.md`
 *
 * The output is consumed as in production: a pipe reads the log, a client reads `/metrics` every second, and a stream on
 * disk stores the audit log.
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { percentile } from "../../scripts/bench_figures.ts";
import { formatTable } from "../../scripts/bench_report.ts";
import { replaceBetween } from "../../scripts/docs.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { OPERATIONS } from "../../src/operations/table.ts";
import { addJetStreamMetrics } from "../../src/telemetry/metrics/jetstream.ts";
import { Metrics } from "../../src/telemetry/metrics/registry.ts";
import { addRequestMetrics } from "../../src/telemetry/metrics/requests.ts";
import { newRecord } from "../../src/telemetry/request_record.ts";
import { type RunningCommand, signedFetch, startCommand } from "../process/running_command.ts";
import { buildLoadGenerator, type LoadGenerator, type LoadResult } from "./load_generator.ts";
import { readCpuTime } from "./usage.ts";

const PAIR = { accessKeyId: "bench", secretAccessKey: "bench-secret" };
const ROOT = `${import.meta.dirname}/../..`;
const DOCUMENT = `${ROOT}/docs/metrics.md`;
const AUDIT = "bench.audit";
/** A small load, so that other work on the machine does not hit one gateway alone. */
const LOAD = { size: 4096, n: 600, c: 16 } as const;

/** Rounds until everything is compiled. */
const WARM_UP = 5;

/** A way to observe a gateway. */
type Way = {
  readonly name: string;
  readonly flags: readonly string[];
  readonly isScraped: boolean;
  /** The `main.ts` to run, if not the project's own. */
  readonly main?: string;
};

const OFF = ["--log.requests", "off"];
const ALL = ["--log.requests", "all"];
const WAYS: readonly [Way, ...Way[]] = [
  { name: "nothing", flags: OFF, isScraped: false },
  { name: "/metrics every second", flags: OFF, isScraped: true },
  { name: "the request log, text", flags: ALL, isScraped: false },
  { name: "the request log, JSON", flags: [...ALL, "--log.format", "json"], isScraped: false },
  { name: "the audit log", flags: [...OFF, "--audit.subject", AUDIT], isScraped: false },
  { name: "all three", flags: [...ALL, "--audit.subject", AUDIT], isScraped: true },
];

type Observed = {
  readonly way: Way;
  readonly command: RunningCommand;
  readonly url: string;
  readonly admin: string;
};

/** The result of one load against one gateway: operations per second, and processor seconds of the gateway. */
type Cost = { readonly rate: number; readonly cpu: number };
type Operation = "put" | "get";

async function start(server: NatsServer, way: Way): Promise<Observed> {
  const command = startCommand([
    ...["run", "--no-prompt", "--allow-net", "--allow-env", way.main ?? "main.ts"],
    ...["--listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0"],
    ...["--natsServers", server.url, ...way.flags],
  ], {
    env: {
      NATS_S3_CREDENTIALS:
        `{"credentials":[{"accessKey":"${PAIR.accessKeyId}","secretKey":"${PAIR.secretAccessKey}"}]}`,
    },
  });
  const [, admin] = await command.waitFor(/health and metrics.*port"?[=:](\d+)/);
  const [, port] = await command.waitFor(/Serving S3.*port"?[=:](\d+)/);
  return { way, command, url: `http://127.0.0.1:${port}`, admin: `http://127.0.0.1:${admin}` };
}

async function measure(
  generator: LoadGenerator,
  { way, command, url, admin }: Observed,
  op: Operation,
  bucket: string,
): Promise<Cost> {
  const scraping = way.isScraped
    ? setInterval(() => fetch(`${admin}/metrics`).then((response) => response.text()), 1000)
    : undefined;
  const before = await readCpuTime([command.pid]);
  let result: LoadResult;
  try {
    result = await generator.run([url], PAIR, { ...LOAD, op, bucket, prefix: `${way.name}/` });
  } finally {
    clearInterval(scraping);
  }
  const cpu = await readCpuTime([command.pid]) - before;
  return { rate: result.ops_s, cpu };
}

/** Returns the size of the metrics page, and the milliseconds to fetch it: p50 and p99. */
async function measurePage({ admin }: Observed): Promise<readonly string[]> {
  const times: number[] = [];
  let size = 0;
  for (let i = 0; i < 200; i++) {
    const began = performance.now();
    size = (await (await fetch(`${admin}/metrics`)).bytes()).length;
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  return [`${size}`, percentile(times, 0.5).toFixed(2), percentile(times, 0.99).toFixed(2)];
}

/** Returns the same figures for the largest possible page, with every operation and every outcome. */
function measureLargePage(): readonly string[] {
  const registry = new Metrics();
  const { request } = addRequestMetrics(registry, () => ({
    inFlight: { count: 0, limit: 0 },
    stalled: { sources: 0, readers: 0 },
  }));
  const call = addJetStreamMetrics(registry, () => ({
    isReady: true,
    connection: {
      isConnected: true,
      reconnects: 0,
      roundTrip: undefined,
      inBytes: 0,
      outBytes: 0,
    },
  }));
  for (const { name: operation } of OPERATIONS) {
    for (const status of [200, 204, 206, 304, 400, 403, 404, 409, 412, 416, 500, 501, 503]) {
      const record = newRecord({ id: "", method: "GET", path: "/", client: undefined });
      request({
        ...record,
        operation,
        status,
        code: `Code${status}`,
        sent: 5,
        received: 5,
      });
    }
    call(operation, 0.001, undefined);
  }
  const times: number[] = [];
  let text = "";
  for (let i = 0; i < 200; i++) {
    const began = performance.now();
    text = registry.render();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  console.log(`${text.split("\n").length} lines in the large page`);
  return [`${text.length}`, percentile(times, 0.5).toFixed(2), percentile(times, 0.99).toFixed(2)];
}

/** Formats the median, and the range of the middle half. */
function percent(ratios: readonly number[]): string {
  const sorted = ratios.toSorted((a, b) => a - b);
  const [middle, low, high] = [0.5, 0.25, 0.75]
    .map((share) => ((percentile(sorted, share) - 1) * 100).toFixed(1));
  return `${middle} (${low} … ${high})`;
}

/** Returns microseconds of processor time per operation over all rounds: one round is too short to measure. */
function cpuOf(costs: readonly Cost[]): number {
  return costs.reduce((sum, { cpu }) => sum + cpu, 0) / (costs.length * LOAD.n) * 1e6;
}

function tableOf(costs: ReadonlyMap<string, readonly Cost[]>, names: readonly string[]): string {
  const rows = names.slice(1).map((name) => [
    name,
    ...(["put", "get"] as const).flatMap((op) => {
      const own = costs.get(`${op} ${name}`) ?? [];
      const plain = costs.get(`${op} ${names[0]}`) ?? [];
      const rates = own.map(({ rate }, i) => rate / (plain[i]?.rate ?? NaN));
      return [percent(rates), (cpuOf(own) - cpuOf(plain)).toFixed(0)];
    }),
  ]);
  const header = [
    "Observed by",
    "PUTs per second, %",
    "µs per PUT",
    "GETs per second, %",
    "µs per GET",
  ];
  return formatTable(header, rows);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "40" },
      baseline: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  const generator = await buildLoadGenerator();
  await using server = await startNatsServer();
  const connection = await connect({ servers: server.url });
  const { streams } = await jetstreamManager(connection);
  await streams.add({ name: "AUDIT", subjects: [AUDIT], max_msgs: 100_000 });
  await connection.close();

  const ways = values.baseline === undefined
    ? WAYS
    : [...WAYS, { name: "baseline", flags: OFF, isScraped: false, main: values.baseline }];
  const gateways: Observed[] = [];
  const costs = new Map<string, Cost[]>();
  try {
    for (const way of ways) gateways.push(await start(server, way));
    const [first] = gateways;
    if (first === undefined) throw new TypeError("No gateway was started");
    for (let round = 0; round <= Number(values.rounds) + WARM_UP; round++) {
      const bucket = `round-${round}`;
      const made = await signedFetch(`${first.url}/${bucket}`, PAIR, { method: "PUT" });
      if (made.status !== 200) throw new Error(await made.text());
      await made.body?.cancel();
      for (const op of ["put", "get"] as const) {
        // The order rotates, because the machine changes between the first and the last turn.
        const turn = gateways.map((_, i) => gateways[(i + round) % gateways.length])
          .filter((gateway) => gateway !== undefined);
        for (const gateway of turn) {
          const cost = await measure(generator, gateway, op, bucket);
          const name = `${op} ${gateway.way.name}`;
          if (round > WARM_UP) costs.set(name, [...costs.get(name) ?? [], cost]);
        }
      }
      if (round % 10 === 0) console.log(`round ${round}`);
    }
    const names = ways.map(({ name }) => name);
    const table = tableOf(costs, names);
    const plain = (["put", "get"] as const).map((op) =>
      `${cpuOf(costs.get(`${op} ${names[0]}`) ?? []).toFixed(0)} µs for a ${op.toUpperCase()}`
    );
    const pages = formatTable(["/metrics", "bytes", "p50 ms", "p99 ms"], [
      ["after this load, over HTTP", ...await measurePage(first)],
      ["every operation with 13 outcomes, rendered", ...measureLargePage()],
    ]);
    const text = `Written by \`deno task bench:telemetry --keep\`: ${values.rounds} rounds of ` +
      `${LOAD.n} requests of ${LOAD.size} bytes by ${LOAD.c} clients, compared with an ` +
      `unobserved gateway (processor time: ${plain.join(", ")}). Medians, with the range of the ` +
      "middle half of the rounds in parentheses.\n\n" +
      `${table}\n\n${pages}`;
    console.log(`\n${text}`);
    if (values.keep) {
      const document = await Deno.readTextFile(DOCUMENT);
      await Deno.writeTextFile(DOCUMENT, replaceBetween(document, "cost", text));
    }
  } finally {
    await Promise.all(gateways.map(({ command }) => command[Symbol.asyncDispose]()));
  }
}

await main();
