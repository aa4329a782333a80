import { strictEqual } from "node:assert/strict";
import { Readiness } from "./readiness.ts";

Deno.test("Readiness remembers the last result, and shares a check that is running", async () => {
  let checks = 0;
  const results: (string | undefined)[] = ["NATS is away", undefined];
  using readiness = new Readiness(() => Promise.resolve(results[checks++]));
  const [first, second] = await Promise.all([readiness.check(), readiness.check()]);
  strictEqual(first, "NATS is away");
  strictEqual(second, first);
  strictEqual(checks, 1);
  strictEqual(readiness.isReady, false);
  strictEqual(await readiness.check(), undefined);
  strictEqual(readiness.isReady, true);
});

Deno.test("Readiness is not ready if the check fails", async () => {
  using readiness = new Readiness(() => Promise.reject(new Error("a bug")));
  strictEqual(await readiness.check(), "Error: a bug");
  strictEqual(readiness.isReady, false);
});
