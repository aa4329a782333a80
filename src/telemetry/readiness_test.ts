import { strictEqual } from "node:assert/strict";
import { Readiness } from "./readiness.ts";

Deno.test("Readiness remembers the last answer, and shares the one that is on its way", async () => {
  let looks = 0;
  const answers: (string | undefined)[] = ["NATS is away", undefined];
  using readiness = new Readiness(() => Promise.resolve(answers[looks++]));
  const [first, second] = await Promise.all([readiness.check(), readiness.check()]);
  strictEqual(first, "NATS is away");
  strictEqual(second, first);
  strictEqual(looks, 1);
  strictEqual(readiness.isReady, false);
  strictEqual(await readiness.check(), undefined);
  strictEqual(readiness.isReady, true);
});

Deno.test("Readiness is not ready where the question fails", async () => {
  using readiness = new Readiness(() => Promise.reject(new Error("a bug")));
  strictEqual(await readiness.check(), "Error: a bug");
  strictEqual(readiness.isReady, false);
});
