/**
 * The part of `bench:list` that lists versions.
 * @module
 */

// deno-lint-ignore-file no-console

import { percentile } from "../../scripts/bench_figures.ts";
import type { NatsServer } from "../../scripts/nats_server.ts";
import type { Requests } from "../../src/nats/jetstream/requests.ts";
import { type StoreName, streamOf } from "../../src/nats/layout/names.ts";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import { formatVersion } from "../../src/nats/layout/version_record.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { newVersionId } from "../../src/s3/version_id.ts";
import { CREDENTIALS, type GatewayProcess, startGateway } from "../clients/gateway_process.ts";
import { signedFetch } from "../process/running_command.ts";
import { describeObject } from "./described_object.ts";
import { fillStream } from "./filler.ts";
import { readLastSequence } from "./own_requests.ts";
import { readMemory } from "./usage.ts";

/** The columns of what {@linkcode measureVersions} returns. */
export const VERSION_COLUMNS = [
  "Keys",
  "versions of each",
  "cold, s",
  "from the saved index, s",
  "1,000 versions",
  "within a key",
  "all folders",
  "gateway bytes per version",
] as const;

const FOLDER = 1000;
/** Listings of each kind. */
const LISTS = 50;
/** A page. */
const PAGE = 1000;
/** The random part of all version ids. */
const RANDOM = Uint8Array.from({ length: 22 }, (_, i) => i * 7);

function keyOf(i: number): ObjectKey {
  const digits = (n: number, length: number): string => String(n).padStart(length, "0");
  return `d${digits(Math.floor(i / FOLDER), 4)}/f${digits(i % FOLDER, 6)}` as ObjectKey;
}

async function fill(
  natsUrl: string,
  store: StoreName,
  keys: number,
  perKey: number,
  firstChunk: number,
): Promise<void> {
  await fillStream(natsUrl, store, async ({ publish }) => {
    for (let n = 0; n < keys * perKey; n++) {
      // Keys are out of order, and versions of one key in the order in which they are made.
      const key = keyOf((n % keys * 7919) % keys);
      const ordinal = Math.floor(n / keys) + 1;
      const version = { id: newVersionId(ordinal, RANDOM), ordinal };
      const info = describeObject(store, key, firstChunk, version);
      if (ordinal === perKey) {
        await publish(infoSubject(store, key), info, { rollup: true });
      } else {
        const record = formatVersion({ from: 1, time: new Date(), ordinal, info });
        await publish(records.version(store, key, version.id), record, { expect: 0 });
      }
    }
  });
}

/** Lists once and returns the milliseconds that it took. */
async function list(url: string, query: string, element: string, count: number): Promise<number> {
  const began = performance.now();
  const response = await signedFetch(`${url}?versions${query}`, CREDENTIALS);
  const text = await response.text();
  const milliseconds = performance.now() - began;
  const found = text.split(`<${element}>`).length - 1;
  if (response.status !== 200 || found !== count) {
    throw new Error(`Unexpected listing of ${found}: ${text.slice(0, 1000)}`);
  }
  return milliseconds;
}

/** Lists the first page, again while the gateway says that it is not ready. Returns the milliseconds of all. */
async function listPatiently(url: string, count: number): Promise<number> {
  const began = performance.now();
  for (;;) {
    const response = await signedFetch(`${url}?versions`, CREDENTIALS);
    await response.body?.cancel();
    if (response.status !== 503) break;
    console.error(`503 after ${(performance.now() - began).toFixed(0)} ms`);
  }
  await list(url, "", "Version", count);
  return performance.now() - began;
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
  return await listPatiently(`${gateway.url}/${bucket}`, PAGE);
}

async function many(work: (i: number) => Promise<number>): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < LISTS; i++) times.push(await work(i));
  times.sort((a, b) => a - b);
  return `${percentile(times, 0.5).toFixed(1)} (${percentile(times, 0.99).toFixed(1)})`;
}

/** Returns the row of a bucket of so many keys and versions of each. Both are 1, or multiples of ten. */
export async function measureVersions(
  server: NatsServer,
  gateway: GatewayProcess,
  requests: Requests,
  keys: number,
  perKey: number,
): Promise<readonly string[]> {
  const count = keys * perKey;
  const bucket = `versions-${keys}-${perKey}`;
  const url = `${gateway.url}/${bucket}`;
  const made = await signedFetch(url, CREDENTIALS, { method: "PUT" });
  await made.body?.cancel();
  const last = await readLastSequence(requests, bucket as StoreName);
  await fill(server.url, bucket as StoreName, keys, perKey, last);
  /** The version at this place, of all versions in order, as a position. */
  const after = (at: number): string => {
    const key = keyOf(Math.floor(at / perKey));
    const id = newVersionId(perKey - at % perKey, RANDOM);
    return `&key-marker=${encodeURIComponent(key)}&version-id-marker=${id}`;
  };
  const random = (i: number, below: number): number => (i * 104_729) % below;

  const idle = await readMemory([gateway.pid], "VmRSS");
  const cold = await listPatiently(url, Math.min(count, PAGE));
  const memory = await readMemory([gateway.pid], "VmRSS") - idle;
  for (let i = 0; i < LISTS; i++) await list(url, "", "Version", Math.min(count, PAGE)); // to warm up the runtime
  const page = await many((i) => {
    const at = Math.min(random(i, count), Math.max(count - PAGE - 1, 0));
    return list(url, after(at), "Version", Math.min(PAGE, count - at - 1));
  });
  const within = await many((i) => {
    const prefix = encodeURIComponent(keyOf(random(i, keys)));
    return list(url, `&prefix=${prefix}`, "Version", Math.min(perKey, PAGE));
  });
  const folders = Math.ceil(keys / FOLDER);
  const whole = await many(() => list(url, "&delimiter=%2F", "CommonPrefixes", folders));
  return [
    keys.toLocaleString("en"),
    perKey.toLocaleString("en"),
    (cold / 1000).toFixed(2),
    (await listFromSaved(server, requests, bucket) / 1000).toFixed(2),
    page,
    within,
    whole,
    (memory / count).toFixed(0),
  ];
}
