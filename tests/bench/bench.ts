/**
 * `deno task bench`: the gateway over HTTP compared with raw JetStream, in turns, on one nats-server.
 *
 * - `--rounds N` measured rounds, 5 by default, after one warm-up round
 * - `--quick` one small round, to show that the benchmark runs; its figures mean nothing
 * - `--gateways N` the number of gateway processes, which share nothing
 * - `--keep` writes `docs/benchmark.md` and `docs/benchmark.json`
 *
 * Every run compares itself with the last kept run of the same number of gateways.
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { type Aim, type Sample, summarize, type Unit } from "../../scripts/bench_figures.ts";
import {
  formatDocument,
  formatReport,
  type Kept,
  type Report,
} from "../../scripts/bench_report.ts";
import { findNatsServer, freePort, startNatsServer } from "../../scripts/nats_server.ts";
import { VERSION } from "../../src/config/command_line.ts";
import { CREDENTIALS, type GatewayProcess, startGateway } from "../clients/gateway_process.ts";
import { signedFetch } from "../process/running_command.ts";
import { buildLoadGenerator, type Load, type LoadGenerator } from "./load_generator.ts";
import type { RawCall, RawResult } from "./raw_calls.ts";
import { type BareServer, type RawProcess, startBare, startRaw } from "./raw_process.ts";
import { readCpuTime, readMemory, resetPeaks } from "./usage.ts";

const MARKDOWN = new URL("../../docs/benchmark.md", import.meta.url).pathname;
const JSON_FILE = new URL("../../docs/benchmark.json", import.meta.url).pathname;

const MIB = 1024 * 1024;
const BIG = 64 * MIB;
const SMALL = 4096;
const RANGE = 64 * 1024;
/** Clients that send small requests, and clients that read ranges. */
const MANY = 16;
const RANGE_CLIENTS = 8;

/** The amount of work in one round. */
type Amounts = {
  /** Bodies of 64 MiB sent by one client, and by four. */
  readonly big: number;
  readonly bigger: number;
  /** Small objects, and the requests that read them. */
  readonly objects: number;
  readonly reads: number;
  readonly ranges: number;
  /** Seconds of small GETs during large transfers. */
  readonly mixed: number;
};

const FULL: Amounts = {
  big: 12,
  bigger: 16,
  objects: 10_000,
  reads: 20_000,
  ranges: 5000,
  mixed: 8,
};
const QUICK: Amounts = {
  big: 1,
  bigger: 4,
  objects: 300,
  reads: 600,
  ranges: 200,
  mixed: 1,
};

/** The processes that take part. */
type Bench = {
  readonly gateways: readonly GatewayProcess[];
  readonly serverPid: number;
  readonly raw: RawProcess;
  readonly bare: BareServer;
  readonly generator: LoadGenerator;
};

/** The setup of one round. */
type Round = {
  readonly amounts: Amounts;
  /** Bucket of the gateway, and of raw JetStream; new in every round. */
  readonly bucket: string;
  readonly rawBucket: string;
  readonly chunkSize: number;
  /** Size of the object whose ranges are read. */
  readonly large: number;
};

/** One measurement. */
type Step = {
  readonly name: string;
  readonly unit: Unit;
  readonly aim?: Aim;
  readonly load: Load;
  /** The first one is the yardstick for the gateway. */
  readonly raw: readonly {
    readonly name: string;
    readonly call: RawCall;
    /** Runs afterwards and is not measured. */
    readonly afterwards?: RawCall;
  }[];
  /** Name of the same measurement on the bare server, which does only HTTP and JetStream. */
  readonly bare?: string;
};

/** Buckets that last through all rounds. */
const LARGE_BUCKET = "large";
const RAW_LARGE_BUCKET = "raw-large";

