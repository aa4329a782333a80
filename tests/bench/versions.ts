/**
 * `deno task bench:versions`: small requests in a bucket with versions compared with those without, in turns, and emptying
 * keys of all their versions.
 *
 * - `--rounds N` measured rounds, 9 by default, after two warm-up rounds
 * - `--versions N` versions to empty, 100,000 by default; "0" for none
 * - `--keep` writes the tables to `docs/performance.md`
 *
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { spreadOf } from "../../scripts/bench_figures.ts";
import { formatTable } from "../../scripts/bench_report.ts";
import { replaceBetween } from "../../scripts/docs.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { CREDENTIALS, type GatewayProcess, startGateway } from "../clients/gateway_process.ts";
import { signedFetch } from "../process/running_command.ts";
import { EMPTIED_COLUMNS, measureEmptying } from "./empty_versions.ts";
import { buildLoadGenerator, type Load } from "./load_generator.ts";
import { readCpuTime } from "./usage.ts";

const DOCUMENT = new URL("../../docs/performance.md", import.meta.url).pathname;
const WARM_UP = 2;
const KEYS = 1000;
/** A small load, so that other work on the machine does not hit one of a pair alone. */
const SMALL = { size: 4096, n: 600, keys: KEYS, c: 16 } as const;
const ENABLED = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

/** The result of one run: requests per second, and processor time of the gateway and of nats-server per request. */
type Cost = readonly [rate: number, gateway: number, server: number];
type Way = { readonly name: string; readonly load: Load };
/** A way to send requests, and the one that it is compared with. */
type Pair = readonly [way: Way, plain: Way];

async function pairsOf(
  gateway: GatewayProcess,
  run: (load: Load) => Promise<unknown>,
): Promise<readonly Pair[]> {
  for (const bucket of ["plain", "versioned"]) {
    const url = `${gateway.url}/${bucket}`;
    await (await signedFetch(url, CREDENTIALS, { method: "PUT" })).body?.cancel();
    if (bucket === "plain") continue;
    const request = { method: "PUT", body: ENABLED };
    await (await signedFetch(`${url}?versioning`, CREDENTIALS, request)).body?.cancel();
  }
  const directory = await Deno.makeTempDir();
  const [old, current] = [`${directory}/old`, `${directory}/current`];
  const read = { ...SMALL, bucket: "versioned", prefix: "read/" } as const;
  for (const versions of [old, current]) await run({ ...read, op: "put", n: KEYS, versions });
  const get = { name: "GET", load: { ...read, op: "get" } } as const;
  const byId = (name: string, versions: string): Way => {
    return { name, load: { ...read, op: "get-version", versions } };
  };
  const put = (bucket: string): Way => ({
    name: bucket === "plain" ? "the same without versions" : "PUT over existing keys",
    load: { ...SMALL, op: "put", bucket, prefix: "put/" },
  });
  return [
    [byId("GET of the current version by its id", current), get],
    [byId("GET of a noncurrent version", old), get],
    [put("versioned"), put("plain")],
  ];
}

/** Measures pairs in turns, and returns a row of ratios for each. */
async function comparePairs(
  server: NatsServer,
  gateway: GatewayProcess,
  rounds: number,
): Promise<readonly (readonly string[])[]> {
  const s3load = await buildLoadGenerator();
  const run = async (load: Load): Promise<Cost> => {
    const read = (): Promise<readonly number[]> =>
      Promise.all([gateway.pid, server.pid].map((pid) => readCpuTime([pid])));
    const before = await read();
    const { ops, ops_s } = await s3load.run([gateway.url], CREDENTIALS, load);
    const after = await read();
    const [own = 0, other = 0] = after.map((time, i) => (time - (before[i] ?? 0)) / ops);
    return [ops_s, own, other];
  };
  const pairs = await pairsOf(gateway, run);
  const ratios = pairs.map((): number[][] => [[], [], []]);
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [i, [way, plain]] of pairs.entries()) {
      const isFirst = round % 2 === 0;
      const first = await run(isFirst ? way.load : plain.load);
      const second = await run(isFirst ? plain.load : way.load);
      const [own, other] = isFirst ? [first, second] : [second, first];
      if (round < 0) continue;
      for (const [kind, value] of own.entries()) {
        ratios[i]?.[kind]?.push(value / (other[kind] ?? NaN));
      }
    }
    console.error(`round ${round}`);
  }
  return pairs.map(([way, plain], i) => [
    `${way.name}, to ${plain.name}`,
    ...(ratios[i] ?? []).map((values) => {
      const { median, min, max } = spreadOf(values);
      return `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
    }),
  ]);
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "9" },
      versions: { type: "string", default: "100000" },
      keep: { type: "boolean", default: false },
    },
  });
  await using server = await startNatsServer();
  const compared: (readonly string[])[] = [];
  if (values.rounds !== "0") {
    await using gateway = await startGateway({ server });
    compared.push(...await comparePairs(server, gateway, Number(values.rounds)));
  }
  const count = Number(values.versions);
  const emptied = count === 0 ? [] : await measureEmptying(server, count);
  const titles = ["4 KiB, 16 clients", "rate", "gateway's processor time", "nats-server's"];
  const tables: string[] = [];
  if (compared.length > 0) tables.push(formatTable(titles, compared));
  if (emptied.length > 0) tables.push(formatTable(EMPTIED_COLUMNS, emptied));
  const report = tables.join("\n\n");
  console.log(report);
  if (!values.keep) return;
  const text = await Deno.readTextFile(DOCUMENT);
  await Deno.writeTextFile(DOCUMENT, replaceBetween(text, "versions", report));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", DOCUMENT] }).output();
}

if (import.meta.main) await main(Deno.args);
