/**
 * Formats the report of the benchmark as Markdown, with its changes from the previous one.
 * @module
 */

import { isReached, type PerProcess, type Row, type Spread } from "./bench_figures.ts";

/** The results of one run of the benchmark, as stored in `docs/benchmark.json`. */
export type Report = {
  /** The software and the machine, one line each. */
  readonly about: readonly string[];
  readonly gateways: number;
  readonly rows: readonly Row[];
  /** Resident memory of the largest gateway, in bytes. */
  readonly memory: { readonly peak: number; readonly end: number };
};

/** The stored reports by their number of gateways. */
export type Kept = { readonly [gateways: string]: Report };

/** Maximum resident memory that a gateway should need, in bytes. */
const MEMORY_AIM = 250 * 1024 ** 2;

/**
 * Formats the change from the previous value in percent. Returns an empty text without a previous value.
 *
 * @example Usage
 * ```ts
 * import { formatChange } from "./bench_report.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(formatChange(110, 100), "+10 %");
 * strictEqual(formatChange(99.9, 100), "0 %");
 * strictEqual(formatChange(1, undefined), "");
 * ```
 */
export function formatChange(now: number, before: number | undefined): string {
  if (before === undefined || before === 0) return "";
  const percent = Math.round((now / before - 1) * 100);
  return `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent)} %`;
}

/**
 * Formats a Markdown table.
 *
 * @param head Names of the columns. The first column is text, the others are numbers.
 *
 * @example Usage
 * ```ts
 * import { formatTable } from "./bench_report.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(formatTable(["a", "b"], [["x", "1"]]), "| a | b |\n| --- | --: |\n| x | 1 |");
 * ```
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => i === 0 ? "---" : "--:")), ...rows.map(line)]
    .join("\n");
}

/** Formats a report, compared with the previous one if there is one. */
export function formatReport(report: Report, before: Report | undefined): string {
  const gateway = report.rows.filter(({ by }) => by === "gateway");
  const raw = report.rows.filter(({ by }) => by === "raw");
  // The column exists only if there is a report to compare with.
  const changed = before === undefined ? [] : ["Change"];
  const change = ({ name, by, rate }: Row): readonly string[] => {
    const same = before?.rows.find((row) => row.name === name && row.by === by);
    return changed.map(() => formatChange(rate.median, same?.rate.median));
  };
  const latency = (
    { p50, p99 }: Row,
  ): readonly string[] => [figure(p50.median), figure(p99.median)];
  return [
    report.about.map((line) => `- ${line}`).join("\n"),
    formatTable(
      ["Gateway", "Rate", "Min–max", "Of raw", "p50 ms", "p99 ms", "p99 ÷ p50", "Aim"]
        .concat(changed),
      gateway.map((row) => [
        row.name,
        `${figure(row.rate.median)} ${row.unit}`,
        range(row.rate),
        formatShare(row.ofRaw),
        ...latency(row),
        row.tail.median.toFixed(1),
        formatAim(row),
        ...change(row),
      ]),
    ),
    formatTable(
      ["Raw JetStream", "Rate", "Min–max", "p50 ms", "p99 ms", ...changed],
      raw.map((row) => [
        row.name,
        `${figure(row.rate.median)} ${row.unit}`,
        range(row.rate),
        ...latency(row),
        ...change(row),
      ]),
    ),
    "Processor time in seconds of the gateway (for raw JetStream, of the process in its place), nats-server and the " +
    "load generator, and the peak resident memory:",
    formatTable(
      ["", "Per GB", "nats-server", "Client", "Per 1,000 requests", "nats-server", "Client"]
        .concat("MiB", "nats-server"),
      [...gateway, ...raw].map((row) => [
        row.by === "raw" ? `raw: ${row.name}` : row.name,
        ...formatCost(row.perGB),
        ...formatCost(row.perThousand),
        mebibytes(row.peak.own),
        mebibytes(row.peak.server),
      ]),
    ),
    formatMemory(report, before),
  ].join("\n\n");
}

