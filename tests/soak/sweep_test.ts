/**
 * The long twin of `tests/nats/sweep_test.ts`: more subjects than nats-server lists in one page, while others are added,
 * and objects so large that each has blocks of the stream's file of its own.
 * @module
 */

import { ok, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { sweepLarge, sweepSmall } from "../bench/sweep.ts";

const MIB = 1024 * 1024;

for (
  const { groups, listing } of [
    { groups: 90_000, listing: "by subject, in two pages" },
    { groups: 150_000, listing: "by message" },
  ]
) {
  Deno.test(`${groups} groups are swept ${listing}, while 500 PUTs a second arrive`, async () => {
    await using server = await startNatsServer();
    const { figures: { idle, peak, sweeps }, lost } = await sweepSmall(server, groups);
    // deno-lint-ignore no-console
    console.log(JSON.stringify({ idle, peak, sweeps }));
    strictEqual(sweeps[0]?.report.orphans, 100);
    strictEqual(sweeps[0]?.report.stopped, undefined);
    strictEqual(lost, 0);
    ok(peak - idle < 150 * MIB, `${Math.round((peak - idle) / MIB)} MiB`);
  });
}

Deno.test("a sweep of large objects reads one block for each object once, then only what changed", async () => {
  await using server = await startNatsServer();
  const { figures: { sweeps }, bytes } = await sweepLarge(server, 16);
  const shares = sweeps.map(({ read }) => read / bytes);
  // deno-lint-ignore no-console
  console.log(shares);
  const [first = 1, ...later] = shares;
  ok(first < 0.15, `${first}`);
  for (const share of later) ok(share < 0.05, `${share}`);
});
