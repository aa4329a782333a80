/**
 * Runs random schedules of the versions model for ten minutes.
 *
 * `NATS_S3_SOAK_MINUTES` sets another time, and `NATS_S3_SOAK_SEED` the first seed.
 */

import { deepStrictEqual } from "node:assert/strict";
import { runSeed, themeOf } from "../models/versions_seeds.ts";

Deno.test("random schedules of the versions model keep the promises, for long", () => {
  const limit = 60_000 * Number(Deno.env.get("NATS_S3_SOAK_MINUTES") ?? 10);
  const began = performance.now();
  const failures: string[] = [];
  let seed = Number(Deno.env.get("NATS_S3_SOAK_SEED") ?? 1_000_000);
  while (performance.now() - began < limit && failures.length < 10) {
    for (const end = seed + 1000; seed < end; seed++) {
      const { violation } = runSeed(seed);
      if (violation !== undefined) failures.push(`seed ${seed} (${themeOf(seed)}): ${violation}`);
    }
  }
  deepStrictEqual(failures, []);
});