function stepsOf({ amounts, bucket, rawBucket, chunkSize, large }: Round): readonly Step[] {
  const { big, bigger, objects, reads, ranges } = amounts;
  const bulk = (c: number, n: number): readonly Step[] => {
    const clients = c === 1 ? "one client" : "four clients";
    const bodies = c === 1 ? "one body at a time" : "four bodies at a time";
    const load = { size: BIG, n, c, bucket, prefix: `c${c}/` };
    const call = { bucket: rawBucket, n, c, size: BIG, chunkSize } as const;
    const group = `c${c}`;
    const plain = `plain-c${c}`;
    return [{
      name: `PUT 64 MiB, ${clients}`,
      unit: "MB/s",
      aim: { of: "raw", least: 1 },
      load: { op: "put", ...load },
      raw: [{
        name: `publish with MD5 and SHA-256, ${bodies}`,
        call: { op: "publish", ...call, hash: true, group },
      }, {
        name: `publish, ${bodies}`,
        call: { op: "publish", ...call, hash: false, group: plain },
        afterwards: { op: "purge", bucket: rawBucket, group: plain },
      }],
    }, {
      name: `GET 64 MiB, ${clients}`,
      unit: "MB/s",
      aim: { of: "raw", least: 0.75 },
      load: { op: "get", ...load },
      raw: [{
        name: `direct gets, ${bodies}`,
        call: { op: "get", bucket: rawBucket, group, n, c },
      }],
    }];
  };
  const small = { size: SMALL, c: MANY, bucket } as const;
  const rawSmall = { bucket: rawBucket, c: MANY } as const;
  const rate = (least: number): Aim => ({ of: "rate", least });
  return [
    ...bulk(1, big),
    ...bulk(4, bigger),
    {
      name: "PUT 4 KiB",
      unit: "/s",
      aim: rate(4500),
      load: { op: "put", ...small, n: objects },
      raw: [{
        name: "chunk with hashes, then metadata, 4 KiB",
        call: { op: "small-put", ...rawSmall, n: objects, size: SMALL },
      }],
      bare: "bare HTTP: PUT 4 KiB",
    },
    {
      name: "GET 4 KiB",
      unit: "/s",
      aim: rate(8000),
      load: { op: "get", ...small, n: reads, keys: objects },
      raw: [{
        name: "direct gets of metadata, then chunk, 4 KiB",
        call: { op: "small-get", ...rawSmall, n: reads },
      }],
      bare: "bare HTTP: GET 4 KiB",
    },
    {
      name: "HEAD 4 KiB",
      unit: "/s",
      aim: rate(12_000),
      load: { op: "head", ...small, n: reads, keys: objects },
      raw: [{
        name: "direct get of metadata",
        call: { op: "small-head", ...rawSmall, n: reads },
      }],
      bare: "bare HTTP: HEAD",
    },
    {
      name: "DELETE 4 KiB",
      unit: "/s",
      aim: rate(5000),
      load: { op: "delete", ...small, n: objects },
      raw: [{
        name: "direct get of metadata, delete marker, purge",
        call: { op: "small-delete", ...rawSmall, n: objects },
      }],
      bare: "bare HTTP: DELETE",
    },
    {
      name: `range of 64 KiB of ${large / MIB} MiB`,
      unit: "/s",
      aim: rate(2500),
      load: { op: "range", size: large, n: ranges, c: RANGE_CLIENTS, bucket: LARGE_BUCKET },
      raw: [{
        name: "direct gets of the chunks of a range",
        call: {
          op: "range",
          bucket: RAW_LARGE_BUCKET,
          group: "large",
          n: ranges,
          c: RANGE_CLIENTS,
          length: RANGE,
        },
      }],
    },
  ];
}

const MIXED = "GET 4 KiB beside a PUT and a GET of 64 MiB";
const MIXED_AIM: Aim = { of: "tail", most: 5 };

/** Samples by the name of the measurement. */
type Samples = Map<string, Sample[]>;

async function runRound(bench: Bench, round: Round, samples: Samples, turn: number): Promise<void> {
  const { gateways, raw } = bench;
  await createBucket(gateways, round.bucket);
  await createBucket(gateways, round.rawBucket);
  const steps = stepsOf(round);
  for (const step of steps) {
    // DELETE leaves nothing for the mixed load, so the mixed load runs before it.
    if (step.load.op === "delete") keep(samples, MIXED, await measureMixed(bench, round));
    const byGateway = async (): Promise<void> => {
      keep(samples, step.name, await measureGateway(bench, step));
    };
    const byRaw = async (): Promise<void> => {
      for (const { name, call, afterwards } of step.raw) {
        keep(samples, name, await measureRaw(bench, step, call));
        if (afterwards !== undefined) await raw.call(afterwards);
      }
    };
    // The order is reversed in every other round.
    const byBare = async (): Promise<void> => {
      if (step.bare !== undefined) keep(samples, step.bare, await measureBare(bench, round, step));
    };
    const measures = [byGateway, byBare, byRaw];
    for (const measure of turn % 2 === 0 ? measures : measures.toReversed()) await measure();
  }
  // Frees the disk and memory of nats-server at once; the gateways forget these buckets.
  for (const bucket of [round.bucket, round.rawBucket]) await raw.call({ op: "drop", bucket });
}

