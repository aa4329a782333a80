/**
 * The long version of a test in `tests/http/slow_clients_test.ts`. It needs 4,000 open files.
 * @module
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { measureBeside } from "../http/slow_connections.ts";

const MIB = 1024 * 1024;

Deno.test("2,200 slow or idle connections hold nobody up, and take bounded memory", async () => {
  const report = await measureBeside({
    idle: 1000,
    halfHeaders: 1000,
    stalledBodies: 200,
    stall: "15s",
    precise: true,
  });
  const { p50, p99, resident, inFlight } = report;
  const times = ([without, beside]: readonly [number, number]): string =>
    `${without.toFixed(2)} → ${beside.toFixed(2)} ms (× ${(beside / without).toFixed(2)})`;
  // deno-lint-ignore no-console
  console.log(
    `p50 ${times(p50)}, p99 ${times(p99)}, resident memory ${
      resident.map((bytes) => Math.round(bytes / MIB)).join(" → ")
    } MiB`,
  );
  deepStrictEqual(inFlight, [200, 0]);
  ok(resident[1] - resident[0] < 256 * MIB);
});
