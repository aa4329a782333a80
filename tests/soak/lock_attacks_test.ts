/**
 * Lets users without the bypass attack locked versions with 5,000 random operations, and writes what happened to `docs/soak.md`.
 *
 * `NATS_S3_SOAK_STEPS` and `NATS_S3_SOAK_SEED` set the number of operations and the seed.
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { findNatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { type AttackReport, runLockAttacks } from "../nats/lock_attacks.ts";
import { writeSection } from "./section.ts";

const SEED = Number(Deno.env.get("NATS_S3_SOAK_SEED") ?? 1);

Deno.test("5,000 random operations of users without the bypass remove no locked version", async () => {
  await using server = await startNatsServer();
  const operations = Number(Deno.env.get("NATS_S3_SOAK_STEPS") ?? 5000);
  const report = await runLockAttacks(server, { operations, atOnce: 50, seed: SEED });
  const { version } = await findNatsServer();
  await writeSection(`lock-attacks-${SEED}`, describe(report, version));
  deepStrictEqual(report.problems, []);
  ok(report.unprotectedGone > 0);
});

function describe(report: AttackReport, natsServer: string): readonly string[] {
  const { operations, seconds, answers, problems, unprotectedGone } = report;
  const date = new Date().toISOString().slice(0, 10);
  return [
    `## Attacks on locked versions, seed ${SEED}`,
    "",
    `${operations} random operations in ${seconds} s, finished on ${date}, with nats-server ${natsServer}, Deno ${Deno.version.deno}, ` +
    "two gateways with a lifecycle day of a second, and a sweep and the emptying of the trash every second. The users may do " +
    "everything except to bypass the governance mode, and one of them may lift legal holds.",
    "",
    `**${problems.length} problems**: ${report.protected} versions under COMPLIANCE, GOVERNANCE or legal hold were read back byte ` +
    `for byte, with their locks. In the end lifecycle rules removed ${unprotectedGone} versions without a lock within moments.`,
    "",
    "| Operation and status | Times |",
    "| --- | --- |",
    ...[...answers].sort(([a], [b]) => a < b ? -1 : 1).map(([name, count]) =>
      `| ${name} | ${count} |`
    ),
  ];
}