function keep(samples: Samples, name: string, sample: Sample): void {
  samples.set(name, [...samples.get(name) ?? [], sample]);
  console.error(
    `  ${name}: ${sample.rate.toFixed(0)}, p50 ${sample.p50.toFixed(2)} ms, p99 ${
      sample.p99.toFixed(2)
    } ms`,
  );
}

async function createBucket(gateways: readonly GatewayProcess[], bucket: string): Promise<void> {
  const { ok, body } = await signedFetch(`${gateways[0]?.url}/${bucket}`, CREDENTIALS, {
    method: "PUT",
  });
  await body?.cancel();
  if (!ok) throw new Error(`Cannot create bucket "${bucket}"`);
}

/** The result of a measurement, without the resources that the processes used. */
type Measured = Pick<Sample, "rate" | "p50" | "p99" | "bytes" | "requests"> & {
  readonly clientCpu: number;
};

async function measure(
  own: readonly number[],
  serverPid: number,
  work: () => Promise<Measured>,
): Promise<Sample> {
  await resetPeaks([...own, serverPid]);
  const cpu = async (): Promise<readonly [number, number]> => [
    await readCpuTime(own),
    await readCpuTime([serverPid]),
  ];
  const before = await cpu();
  const { clientCpu, ...measured } = await work();
  const after = await cpu();
  return {
    ...measured,
    cpu: { own: after[0] - before[0], server: after[1] - before[1], client: clientCpu },
    peak: { own: await readMemory(own, "VmHWM"), server: await readMemory([serverPid], "VmHWM") },
  };
}

async function measureGateway(bench: Bench, { load, unit }: Step): Promise<Sample> {
  const { gateways, serverPid } = bench;
  return await measure(gateways.map(({ pid }) => pid), serverPid, async () => {
    const result = await runLoad(bench, load);
    const { ops, ops_s, MB_s, seconds, p50_ms: p50, p99_ms: p99, cpu_s: clientCpu } = result;
    const { bytes, requests } = chargedTo(load.op, unit, { ops, bytes: MB_s * 1e6 * seconds });
    return { rate: unit === "/s" ? ops_s : MB_s, p50, p99, bytes, requests, clientCpu };
  });
}

async function measureRaw({ raw, serverPid }: Bench, step: Step, call: RawCall): Promise<Sample> {
  return await measure([raw.pid], serverPid, async () => {
    const { ops, seconds, bytes, p50, p99 }: RawResult = await raw.call(call);
    return {
      rate: (step.unit === "/s" ? ops : bytes / 1e6) / seconds,
      p50,
      p99,
      ...chargedTo(step.load.op, step.unit, { ops, bytes }),
      clientCpu: 0,
    };
  });
}

async function measureBare(
  { bare, generator, serverPid }: Bench,
  { rawBucket }: Round,
  { load }: Step,
): Promise<Sample> {
  return await measure([bare.pid], serverPid, async () => {
    const asked = { ...load, bucket: rawBucket, prefix: "bare/" };
    const result = await generator.run([bare.url], CREDENTIALS, asked);
    const { ops, ops_s: rate, p50_ms: p50, p99_ms: p99, cpu_s: clientCpu } = result;
    return { rate, p50, p99, bytes: 0, requests: ops, clientCpu };
  });
}

/** Splits the cost: large bodies are charged per GB, small requests per 1,000, and ranges by both. */
function chargedTo(
  op: Load["op"],
  unit: Unit,
  { ops, bytes }: { readonly ops: number; readonly bytes: number },
): Pick<Sample, "bytes" | "requests"> {
  return {
    bytes: unit === "MB/s" || op === "range" ? bytes : 0,
    requests: unit === "/s" ? ops : 0,
  };
}

