import { ok, strictEqual } from "node:assert/strict";
import { isSampled, newSpanId, newTraceId, SAMPLERS } from "./tracing.ts";

Deno.test("newTraceId() and newSpanId() return unique ids", () => {
  const ids = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    const [trace, span] = [newTraceId(), newSpanId()];
    ok(/^[0-9a-f]{32}$/.test(trace) && /^[0-9a-f]{16}$/.test(span));
    ids.add(trace).add(span);
  }
  strictEqual(ids.size, 20_000);
});

Deno.test("isSampled() follows the parent if the sampler says so", () => {
  const parents = [undefined, { isSampled: true }, { isSampled: false }] as const;
  const expected = {
    always_on: [true, true, true],
    always_off: [false, false, false],
    parentbased_always_on: [true, true, false],
    parentbased_always_off: [false, true, false],
  } as const;
  for (const [name, kept] of Object.entries(expected)) {
    const sampler = SAMPLERS[name as keyof typeof expected];
    for (const [i, parent] of parents.entries()) {
      strictEqual(isSampled(sampler, newTraceId(), parent), kept[i], `${name} ${i}`);
    }
  }
});

Deno.test("isSampled() keeps the given share of traces", () => {
  for (const ratio of [0.01, 0.5, 0.9]) {
    let kept = 0;
    for (let i = 0; i < 20_000; i++) {
      if (isSampled({ followsParent: true, ratio }, newTraceId(), undefined)) kept++;
    }
    // Five standard deviations: one run in two million exceeds them.
    const spread = 5 * Math.sqrt(20_000 * ratio * (1 - ratio));
    ok(Math.abs(kept - 20_000 * ratio) < spread, `${kept} of 20,000 at ${ratio}`);
  }
});
