/**
 * `deno task bench:lifecycle`: lifecycle rules that remove 1 % of 1,000,000 objects, and what PUTs and GETs notice of it.
 *
 * - `--objects N` another number of objects, in multiples of 500
 *
 * The benchmark fills the bucket by publishing chunks and object info directly, and sees to a fifth of its objects in each of
 * five runs. In turn with them the same clients work while no rule is in force.
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { spreadOf } from "../../scripts/bench_figures.ts";
import { formatTable } from "../../scripts/bench_report.ts";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { chunkSubject } from "../../src/nats/layout/chunk_subjects.ts";
import { formatInfo } from "../../src/nats/layout/format_info.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { CREDENTIALS, type GatewayProcess, startGateway } from "../clients/gateway_process.ts";
import { signedFetch } from "../process/running_command.ts";
import { fillStream } from "./filler.ts";
import { buildLoadGenerator, type LoadGenerator } from "./load_generator.ts";
import { readCpuTime } from "./usage.ts";

const BUCKET = "expiring";
const RUNS = 5;
/** One object of so many expires. */
const SHARE = 100;
/** The day of the gateway, so that it looks at its rules every few seconds, and the days after which objects expire. */
const DAY = "1m";
const DAYS = 1000;
const OLD = new Date("2020-01-01T00:00:00Z");
/** Milliseconds that a run may take. */
const PATIENCE = 3_600_000;
/** The clients of a window. */
const LOAD = { n: 1_000_000, keys: 100, c: 4, size: 4096, bucket: BUCKET, seconds: 2 } as const;
const LOADS = ["put", "get"] as const;

type Window = Record<typeof LOADS[number], number>;

async function fill(natsUrl: string, count: number): Promise<void> {
  const store = BUCKET as StoreName;
  const bytes = new Uint8Array(1024);
  await fillStream(natsUrl, store, async ({ publish }) => {
    for (let i = 0; i < count; i++) {
      const key = `run${i % RUNS}/f${String(i).padStart(7, "0")}` as ObjectKey;
      const nuid = newNuid(key);
      const sequence = await publish(chunkSubject(store, nuid), bytes);
      const isOld = Math.floor(i / RUNS) % SHARE === 0;
      const info = formatInfo({
        store,
        key,
        nuid,
        size: bytes.length,
        chunks: 1,
        chunkSize: 131_072,
        sha256: "0".repeat(64),
        etag: "0".repeat(32),
        modified: isOld ? OLD : new Date(),
        properties: { system: {}, user: {}, tags: {} },
        checksum: undefined,
        owner: CREDENTIALS.accessKeyId,
        seek: sequence.toString(36),
        layout: undefined,
        partSizes: undefined,
      });
      await publish(infoSubject(store, key), info, { rollup: true });
    }
  });
}

/** Lists until the gateway has its index. */
async function list(url: string): Promise<void> {
  for (;;) {
    const response = await signedFetch(`${url}?list-type=2&max-keys=1`, CREDENTIALS);
    await response.body?.cancel();
    if (response.ok) return;
    console.error(`The listing is not ready: ${response.status}`);
  }
}

async function send(url: string, method: string, body?: string): Promise<void> {
  const init = body === undefined ? { method } : { method, body };
  const response = await signedFetch(url, CREDENTIALS, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
}

/** Returns the milliseconds within which 99 % of the requests of each kind were answered. */
async function measureWindow(s3load: LoadGenerator, { url }: GatewayProcess): Promise<Window> {
  const window = { put: 0, get: 0 };
  for (const op of LOADS) {
    window[op] = (await s3load.run([url], CREDENTIALS, { ...LOAD, op })).p99_ms;
  }
  return window;
}

/** Puts a rule in force until it was carried out once. Returns the numbers of objects that went. */
async function carryOut(gateway: GatewayProcess, run: number): Promise<number> {
  const url = `${gateway.url}/${BUCKET}?lifecycle`;
  const ended = (): readonly number[] =>
    gateway.log.filter(({ msg }) => msg === "Carried out lifecycle rules")
      .map(({ removed }) => Number(removed));
  const before = ended().length;
  const rule = "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status>" +
    `<Filter><Prefix>run${run}/</Prefix></Filter><Expiration><Days>${DAYS}</Days></Expiration>` +
    "</Rule></LifecycleConfiguration>";
  await send(url, "PUT", rule);
  await gateway.logged(() => ended().length > before, PATIENCE);
  await send(url, "DELETE");
  return ended()[before] ?? 0;
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { objects: { type: "string", default: "1000000" } },
  });
  const objects = Number(values.objects);
  const s3load = await buildLoadGenerator();
  await using server = await startNatsServer();
  await using gateway = await startGateway({
    server,
    flags: ["--lifecycle.day", DAY],
    mayLogErrors: true,
  });
  await send(`${gateway.url}/${BUCKET}`, "PUT");
  await fill(server.url, objects);
  console.error("filled");
  await list(`${gateway.url}/${BUCKET}`);
  console.error("listed");
  const all = { ...LOAD, op: "put", n: LOAD.keys, seconds: 600 } as const; // so that GETs find all keys
  await s3load.run([gateway.url], CREDENTIALS, all);
  await measureWindow(s3load, gateway); // to warm up the runtime
  let [seconds, cpu] = [0, 0];
  const ratios: Record<keyof Window, number[]> = { put: [], get: [] };
  for (let run = 0; run < RUNS; run++) {
    const quiet = [await measureWindow(s3load, gateway), await measureWindow(s3load, gateway)];
    const began = performance.now();
    const before = await readCpuTime([gateway.pid, server.pid]);
    let isDone = false;
    const carried = carryOut(gateway, run).finally(() => isDone = true);
    const busy: Window[] = [];
    do busy.push(await measureWindow(s3load, gateway)); while (!isDone);
    const removed = await carried;
    if (removed !== objects / RUNS / SHARE) throw new Error(`${removed} objects expired`);
    seconds += (performance.now() - began) / 1000;
    cpu += await readCpuTime([gateway.pid, server.pid]) - before;
    for (const op of LOADS) {
      const [during, usual] = [busy, quiet].map((windows) =>
        spreadOf(windows.map((window) => window[op])).median
      );
      ratios[op].push((during ?? NaN) / (usual ?? NaN));
    }
    console.error(`run ${run}: ${seconds.toFixed(0)} s so far, ${JSON.stringify({ quiet, busy })}`);
  }
  const row = (name: string, figures: readonly number[]): readonly string[] => {
    const { median, min, max } = spreadOf(figures);
    return [name, ...[median, min, max].map((figure) => figure.toFixed(2))];
  };
  console.log(
    `${objects / SHARE} of ${objects} objects expired within ${
      seconds.toFixed(0)
    } s, which cost the ` +
      `gateway and nats-server ${
        cpu.toFixed(0)
      } s of processor time, that of the clients included.\n\n` +
      formatTable(["p99 with a lifecycle, in times of that without", "median", "min", "max"], [
        row("PUT of 4 KiB", ratios.put),
        row("GET of 4 KiB", ratios.get),
      ]),
  );
}

if (import.meta.main) await main(Deno.args);