/** Measures small GETs while one client repeatedly puts 64 MiB and another one gets them. */
async function measureMixed(bench: Bench, { amounts, bucket }: Round): Promise<Sample> {
  const { gateways, serverPid } = bench;
  const { mixed: seconds, objects, big } = amounts;
  const HEAD_START = 500;
  return await measure(gateways.map(({ pid }) => pid), serverPid, async () => {
    const transfer = { size: BIG, n: 1_000_000, c: 1, bucket, seconds: seconds + 1.5 };
    const transfers = Promise.all([
      runLoad(bench, { op: "put", ...transfer, prefix: "mixed/" }),
      runLoad(bench, { op: "get", ...transfer, prefix: "c1/", keys: big }),
    ]);
    transfers.catch(() => {}); // awaited below
    await new Promise((resolve) => setTimeout(resolve, HEAD_START));
    const gets = await runLoad(bench, {
      op: "get",
      size: SMALL,
      n: 100_000_000,
      keys: objects,
      c: MANY,
      bucket,
      seconds,
    });
    const all = [gets, ...await transfers];
    return {
      rate: gets.ops_s,
      p50: gets.p50_ms,
      p99: gets.p99_ms,
      bytes: all.reduce((sum, { MB_s, seconds }) => sum + MB_s * 1e6 * seconds, 0),
      requests: 0,
      clientCpu: all.reduce((sum, { cpu_s }) => sum + cpu_s, 0),
    };
  });
}

async function runLoad(
  { gateways, generator }: Bench,
  load: Load,
): ReturnType<LoadGenerator["run"]> {
  return await generator.run(gateways.map(({ url }) => url), CREDENTIALS, load);
}

/** Creates the large object of each side, and finds out the gateway's chunk size. */
async function prepare(bench: Bench, large: number): Promise<{ readonly chunkSize: number }> {
  const { gateways, raw } = bench;
  const bucket = LARGE_BUCKET;
  for (const name of [bucket, RAW_LARGE_BUCKET]) await createBucket(gateways, name);
  const chunkSizeOf = async (size: number): Promise<number> => {
    await runLoad(bench, { op: "put", size, n: 1, c: 1, bucket });
    const key = `load/${size}-0000000`;
    return (await raw.call({ op: "chunk-size", bucket, key })).chunkSize ?? 0;
  };
  const chunkSize = await chunkSizeOf(BIG);
  await raw.call({
    op: "publish",
    bucket: RAW_LARGE_BUCKET,
    group: "large",
    n: 1,
    c: 1,
    size: large,
    chunkSize: await chunkSizeOf(large),
    hash: false,
  });
  return { chunkSize };
}

type Options = { readonly rounds: number; readonly quick: boolean; readonly gateways: number };

async function runBench({ rounds, quick, gateways: count }: Options): Promise<Report> {
  const generator = await buildLoadGenerator();
  const monitor = freePort();
  await using server = await startNatsServer({ config: `http: "127.0.0.1:${monitor}"` });
  await using stack = new AsyncDisposableStack();
  const gateways: GatewayProcess[] = [];
  for (let i = 0; i < count; i++) gateways.push(stack.use(await startGateway({ server })));
  await using raw = startRaw(server.url);
  await using bare = await startBare(server.url);
  const bench: Bench = { gateways, serverPid: server.pid, raw, bare, generator };
  const load = Deno.loadavg()[0]?.toFixed(2);

  const amounts = quick ? QUICK : FULL;
  const large = (quick ? 128 : 1024) * MIB;
  console.error("preparing");
  const { chunkSize } = await prepare(bench, large);
  const roundOf = (name: string, amounts: Amounts): Round => {
    return { amounts, bucket: name, rawBucket: `raw-${name}`, chunkSize, large };
  };
  console.error("warming up");
  await runRound(bench, roundOf("warm-up", QUICK), new Map(), 0);
  const samples: Samples = new Map();
  for (let i = 1; i <= rounds; i++) {
    console.error(`round ${i} of ${rounds}`);
    await runRound(bench, roundOf(`round-${i}`, amounts), samples, i);
  }

  const steps = stepsOf(roundOf("any", amounts));
  const pids = gateways.map(({ pid }) => pid);
  const of = (name: string | undefined): readonly Sample[] => samples.get(name ?? "") ?? [];
  const rows = [
    ...steps.map(({ name, unit, aim, raw }) =>
      summarize(of(name), { name, by: "gateway", unit, aim, raw: of(raw[0]?.name) })
    ),
    summarize(of(MIXED), { name: MIXED, by: "gateway", unit: "/s", aim: MIXED_AIM }),
    ...steps.flatMap(({ unit, raw, bare }) =>
      [...raw.map(({ name }) => name), ...(bare === undefined ? [] : [bare])]
        .map((name) => summarize(of(name), { name, by: "raw", unit }))
    ),
  ];
  const peaks = rows.filter(({ by }) => by === "gateway").map(({ peak }) => peak.own);
  return {
    about: [
      `${new Date().toISOString().slice(0, 10)}: ${rounds} round${rounds === 1 ? "" : "s"}${
        quick ? ", **quick: these figures mean nothing**" : ""
      }`,
      `nats-s3 ${VERSION} on Deno ${Deno.version.deno}, nats-server ${
        (await findNatsServer()).version
      }, load generator built with ${generator.version}`,
      `${navigator.hardwareConcurrency} cores${await cpuModel()}, shared by gateway, nats-server and load generator; ` +
      `load average before: ${load}`,
      count === 1
        ? "one gateway process"
        : `${count} gateway processes on ${count} ports, each with a connection of its own; the load generator sends ` +
          "requests to them in turn",
      `one nats-server, R=1 on files; JetStream syncs to disk ${await readSync(monitor)}`,
      `64 MiB in chunks of ${
        chunkSize / 1024
      } KiB; ${MANY} clients for 4 KiB, ${RANGE_CLIENTS} for ranges`,
    ],
    gateways: count,
    rows,
    memory: { peak: Math.max(...peaks), end: await readMemory(pids, "VmRSS") },
  };
}

