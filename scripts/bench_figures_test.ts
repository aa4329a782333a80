import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  isReached,
  parseCpuTime,
  parseMemory,
  percentile,
  type Sample,
  spreadOf,
  summarize,
} from "./bench_figures.ts";

Deno.test("percentile() returns a measured value", () => {
  const values = Float64Array.from({ length: 100 }, (_, i) => i + 1);
  strictEqual(percentile(values, 0), 1);
  strictEqual(percentile(values, 0.5), 51);
  strictEqual(percentile(values, 0.99), 100);
  strictEqual(percentile(values, 1), 100);
  strictEqual(percentile([7], 0.99), 7);
  strictEqual(percentile([], 0.5), 0);
});

Deno.test("spreadOf() returns median, minimum and maximum without sorting its argument", () => {
  const values = [10, 9, 100];
  deepStrictEqual(spreadOf(values), { median: 10, min: 9, max: 100 });
  deepStrictEqual(values, [10, 9, 100]);
  deepStrictEqual(spreadOf([4, 2]), { median: 3, min: 2, max: 4 });
  deepStrictEqual(spreadOf([5]), { median: 5, min: 5, max: 5 });
  throws(() => spreadOf([]), RangeError);
});

function sample(values: Partial<Sample> = {}): Sample {
  return {
    rate: 100,
    p50: 1,
    p99: 4,
    bytes: 0,
    requests: 0,
    cpu: { own: 0, server: 0, client: 0 },
    peak: { own: 0, server: 0 },
    ...values,
  };
}

Deno.test("summarize() divides by raw JetStream round by round", () => {
  const row = summarize(
    [sample({ rate: 50 }), sample({ rate: 90 }), sample({ rate: 60 })],
    {
      name: "PUT",
      by: "gateway",
      unit: "MB/s",
      raw: [sample({ rate: 100 }), sample({ rate: 100 }), sample({ rate: 200 })],
    },
  );
  deepStrictEqual(row.rate, { median: 60, min: 50, max: 90 });
  deepStrictEqual(row.ofRaw, { median: 0.5, min: 0.3, max: 0.9 });
  deepStrictEqual(row.tail, { median: 4, min: 4, max: 4 });
});

Deno.test("summarize() divides processor time by what there is to divide it by", () => {
  const row = summarize([
    sample({ bytes: 2e9, cpu: { own: 6, server: 2, client: 1 }, peak: { own: 5, server: 7 } }),
    sample({ bytes: 1e9, cpu: { own: 5, server: 1, client: 1 }, peak: { own: 6, server: 3 } }),
  ], { name: "PUT", by: "gateway", unit: "MB/s" });
  deepStrictEqual(row.perGB, { own: 4, server: 1, client: 0.75 });
  strictEqual(row.perThousand, undefined);
  deepStrictEqual(row.peak, { own: 6, server: 7 });

  const small = summarize(
    [sample({ requests: 500, cpu: { own: 1, server: 2, client: 0 } })],
    { name: "HEAD", by: "raw", unit: "/s" },
  );
  deepStrictEqual(small.perThousand, { own: 2, server: 4, client: 0 });
  strictEqual(small.perGB, undefined);
});

Deno.test("isReached() compares with the aim of a row", () => {
  const gateway = { name: "GET", by: "gateway", unit: "/s" } as const;
  const samples = [sample({ rate: 80, p50: 2, p99: 10 })];
  const raw = [sample({ rate: 100 })];
  strictEqual(isReached(summarize(samples, gateway)), undefined);
  for (
    const [aim, reached] of [
      [{ of: "rate", least: 80 }, true],
      [{ of: "rate", least: 81 }, false],
      [{ of: "raw", least: 0.8 }, true],
      [{ of: "raw", least: 0.9 }, false],
      [{ of: "tail", most: 5 }, true],
      [{ of: "tail", most: 4 }, false],
    ] as const
  ) {
    strictEqual(isReached(summarize(samples, { ...gateway, raw, aim })), reached, aim.of);
  }
});

Deno.test("parseCpuTime() adds what the process and the system took", () => {
  const stat = "4711 (deno: (x) y) S 1 4711 4711 0 -1 4194560 9 9 9 9 1234 66 8 8 20 0 12 0 77 1 2";
  strictEqual(parseCpuTime(stat), 13);
});

Deno.test("parseMemory() reads a field, or 0 where there is none", () => {
  const status = "Name:\tdeno\nVmPeak:\t  900 kB\nVmHWM:\t  300 kB\nVmRSS:\t  200 kB\n";
  strictEqual(parseMemory(status, "VmHWM"), 300 * 1024);
  strictEqual(parseMemory(status, "VmRSS"), 200 * 1024);
  strictEqual(parseMemory("", "VmRSS"), 0);
});
