/**
 * `deno task bench:list`: pages of listings of buckets with 1,000, 100,000 and 1,000,000 keys, and with 100,000 versions of
 * one key and 1,000,000 versions in all, and the cost to a PUT when the gateway keeps the keys of its bucket.
 *
 * - `--keys N,…` other numbers of keys, in multiples of 1,000; "" for none
 * - `--versions N*M,…` other numbers of keys, and of versions of each; "" for none
 * - `--pairs N` pairs of runs of PUTs, with and without an index; 9 by default
 * - `--keep` writes the tables to `docs/listing.md`
 *
 * The benchmark fills the buckets by publishing object info directly. Keys are 13 bytes long, in folders of 1,000.
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { percentile, spreadOf } from "../../scripts/bench_figures.ts";
import { formatTable } from "../../scripts/bench_report.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import type { Requests } from "../../src/nats/jetstream/requests.ts";
import { type StoreName, streamOf } from "../../src/nats/layout/names.ts";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { CREDENTIALS, type GatewayProcess, startGateway } from "../clients/gateway_process.ts";
import { signedFetch } from "../process/running_command.ts";
import { describeObject } from "./described_object.ts";
import { fillStream } from "./filler.ts";
import { measureVersions, VERSION_COLUMNS } from "./list_versions.ts";
import { buildLoadGenerator } from "./load_generator.ts";
import { openRequests, readLastSequence } from "./own_requests.ts";
import { readCpuTime, readMemory } from "./usage.ts";

const FOLDER = 1000;
/** Listings of each kind. */
const LISTS = 50;
/** A gateway saves the index of a bucket that has at least so many keys. */
const SAVED_FROM = 50_000;
/** PUTs of one run, the number at a time, and their size. */
const PUTS = { n: 6000, c: 16, size: 4096 } as const;
const KEPT = new URL("../../docs/listing.md", import.meta.url).pathname;

function keyOf(i: number): ObjectKey {
  const digits = (n: number, length: number): string => String(n).padStart(length, "0");
  return `d${digits(Math.floor(i / FOLDER), 4)}/f${digits(i % FOLDER, 6)}` as ObjectKey;
}

async function fill(
  natsUrl: string,
  store: StoreName,
  count: number,
  firstChunk: number,
): Promise<void> {
  await fillStream(natsUrl, store, async ({ publish }) => {
    for (let n = 0; n < count; n++) {
      // Out of order: nobody writes a million keys in order.
      const key = keyOf((n * 7919) % count);
      const info = describeObject(store, key, firstChunk);
      await publish(infoSubject(store, key), info, { expect: 0, rollup: true });
    }
  });
}

/** Lists once and returns the milliseconds that it took. */
async function list(url: string, query: string, keys: number): Promise<number> {
  const began = performance.now();
  const response = await signedFetch(`${url}?list-type=2${query}`, CREDENTIALS);
  const text = await response.text();
  const milliseconds = performance.now() - began;
  const count = Number(/<KeyCount>(\d+)</.exec(text)?.[1]);
  if (response.status !== 200 || count !== keys) throw new Error(`Unexpected listing: ${text}`);
  return milliseconds;
}

async function many(work: (i: number) => Promise<number>): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < LISTS; i++) times.push(await work(i));
  times.sort((a, b) => a - b);
  return `${percentile(times, 0.5).toFixed(1)} (${percentile(times, 0.99).toFixed(1)})`;
}

async function measure(
  server: NatsServer,
  gateway: GatewayProcess,
  requests: Requests,
  count: number,
): Promise<readonly string[]> {
  const bucket = `list-${count}`;
  const url = `${gateway.url}/${bucket}`;
  const made = await signedFetch(url, CREDENTIALS, { method: "PUT" });
  await made.body?.cancel();
  const last = await readLastSequence(requests, bucket as StoreName);
  await fill(server.url, bucket as StoreName, count, last);
  const folders = count / FOLDER;
  const random = (i: number): number => (i * 104_729) % count;

  const idle = await readMemory([gateway.pid], "VmRSS");
  const first = Math.min(count, 1000);
  const cold = await list(url, "", first);
  const memory = await readMemory([gateway.pid], "VmRSS") - idle;
  for (let i = 0; i < LISTS; i++) await list(url, "", first); // to warm up the runtime
  const page = await many((i) => {
    const at = Math.min(random(i), Math.max(count - 1001, 0));
    const keys = Math.min(1000, count - at - 1);
    return list(url, `&start-after=${encodeURIComponent(keyOf(at))}`, keys);
  });
  const folder = await many((i) => {
    const prefix = `${keyOf(random(i)).slice(0, 6)}`;
    return list(url, `&delimiter=%2F&prefix=${encodeURIComponent(prefix)}`, FOLDER);
  });
  const whole = await many(() => list(url, "&delimiter=%2F", Math.min(folders, 1000)));
  const written = await many(async (i) => {
    const key = keyOf(random(i));
    const put = await signedFetch(`${url}/${key}`, CREDENTIALS, { method: "PUT", body: "x" });
    await put.body?.cancel();
    return await list(url, `&delimiter=%2F&prefix=${encodeURIComponent(key.slice(0, 6))}`, FOLDER);
  });
  const ofServer = await readMemory([server.pid], "VmRSS");
  return [
    count.toLocaleString("en"),
    (cold / 1000).toFixed(2),
    count < SAVED_FROM ? "" : (await listFromSaved(server, requests, bucket) / 1000).toFixed(2),
    page,
    folder,
    whole,
    written,
    count < 100_000 ? "" : (memory / count).toFixed(0),
    (ofServer / 1024 ** 2).toFixed(0),
  ];
}

