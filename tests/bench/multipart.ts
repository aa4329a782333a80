/**
 * `deno task bench:multipart`: multipart uploads compared with objects put in one piece, in turns, and the duration of
 * Complete.
 *
 * - `--rounds N` measured rounds, 5 by default, after one warm-up round
 * - `--keep` writes the tables to `docs/multipart.md`
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { spreadOf } from "../../scripts/bench_figures.ts";
import { formatTable } from "../../scripts/bench_report.ts";
import { replaceBetween } from "../../scripts/docs.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { closeConnection, connect } from "../../src/nats/connection/connection.ts";
import type { Requests } from "../../src/nats/jetstream/requests.ts";
import { type StoreName, streamOf } from "../../src/nats/layout/names.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey, PartNumber } from "../../src/s3/names.ts";
import type { CompletedPart } from "../../src/store/uploads.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { CREDENTIALS, type GatewayProcess, startGateway } from "../clients/gateway_process.ts";
import { input, someBytes, STORE_OPTIONS } from "../nats/store_on_server.ts";
import {
  buildLoadGenerator,
  type Load,
  type LoadGenerator,
  type LoadResult,
} from "./load_generator.ts";
import { openRequests } from "./own_requests.ts";

const KEPT = new URL("../../docs/multipart.md", import.meta.url).pathname;

const MIB = 1024 * 1024;
const WHOLE = 1024 * MIB;
const PART = 8 * MIB;
const PUT = 64 * MIB;
/** Uploads in flight. */
const CLIENTS = 4;
/** Downloads of the large objects. */
const DOWNLOADS = 2;
const PART_READS = 128;
/** An upload of many small parts. */
const MANY = { parts: 10_000, size: 1024, inFlight: 100 } as const;

/** The processes that take part. */
type Bench = {
  readonly server: NatsServer;
  readonly gateway: GatewayProcess;
  readonly requests: Requests;
  readonly generator: LoadGenerator;
};

/** The figures of one round. */
type Figures = {
  /** MB/s. */
  readonly upload: Pair;
  readonly download: Pair;
  /** Median milliseconds. */
  readonly part: Pair;
  /** Milliseconds of Complete: of large parts over HTTP, and of small parts in this process. */
  readonly complete: number;
  readonly completeMany: number;
};

/** A figure of a multipart object, and the same figure of objects put in one piece. */
type Pair = { readonly parts: number; readonly plain: number };

async function runRound(bench: Bench, turn: number): Promise<Figures> {
  const { gateway, generator, requests } = bench;
  const bucket = `round-${turn}`;
  const run = (load: Omit<Load, "bucket" | "n"> & { readonly n?: number }): Promise<LoadResult> =>
    generator.run([gateway.url], CREDENTIALS, { n: 1, ...load, bucket });
  // The order is reversed in every other round.
  const pair = async (
    byParts: () => Promise<LoadResult>,
    plainly: () => Promise<LoadResult>,
  ): Promise<{ readonly parts: LoadResult; readonly plain: LoadResult }> => {
    if (turn % 2 === 0) {
      const parts = await byParts();
      return { parts, plain: await plainly() };
    }
    const plain = await plainly();
    return { parts: await byParts(), plain };
  };

  const multipart = { size: WHOLE, part: PART, prefix: "parts/" } as const;
  const upload = await pair(
    () => run({ op: "multipart", ...multipart, c: CLIENTS }),
    () => run({ op: "put", size: PUT, n: WHOLE / PUT, c: CLIENTS }),
  );
  const plain = { c: 1, prefix: "plain/" } as const;
  await run({ op: "put", size: WHOLE, ...plain });
  await run({ op: "put", size: PART, n: PART_READS, ...plain });
  const download = await pair(
    () => run({ op: "get", size: WHOLE, keys: 1, n: DOWNLOADS, c: 1, prefix: "parts/" }),
    () => run({ op: "get", size: WHOLE, keys: 1, n: DOWNLOADS, ...plain }),
  );
  const part = await pair(
    () => run({ op: "get-part", ...multipart, n: PART_READS, c: 1 }),
    () => run({ op: "get", size: PART, n: PART_READS, ...plain }),
  );
  // Frees the disk and memory of nats-server at once; the gateway forgets the bucket.
  await requests.call(`STREAM.DELETE.${streamOf(bucket as StoreName)}`);

  const figures = {
    upload: { parts: upload.parts.MB_s, plain: upload.plain.MB_s },
    download: { parts: download.parts.MB_s, plain: download.plain.MB_s },
    part: { parts: part.parts.p50_ms, plain: part.plain.p50_ms },
    complete: upload.parts.complete_ms ?? NaN,
    completeMany: await completeMany(bench, `many-${turn}` as BucketName),
  };
  console.error(JSON.stringify(figures));
  return figures;
}

