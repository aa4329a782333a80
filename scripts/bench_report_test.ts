import { doesNotMatch, match, strictEqual } from "node:assert/strict";
import { type Row, type Sample, summarize } from "./bench_figures.ts";
import {
  formatChange,
  formatDocument,
  formatReport,
  formatScaling,
  formatTable,
  type Report,
} from "./bench_report.ts";

const MIB = 1024 ** 2;

function row(by: Row["by"], name: string, rate: number, more: Partial<Row> = {}): Row {
  const sample: Sample = {
    rate,
    p50: 2,
    p99: 5,
    bytes: 1e9,
    requests: 0,
    cpu: { own: 2.5, server: 1.25, client: by === "raw" ? 0 : 0.5 },
    peak: { own: 100 * MIB, server: 50 * MIB },
  };
  return { ...summarize([sample], { name, by, unit: "MB/s" }), ...more };
}

function report(rate: number, gateways = 1): Report {
  const spread = { median: 0.8, min: 0.75, max: 0.9 };
  return {
    about: ["2 cores", "no sync"],
    gateways,
    rows: [
      row("gateway", "PUT 64 MiB", rate, { ofRaw: spread, aim: { of: "raw", least: 1 } }),
      row("raw", "publish", 1250),
    ],
    memory: { peak: 120 * MIB, end: 90 * MIB },
  };
}

Deno.test("formatChange() rounds to whole percents", () => {
  strictEqual(formatChange(150, 100), "+50 %");
  strictEqual(formatChange(50, 100), "−50 %");
  strictEqual(formatChange(100.4, 100), "0 %");
  strictEqual(formatChange(99.6, 100), "0 %");
  strictEqual(formatChange(100, undefined), "");
  strictEqual(formatChange(100, 0), "");
});

Deno.test("formatTable() has a line for the head, one for alignment, one a row", () => {
  strictEqual(formatTable(["a", "b"], []), "| a | b |\n| --- | --: |");
});

Deno.test("formatReport() shows rates, shares, latencies, aims and costs", () => {
  const text = formatReport(report(1000), undefined);
  match(text, /^- 2 cores\n- no sync\n/);
  match(
    text,
    /^\| PUT 64 MiB \| 1,000 MB\/s \| 1,000–1,000 \| 0\.80 \(0\.75–0\.90\) \| 2\.00 \| 5\.00 \| 2\.5 \| ≥ 1\.00 of raw: missed \|$/m,
  );
  match(text, /^\| publish \| 1,250 MB\/s \| 1,250–1,250 \| 2\.00 \| 5\.00 \|$/m);
  match(text, /^\| PUT 64 MiB \| 2\.50 \| 1\.25 \| 0\.50 \|\s+\|\s+\|\s+\| 100 \| 50 \|$/m);
  match(text, /^\| raw: publish \| 2\.50 \| 1\.25 \|\s+\|\s+\|\s+\|\s+\| 100 \| 50 \|$/m);
  match(text, /at most 120 MiB \(aim: at most 250, met\), 90 MiB at the end/);
  doesNotMatch(text, /Change/);
});

Deno.test("formatReport() compares each row with the report before", () => {
  const before = { ...report(800), memory: { peak: 240 * MIB, end: 1 } };
  const text = formatReport(report(1000), before);
  match(text, /^\| PUT 64 MiB \|.*\| \+25 % \|$/m);
  match(text, /^\| publish \|.*\| 0 % \|$/m);
  match(text, /change: −50 %/);

  const other = { ...before, rows: [row("raw", "PUT 64 MiB", 1)] };
  match(formatReport(report(1000), other), /^\| PUT 64 MiB \|.*missed \|\s+\|$/m);
});

Deno.test("formatScaling() sets more gateways beside the fewest", () => {
  strictEqual(formatScaling({ 1: report(100) }), undefined);
  const text = formatScaling({ 4: report(110, 4), 1: report(100), 2: report(150, 2) }) ?? "";
  match(text, /^\|\s+\| One gateway process \| 2 gateway processes \| 4 gateway processes \|$/m);
  match(text, /^\| PUT 64 MiB \| 100 MB\/s \| 150 MB\/s \(\+50 %\) \| 110 MB\/s \(\+10 %\) \|$/m);
  doesNotMatch(text, /publish/);
});

Deno.test("formatDocument() has a section for each number of gateways", () => {
  const alone = formatDocument({ 1: report(100) });
  match(alone, /^# Benchmark\n/);
  match(alone, /^## One gateway process$/m);
  doesNotMatch(alone, /## More processes/);
  const both = formatDocument({ 1: report(100), 2: report(150, 2) });
  match(both, /^## 2 gateway processes$/m);
  match(both, /^## More processes$/m);
});