/** Returns the milliseconds of a new gateway's first listing, which finds a saved index. */
async function listFromSaved(
  server: NatsServer,
  requests: Requests,
  bucket: string,
): Promise<number> {
  const store = bucket as StoreName;
  const query = { last_by_subj: records.snapshot(store) };
  while (await requests.leaderGet(streamOf(store), query) === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await using gateway = await startGateway({ server });
  return await list(`${gateway.url}/${bucket}`, "", 1000);
}

/** Measures PUTs to two buckets in turn: the gateway keeps the keys of the one, but not of the other. */
async function measureUpkeep(
  server: NatsServer,
  gateway: GatewayProcess,
  requests: Requests,
  pairs: number,
): Promise<readonly (readonly string[])[]> {
  const s3load = await buildLoadGenerator();
  for (const bucket of ["kept", "plain"]) {
    const made = await signedFetch(`${gateway.url}/${bucket}`, CREDENTIALS, { method: "PUT" });
    await made.body?.cancel();
    const last = await readLastSequence(requests, bucket as StoreName);
    await fill(server.url, bucket as StoreName, 100_000, last);
  }
  const first = await signedFetch(`${gateway.url}/kept?list-type=2`, CREDENTIALS);
  await first.body?.cancel();
  const run = async (bucket: string): Promise<readonly [number, number]> => {
    const pids = [server.pid, gateway.pid];
    const before = await readCpuTime(pids);
    const load = { ...PUTS, op: "put", bucket } as const;
    const { ops, ops_s } = await s3load.run([gateway.url], CREDENTIALS, load);
    return [ops_s, (await readCpuTime(pids) - before) / ops * 1e6];
  };
  for (const bucket of ["kept", "plain"]) await run(bucket);
  const rates: number[] = [];
  const times: number[] = [];
  for (let i = 0; i < pairs; i++) {
    const order = i % 2 === 0 ? ["kept", "plain"] : ["plain", "kept"];
    const results = new Map<string, readonly [number, number]>();
    for (const bucket of order) results.set(bucket, await run(bucket));
    const [kept = [0, 0], plain = [0, 0]] = [results.get("kept"), results.get("plain")];
    rates.push((kept[0] / plain[0] - 1) * 100);
    times.push(kept[1] - plain[1]);
  }
  const row = (name: string, values: readonly number[], digits: number): readonly string[] => {
    const { median, min, max } = spreadOf(values);
    return [name, ...[median, min, max].map((value) => value.toFixed(digits))];
  };
  return [
    row("PUTs per second, in percent", rates, 1),
    row("processor time per PUT, gateway and nats-server, in µs", times, 0),
  ];
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keys: { type: "string", default: "1000,100000,1000000" },
      versions: { type: "string", default: "1*100000,100000*10" },
      pairs: { type: "string", default: "9" },
      keep: { type: "boolean", default: false },
    },
  });
  await using server = await startNatsServer();
  await using gateway = await startGateway({ server });
  await using own = await openRequests(server.url);
  const { requests } = own;
  const rows: (readonly string[])[] = [];
  for (const count of values.keys.split(",").map(Number).filter((count) => count > 0)) {
    console.error(`filling ${count}`);
    rows.push(await measure(server, gateway, requests, count));
    console.error(rows.at(-1)?.join(" | "));
  }
  const pages = formatTable([
    "Keys",
    "cold, s",
    "from the saved index, s",
    "1,000 keys",
    "folder",
    "all folders",
    "folder after a PUT",
    "gateway bytes per key",
    "nats-server MiB",
  ], rows);
  const versionRows: (readonly string[])[] = [];
  for (const text of values.versions.split(",").filter((text) => text !== "")) {
    const [keys = 0, perKey = 0] = text.split("*").map(Number);
    console.error(`filling ${keys} * ${perKey} versions`);
    versionRows.push(await measureVersions(server, gateway, requests, keys, perKey));
    console.error(versionRows.at(-1)?.join(" | "));
  }
  const upkeep = formatTable(
    ["Difference that an index makes", "median", "min", "max"],
    await measureUpkeep(server, gateway, requests, Number(values.pairs)),
  );
  const report = `# Listing\n\n` +
    "Written by `deno task bench:list --keep`. Time for a page in milliseconds: p50 (p99), one client. nats-server, the gateway " +
    `and the client share ${navigator.hardwareConcurrency} processors.\n\n${pages}\n\n` +
    "Versions, by ListObjectVersions. A page begins at a version that is chosen at random, and a folder is one of a " +
    `thousand keys:\n\n${formatTable(VERSION_COLUMNS, versionRows)}\n\n` +
    `The index also costs PUTs something, because the gateway keeps the keys of their bucket. PUTs of 4 KiB by ` +
    `${PUTS.c} clients, in ${values.pairs} pairs of runs, with and without an index in turn:\n\n${upkeep}\n`;
  console.log(report);
  if (!values.keep) return;
  await Deno.writeTextFile(KEPT, report);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", KEPT] }).output();
}

if (import.meta.main) await main(Deno.args);
