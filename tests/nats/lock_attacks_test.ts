/** Users without the bypass remove no version under a lock. `tests/soak/lock_attacks_test.ts` is longer. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { runLockAttacks } from "./lock_attacks.ts";

Deno.test("300 random operations of users without the bypass remove no locked version", async () => {
  await using server = await startNatsServer();
  const report = await runLockAttacks(server, { operations: 300, atOnce: 150, seed: 1 });
  deepStrictEqual(report.problems, []);
  // The attacks are allowed as such, and the rules do remove what has no lock.
  ok(report.unprotectedGone > 0);
  for (const kind of ["DeleteObject version 403", "PutObject 200", "PutBucketLifecycle 200"]) {
    ok(report.answers.has(kind), `never happened: ${kind}`);
  }
});
