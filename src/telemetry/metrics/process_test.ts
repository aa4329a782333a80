import { ok } from "node:assert/strict";
import { valueOf } from "../../../tests/process/exposition.ts";
import { addProcessMetrics } from "./process.ts";
import { Metrics } from "./registry.ts";

Deno.test("addProcessMetrics() shows that the event loop was blocked", async () => {
  const registry = new Metrics();
  using _watch = addProcessMetrics(registry, () => ({ version: "1.2.3", droppedLines: 15 }));
  await new Promise((resolve) => setTimeout(resolve, 400));
  const until = performance.now() + 300;
  while (performance.now() < until); // blocks the event loop
  await new Promise((resolve) => setTimeout(resolve, 50));
  ok((valueOf(registry.render(), "nats_s3_event_loop_delay_seconds_sum") ?? 0) > 0.1);
});
