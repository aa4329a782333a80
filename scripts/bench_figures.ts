/**
 * The measurements of the benchmark and their summary over several rounds: medians and spreads, costs per GB and per
 * 1,000 requests. Pure; `tests/bench/` measures, and `bench_report.ts` formats the tables.
 * @module
 */

/** Median, minimum and maximum of several rounds. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

/** Units of rates: megabytes (1,000,000 bytes) or operations per second. */
export type Unit = "MB/s" | "/s";

/** A goal of a row of the table. */
export type Aim =
  /** At least this rate. */
  | { readonly of: "rate"; readonly least: number }
  /** At least this share of raw JetStream's rate. */
  | { readonly of: "raw"; readonly least: number }
  /** p99 at most this many times p50. */
  | { readonly of: "tail"; readonly most: number };

/** One measurement of one round. */
export type Sample = {
  /** In the row's unit. */
  readonly rate: number;
  /** Latencies in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Divisors of the processor time; 0 for a cost that has no meaning here. */
  readonly bytes: number;
  readonly requests: number;
  /** Processor time in seconds. */
  readonly cpu: PerProcess;
  /** Peak resident memory during the measurement, in bytes. With several gateways, that of the largest. */
  readonly peak: Omit<PerProcess, "client">;
};

/** A value for each process. */
export type PerProcess = {
  /** All gateways together, or the process that calls JetStream directly. */
  readonly own: number;
  readonly server: number;
  /** The load generator; 0 if there is none. */
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
  /** The gateway's rate divided by raw JetStream's, round by round. */
  readonly ofRaw?: Spread;
  readonly aim?: Aim;
  /** Medians of processor time in seconds. */
  readonly perGB?: PerProcess;
  readonly perThousand?: PerProcess;
  /** Bytes; the maximum of all rounds. */
  readonly peak: Sample["peak"];
};

/**
 * Returns the value below which `share` of the sorted values lie.
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
 * Returns the median, the minimum and the maximum.
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

/** Options of {@linkcode summarize}. */
export type RowInput = Pick<Row, "name" | "by" | "unit"> & {
  readonly aim?: Aim | undefined;
  /** Samples of raw JetStream in the same rounds. */
  readonly raw?: readonly Sample[] | undefined;
};

/** Summarizes the samples of all rounds in one row. */
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

/** Returns whether a row reaches its aim, or undefined if it has none. */
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

/** Ticks per second of the times in Linux's `/proc`. */
const TICKS = 100;

/**
 * Parses the processor time of all threads, in seconds, from the text of `/proc/<pid>/stat`.
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
  // The name may contain any character, including spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS;
}

/**
 * Parses a field of `/proc/<pid>/status` into bytes; 0 if it is missing.
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
