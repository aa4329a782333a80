/**
 * `deno task bench:sweep`: sweeps of a bucket of 1,000,000 small objects while 500 PUTs a second arrive, and of a bucket of
 * 8 GiB in objects of 64 MiB.
 *
 * - `--groups N` another number of small objects
 * - `--gib N` another size of the bucket of large objects
 * - `--keep` writes the table to `docs/operations.md`
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { formatTable } from "../../scripts/bench_report.ts";
import { replaceBetween } from "../../scripts/docs.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { input, openStore, read, someBytes } from "../nats/store_on_server.ts";
import { fillBucket, plantOrphans, putAtRate } from "../nats/sweep_load.ts";
import { openRequests } from "./own_requests.ts";
import { sweepApart, type SweepFigures } from "./sweep_process.ts";

const MIB = 1024 * 1024;
const LARGE = 64 * MIB;
const RATE = 500;
const ORPHANS = 100;
const KEPT = new URL("../../docs/operations.md", import.meta.url).pathname;
/** Milliseconds after which nats-server has forgotten what it read. */
const CACHE = 15_000;

/** The result of {@linkcode sweepSmall}. */
export type SmallFigures = {
  readonly figures: SweepFigures;
  /** PUTs per second that arrived while the bucket was swept. */
  readonly rate: number;
  /** Those of these objects that could not be read afterwards. */
  readonly lost: number;
};

/** Sweeps many small objects and some orphans while others are put. */
export async function sweepSmall(server: NatsServer, groups: number): Promise<SmallFigures> {
  const bucket = "small" as BucketName;
  await using opened = await openStore(server.url);
  await using own = await openRequests(server.url);
  const { store } = opened;
  await store.createBucket(bucket, "alice");
  await fillBucket(own.requests, "small" as StoreName, { count: groups, size: 1024 });
  await plantOrphans(own.requests, "small" as StoreName, ORPHANS);
  const writing = new AbortController();
  const began = performance.now();
  const puts = putAtRate(store, bucket, { rate: RATE, signal: writing.signal });
  let figures: SweepFigures;
  try {
    figures = await sweepApart(server, bucket, { minAge: 0, sweeps: 1 });
  } finally {
    writing.abort();
  }
  const keys = await puts;
  const rate = keys.length / (performance.now() - began) * 1000;
  let lost = 0;
  for (const key of keys.filter((_, i) => i % 10 === 0)) {
    const { bytes } = await read(store, bucket, key).catch(() => ({ bytes: new Uint8Array() }));
    if (bytes.length !== 1024) lost++;
  }
  return { figures, rate, lost };
}

/** Sweeps large objects three times, and says how many bytes they have. */
export async function sweepLarge(
  server: NatsServer,
  objects: number,
): Promise<{ readonly figures: SweepFigures; readonly bytes: number }> {
  const bucket = "large" as BucketName;
  await using opened = await openStore(server.url);
  const { store } = opened;
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(LARGE);
  for (let i = 0; i < objects; i++) {
    await store.putObject(bucket, `${i}` as ObjectKey, input(bytes));
  }
  await new Promise((resolve) => setTimeout(resolve, CACHE));
  const figures = await sweepApart(server, bucket, { minAge: 0, sweeps: 3 });
  return { figures, bytes: objects * LARGE };
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      groups: { type: "string", default: "1000000" },
      gib: { type: "string", default: "8" },
      keep: { type: "boolean", default: false },
    },
  });
  await using server = await startNatsServer();
  const rows: (readonly string[])[] = [];
  const add = (name: string, { idle, peak, sweeps }: SweepFigures, i: number, bytes: number) => {
    const { seconds = 0, read = 0, serverTime = 0 } = sweeps[i] ?? {};
    const memory = i === 0 ? ((peak - idle) / MIB).toFixed(0) : "";
    const share = bytes === 0 ? "" : `${(read / bytes * 100).toFixed(1)} %`;
    rows.push([name, seconds.toFixed(1), memory, serverTime.toFixed(1), share]);
    console.error(rows.at(-1)?.join(" | "));
  };
  const groups = Number(values.groups);
  const gib = Number(values.gib);
  if (groups > 0) {
    const { figures, rate, lost } = await sweepSmall(server, groups);
    console.error(figures.sweeps[0]?.report);
    const puts = `${rate.toFixed(0)} PUTs/s, ${lost} lost`;
    add(`${groups.toLocaleString("en")} objects of 1 KiB; ${puts}`, figures, 0, 0);
  }
  if (gib > 0) {
    const { figures, bytes } = await sweepLarge(server, Math.round(gib * 1024 * MIB / LARGE));
    const name = `${gib} GiB in objects of 64 MiB`;
    add(`${name}, first sweep`, figures, 0, bytes);
    add(`${name}, second sweep`, figures, 1, bytes);
    add(`${name}, third sweep`, figures, 2, bytes);
  }
  const table = formatTable(
    ["Bucket", "s", "MiB more memory", "processor time of nats-server, s", "read of the bytes"],
    rows,
  );
  console.log(table);
  if (!values.keep) return;
  const text = await Deno.readTextFile(KEPT);
  await Deno.writeTextFile(KEPT, replaceBetween(text, "sweep", table));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", KEPT] }).output();
}

if (import.meta.main) await main(Deno.args);
