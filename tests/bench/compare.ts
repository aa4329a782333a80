/**
 * `deno task bench:compare --baseline PATH`: this gateway compared with another one, such as that of an older commit, on
 * one nats-server. Both take the same small loads in turns. The ratios of each round show the cost of a change.
 *
 * - `--baseline PATH` the other `main.ts`
 * - `--rounds N` measured rounds, 10 by default, after two warm-up rounds
 *
 * Processor time is more telling than rates, because other programs use the same cores.
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { percentile } from "../../scripts/bench_figures.ts";
import { formatTable } from "../../scripts/bench_report.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { type RunningCommand, signedFetch, startCommand } from "../process/running_command.ts";
import { buildLoadGenerator, type Load } from "./load_generator.ts";
import { readCpuTime } from "./usage.ts";

const PAIR = { accessKeyId: "bench", secretAccessKey: "bench-secret" };
const MIB = 1024 * 1024;
const WARM_UP = 2;

/** The loads in their order: later ones read and delete the objects of earlier ones. */
const LOADS: readonly (readonly [row: string, load: Omit<Load, "bucket">])[] = [
  ["PUT 4 KiB", { op: "put", size: 4096, n: 1500, c: 16 }],
  ["GET 4 KiB", { op: "get", size: 4096, n: 3000, keys: 1500, c: 16 }],
  ["HEAD", { op: "head", size: 4096, n: 3000, keys: 1500, c: 16 }],
  ["DELETE", { op: "delete", size: 4096, n: 1500, c: 16 }],
  ["PUT 64 MiB", { op: "put", size: 64 * MIB, n: 4, c: 2, prefix: "big/" }],
  ["GET 64 MiB", { op: "get", size: 64 * MIB, n: 4, c: 2, prefix: "big/" }],
  ["64 KiB ranges", { op: "range", size: 64 * MIB, n: 600, keys: 4, c: 8, prefix: "big/" }],
];

type Started = { readonly command: RunningCommand; readonly url: string };
type Cost = { readonly rate: number; readonly cpu: number };

async function start(server: NatsServer, main: string): Promise<Started> {
  const command = startCommand([
    ...["run", "--no-prompt", "--allow-net", "--allow-env", main],
    ...["--listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0"],
    ...["--natsServers", server.url, "--log.requests", "off"],
  ], {
    env: {
      NATS_S3_CREDENTIALS:
        `{"credentials":[{"accessKey":"${PAIR.accessKeyId}","secretKey":"${PAIR.secretAccessKey}"}]}`,
    },
  });
  const [, port] = await command.waitFor(/Serving S3.*port"?[=:](\d+)/);
  return { command, url: `http://127.0.0.1:${port}` };
}

/** Formats the median of the ratios, and the range of the middle half. */
function ratio(own: readonly number[], other: readonly number[]): string {
  const sorted = own.map((value, i) => value / (other[i] ?? NaN)).sort((a, b) => a - b);
  const [middle, low, high] = [0.5, 0.25, 0.75].map((share) =>
    percentile(sorted, share).toFixed(2)
  );
  return `${middle} (${low} to ${high})`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { baseline: { type: "string" }, rounds: { type: "string", default: "10" } },
  });
  if (values.baseline === undefined) throw new TypeError("Set --baseline to the path of a main.ts");
  const generator = await buildLoadGenerator();
  await using server = await startNatsServer();
  const gateways: Started[] = [];
  const costs = new Map<string, [Cost[], Cost[]]>();
  try {
    for (const path of ["main.ts", values.baseline]) gateways.push(await start(server, path));
    for (let round = 0; round < Number(values.rounds) + WARM_UP; round++) {
      for (const [row, load] of LOADS) {
        // The order alternates, because the machine changes between the first and the last turn.
        for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
          const gateway = gateways[i];
          if (gateway === undefined) throw new TypeError("No gateway was started");
          const bucket = `round-${round}-${i}`;
          if (load.op === "put" && row === LOADS[0]?.[0]) {
            const made = await signedFetch(`${gateway.url}/${bucket}`, PAIR, { method: "PUT" });
            if (made.status !== 200) throw new Error(await made.text());
            await made.body?.cancel();
          }
          const before = await readCpuTime([gateway.command.pid]);
          const { ops_s } = await generator.run([gateway.url], PAIR, { ...load, bucket });
          const cpu = await readCpuTime([gateway.command.pid]) - before;
          if (round < WARM_UP) continue;
          const rows = costs.get(row) ?? [[], []];
          rows[i === 0 ? 0 : 1].push({ rate: ops_s, cpu });
          costs.set(row, rows);
        }
      }
      console.log(`round ${round}`);
    }
  } finally {
    for (const { command } of gateways) await command[Symbol.asyncDispose]();
  }
  const rows = [...costs].map(([row, [own, other]]) => [
    row,
    ratio(own.map(({ cpu }) => cpu), other.map(({ cpu }) => cpu)),
    ratio(own.map(({ rate }) => rate), other.map(({ rate }) => rate)),
  ]);
  console.log(
    formatTable(["", "Processor time, this to baseline", "Rate, this to baseline"], rows),
  );
}

if (import.meta.main) await main();