function formatMemory({ memory: { peak, end } }: Report, before: Report | undefined): string {
  const change = formatChange(peak, before?.memory.peak);
  const aim = `aim: at most ${mebibytes(MEMORY_AIM)}, ${peak <= MEMORY_AIM ? "met" : "missed"}`;
  return `Resident memory of the gateway: at most ${mebibytes(peak)} MiB (${aim}${
    change === "" ? "" : `; change: ${change}`
  }), ${mebibytes(end)} MiB at the end.`;
}

function formatShare(share: Spread | undefined): string {
  if (share === undefined) return "";
  return `${share.median.toFixed(2)} (${share.min.toFixed(2)}–${share.max.toFixed(2)})`;
}

function formatAim(row: Row): string {
  const { aim } = row;
  if (aim === undefined) return "";
  const text = aim.of === "tail"
    ? `≤ ${aim.most} × p50`
    : aim.of === "raw"
    ? `≥ ${aim.least.toFixed(2)} of raw`
    : `≥ ${figure(aim.least)} ${row.unit}`;
  return `${text}: ${isReached(row) ? "met" : "missed"}`;
}

function formatCost(cost: PerProcess | undefined): readonly string[] {
  if (cost === undefined) return ["", "", ""];
  return [cost.own, cost.server, cost.client].map((seconds) =>
    seconds === 0 ? "" : seconds.toFixed(2)
  );
}

/**
 * Formats the gain from more gateway processes. Returns undefined if there is only one report.
 *
 * @param kept The stored reports. Each is compared with the one that has the fewest gateways.
 */
export function formatScaling(kept: Kept): string | undefined {
  const [first, ...others] = Object.values(kept).toSorted((a, b) => a.gateways - b.gateways);
  if (first === undefined || others.length === 0) return undefined;
  const rateOf = ({ rows }: Report, name: string): number | undefined =>
    rows.find((row) => row.by === "gateway" && row.name === name)?.rate.median;
  return formatTable(
    ["", ...[first, ...others].map(({ gateways }) => formatGateways(gateways))],
    first.rows.filter(({ by }) => by === "gateway").map(({ name, unit, rate }) => [
      name,
      `${figure(rate.median)} ${unit}`,
      ...others.map((report) => {
        const other = rateOf(report, name);
        if (other === undefined) return "";
        return `${figure(other)} ${unit} (${formatChange(other, rate.median)})`;
      }),
    ]),
  );
}

/** Formats `docs/benchmark.md`. */
export function formatDocument(kept: Kept): string {
  const reports = Object.values(kept).toSorted((a, b) => a.gateways - b.gateways);
  const scaling = formatScaling(kept);
  return [
    "# Benchmark",
    "Written by `deno task bench --keep`; do not edit. `benchmark.json` contains the same figures. A load generator " +
    "sends requests to the gateway over HTTP. Raw JetStream is a process that publishes and reads the same chunks from " +
    "memory, through the gateway's own connection and request layer. Bare HTTP is a server that makes the same JetStream " +
    "calls and knows nothing of S3: the upper limit on this runtime. They take turns on one nats-server within each " +
    "round. A rate is the median of the rounds. The figures do not include the purge of replaced or deleted objects over " +
    "256 KiB, which happens a minute later, because each round has its own buckets.",
    ...reports.flatMap((report) => [
      `## ${formatGateways(report.gateways)}`,
      formatReport(report, undefined),
    ]),
    ...(scaling === undefined ? [] : ["## More processes", scaling]),
  ].join("\n\n") + "\n";
}

function formatGateways(count: number): string {
  return count === 1 ? "One gateway process" : `${count} gateway processes`;
}

/** Formats three digits, or all digits before the point if there are more. */
function figure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString("en-US", format);
}

function range({ min, max }: Spread): string {
  return `${figure(min)}–${figure(max)}`;
}

function mebibytes(bytes: number): string {
  return bytes === 0 ? "" : (bytes / 1024 ** 2).toFixed(0);
}
