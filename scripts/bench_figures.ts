/**
 * What the benchmark measures, and what it makes of several rounds: medians and spreads, costs per GB and per 1,000
 * requests. Pure; `tests/bench/` measures, `bench_report.ts` writes the tables.
 * @module
 */

/** Median, least and most of several rounds. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

/** What rates count: megabytes (1,000,000 bytes) or operations, a second. */
export type Unit = "MB/s" | "/s";

/** What a row of the table should reach. */
export type Aim =
  /** At least this rate. */
  | { readonly of: "rate"; readonly least: number }
  /** At least this share of the rate of raw JetStream. */
  | { readonly of: "raw"; readonly least: number }
  /** p99 at most this many times p50. */
  | { readonly of: "tail"; readonly most: number };

/** One measurement, of one round. */
export type Sample = {
  /** In the row's unit. */
  readonly rate: number;
  /** Latencies in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** What the processor time is divided by; 0 for a cost that says nothing here. */
  readonly bytes: number;
  readonly requests: number;
  /** Processor time in seconds. */
  readonly cpu: PerProcess;
  /** Most resident memory while it was measured, in bytes: of several gateways, that of the largest. */
  readonly peak: Omit<PerProcess, "client">;
};

/** Of the processes at work. */
export type PerProcess = {
  /** The gateways together, or the process that speaks to JetStream itself. */
  readonly own: number;
  readonly server: number;
  /** The load generator; 0 where there is none. */
  readonly client: number;
};

/** One row of the report. */
export type Row = {
  readonly name: string;
  readonly by: "gateway" | "raw";
  readonly unit: Unit;
  readonly rate: Spread;
  readonly p50: Spread;
  readonly p99: Spread;
  /** p99 ÷ p50. */
  readonly tail: Spread;
  /** Of the gateway's rates in those of raw JetStream, round by round. */
  readonly ofRaw?: Spread;
  readonly aim?: Aim;
  /** Medians of processor time in seconds. */
  readonly perGB?: PerProcess;
  readonly perThousand?: PerProcess;
  /** Bytes, the most of all rounds. */
  readonly peak: Sample["peak"];
};

/**
 * The value below which `share` of the sorted values lie.
 *
 * @example Usage
 * ```ts
 * import { percentile } from "./bench_figures.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(percentile([1, 2, 3, 4, 100], 0.5), 3);
 * strictEqual(percentile([1, 2, 3, 4, 100], 0.99), 100);
 * ```
 */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/**
 * Median, least and most.
 *
 * @throws RangeError for no values
 *
 * @example Usage
 * ```ts
 * import { spreadOf } from "./bench_figures.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 });
 * ```
 */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[(sorted.length - 1) >>> 1];
  const high = sorted[sorted.length >>> 1];
  if (low === undefined || high === undefined) throw new RangeError("Cannot sum up no values");
  return { median: (low + high) / 2, min: sorted[0] ?? low, max: sorted.at(-1) ?? high };
}

/** What {@linkcode summarize} is told beside the samples. */
export type RowInput = Pick<Row, "name" | "by" | "unit"> & {
  readonly aim?: Aim | undefined;
  /** Samples of raw JetStream from the same rounds. */
  readonly raw?: readonly Sample[] | undefined;
};

/** Makes one row of the samples of all rounds. */
export function summarize(
  samples: readonly Sample[],
  { name, by, unit, aim, raw }: RowInput,
): Row {
  const of = (value: (sample: Sample) => number): Spread => spreadOf(samples.map(value));
  const perGB = costs(samples, ({ bytes }) => bytes / 1e9);
  const perThousand = costs(samples, ({ requests }) => requests / 1000);
  return {
    name,
    by,
    unit,
    rate: of(({ rate }) => rate),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    tail: of(({ p50, p99 }) => p50 === 0 ? 0 : p99 / p50),
    ...(raw && { ofRaw: spreadOf(samples.map(({ rate }, i) => rate / (raw[i]?.rate ?? NaN))) }),
    ...(aim && { aim }),
    ...(perGB && { perGB }),
    ...(perThousand && { perThousand }),
    peak: {
      own: Math.max(...samples.map(({ peak }) => peak.own)),
      server: Math.max(...samples.map(({ peak }) => peak.server)),
    },
  };
}

function costs(
  samples: readonly Sample[],
  amount: (sample: Sample) => number,
): PerProcess | undefined {
  if (samples.some((sample) => amount(sample) === 0)) return undefined;
  const per = (process: keyof PerProcess): number =>
    spreadOf(samples.map((sample) => sample.cpu[process] / amount(sample))).median;
  return { own: per("own"), server: per("server"), client: per("client") };
}

/** Whether a row reaches its aim; undefined where it has none. */
export function isReached({ aim, rate, ofRaw, tail }: Row): boolean | undefined {
  switch (aim?.of) {
    case undefined:
      return undefined;
    case "rate":
      return rate.median >= aim.least;
    case "raw":
      return ofRaw !== undefined && ofRaw.median >= aim.least;
    case "tail":
      return tail.median <= aim.most;
  }
}

/** Parts of a second that `/proc` counts in on Linux. */
const TICKS = 100;

/**
 * Processor time in seconds, of all threads, from the text of `/proc/<pid>/stat`.
 *
 * @example Usage
 * ```ts
 * import { parseCpuTime } from "./bench_figures.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(parseCpuTime("7 (a) b) S 1 7 7 0 -1 4194304 10 0 0 0 150 50 0 0 20 0 9 0"), 2);
 * ```
 */
export function parseCpuTime(stat: string): number {
  // The name may hold anything, spaces and parentheses too.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS;
}

/**
 * Bytes of a field of `/proc/<pid>/status`; 0 where it is missing.
 *
 * @example Usage
 * ```ts
 * import { parseMemory } from "./bench_figures.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(parseMemory("VmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n", "VmRSS"), 1048576);
 * ```
 */
export function parseMemory(status: string, field: "VmHWM" | "VmRSS"): number {
  const [, kilobytes = 0] = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
  return Number(kilobytes) * 1024;
}