/** Returns how JetStream syncs to disk, as the server itself reports it. */
async function readSync(monitor: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${monitor}/jsz?config=true`);
  const { config } = await answer.json() as {
    readonly config?: { readonly sync_interval?: number; readonly sync_always?: boolean };
  };
  if (config?.sync_always === true) return "before every acknowledgement (`sync_interval: always`)";
  const seconds = (config?.sync_interval ?? 0) / 1e9;
  return `every ${seconds} s, not before it acknowledges (\`sync_interval: ${seconds}s\`)`;
}

async function cpuModel(): Promise<string> {
  const text = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const [, model] = /^model name\s*:\s*(.+)$/m.exec(text) ?? [];
  return model === undefined ? "" : ` (${model})`;
}

/** Formats Markdown as `deno fmt` does, so that its tables are readable in a terminal. */
async function formatMarkdown(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const written = new Blob([text]).stream().pipeTo(child.stdin);
  const { stdout } = await child.output();
  await written;
  return new TextDecoder().decode(stdout);
}

async function readKept(): Promise<Kept> {
  try {
    return JSON.parse(await Deno.readTextFile(JSON_FILE)) as Kept;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return {};
    throw cause;
  }
}

/** Drops digits beyond the fourth: they are noise. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(4)) : value;
}

function parseCount(text: string, flag: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`Cannot use --${flag} ${text}: expected a positive whole number`);
  }
  return count;
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "" },
      quick: { type: "boolean", default: false },
      gateways: { type: "string", default: "1" },
      keep: { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  if (quick && values.keep) throw new RangeError("Cannot keep the figures of a quick run");
  const rounds = parseCount(values.rounds || (quick ? "1" : "5"), "rounds");
  const gateways = parseCount(values.gateways, "gateways");

  const report = await runBench({ rounds, quick, gateways });
  const kept = await readKept();
  console.log(await formatMarkdown(formatReport(report, kept[gateways])));
  if (values.keep) {
    const now: Kept = { ...kept, [gateways]: report };
    await Deno.mkdir(new URL("../../docs/", import.meta.url), { recursive: true });
    await Deno.writeTextFile(MARKDOWN, await formatMarkdown(formatDocument(now)));
    await Deno.writeTextFile(JSON_FILE, JSON.stringify(now, rounded, 2) + "\n");
    await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", MARKDOWN, JSON_FILE] })
      .spawn().status;
  }
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (cause) {
    // A failure during cleanup hides the first failure, so all of them are printed.
    const single = cause instanceof Error && !(cause instanceof SuppressedError);
    console.error(single ? cause.message : cause);
    Deno.exit(1);
  }
}