/** Returns the milliseconds that it takes to complete an upload of many small parts in this process. */
async function completeMany({ server, requests }: Bench, bucket: BucketName): Promise<number> {
  const connection = await connect({
    servers: [server.url],
    login: { kind: "none" },
    tls: undefined,
    inboxPrefix: STORE_OPTIONS.inboxPrefix,
  }, { log: createLog({ format: "text", level: "error" }) });
  const store = createNatsStore(connection, { ...STORE_OPTIONS, minPartSize: 1 });
  try {
    const key = "many" as ObjectKey;
    const bytes = someBytes(MANY.size);
    await store.createBucket(bucket, CREDENTIALS.accessKeyId);
    const id = await store.createUpload(bucket, key, {
      properties: input(bytes).properties,
      owner: CREDENTIALS.accessKeyId,
      algorithm: undefined,
      checksumType: undefined,
    });
    const parts: CompletedPart[] = [];
    let next = 0;
    await Promise.all(Array.from({ length: MANY.inFlight }, async () => {
      while (next < MANY.parts) {
        const i = next++;
        const number = i + 1 as PartNumber;
        const { etag } = await store.putPart(bucket, key, id, number, {
          content: input(bytes).content,
        });
        parts[i] = { number, etag, checksum: undefined };
      }
    }));
    const completion = { parts, precondition: {}, checksum: undefined, size: undefined };
    const began = performance.now();
    await store.completeUpload(bucket, key, id, completion);
    return performance.now() - began;
  } finally {
    store[Symbol.dispose]();
    await closeConnection(connection);
    await requests.call(`STREAM.DELETE.${streamOf(bucket as string as StoreName)}`);
  }
}

function formatResults(rounds: readonly Figures[]): string {
  const spread = (values: readonly number[], digits: number): readonly string[] => {
    const { median, min, max } = spreadOf(values);
    return [median, min, max].map((value) => value.toFixed(digits));
  };
  const beside = (
    name: string,
    pairOf: (figures: Figures) => Pair,
    aim: string,
  ): readonly string[] => {
    const pairs = rounds.map(pairOf);
    const [parts = ""] = spread(pairs.map(({ parts }) => parts), 1);
    const [plain = ""] = spread(pairs.map(({ plain }) => plain), 1);
    return [name, parts, plain, ...spread(pairs.map(({ parts, plain }) => parts / plain), 2), aim];
  };
  const ratios = formatTable(["", "multipart", "one piece", "ratio", "min", "max", "aim"], [
    beside("upload, MB/s", ({ upload }) => upload, ">= 0.9"),
    beside("download, MB/s", ({ download }) => download, ">= 0.9"),
    beside("one part, ms", ({ part }) => part, ""),
  ]);
  const completes = formatTable(["Complete", "ms", "min", "max", "aim"], [
    ["128 parts of 8 MiB", ...spread(rounds.map(({ complete }) => complete), 0), "<= 50"],
    ["10,000 parts of 1 KiB", ...spread(rounds.map((round) => round.completeMany), 0), "<= 1,000"],
  ]);
  return `${ratios}\n\n${completes}`;
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      keep: { type: "boolean", default: false },
    },
  });
  const count = Number(values.rounds);
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`Cannot use --rounds ${values.rounds}: expected a positive whole number`);
  }
  const generator = await buildLoadGenerator();
  await using server = await startNatsServer();
  // The benchmark measures objects in parts: without this flag, the gateway rewrites them in the background.
  const flags = ["--multipart.native-layout", "off"];
  await using gateway = await startGateway({ server, flags });
  await using own = await openRequests(server.url);
  const bench: Bench = { server, gateway, requests: own.requests, generator };
  const load = Deno.loadavg()[0]?.toFixed(2);
  await runRound(bench, 0); // to warm up
  const rounds: Figures[] = [];
  for (let i = 1; i <= count; i++) rounds.push(await runRound(bench, i));

  const report =
    "Written by `deno task bench:multipart --keep`. An object of 1 GiB in parts of 8 MiB is compared with objects that " +
    "were put in one piece, in turns within one run: the upload, with 4 parts in flight, against PUTs of 64 MiB, 4 in " +
    "flight; the download by one client against an object of 1 GiB; one part, read by its number, against an object of " +
    "8 MiB. `--multipart.native-layout` is off; otherwise the gateway would copy bytes in the background for a quarter " +
    `of the time. Medians of ${count} rounds; the ratio is computed for each round. The small parts are completed ` +
    "without HTTP, by calling the store directly. nats-server, the gateway and the client share " +
    `${navigator.hardwareConcurrency} processors, whose load was ${load} before the run.\n\n${
      formatResults(rounds)
    }`;
  console.log(report);
  if (!values.keep) return;
  await Deno.writeTextFile(
    KEPT,
    replaceBetween(await Deno.readTextFile(KEPT), "measured", report),
  );
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", KEPT] }).output();
}

if (import.meta.main) await main(Deno.args);
