/**
 * Runs 1,000 random kills, and writes the report to `docs/soak.md`.
 *
 * `NATS_S3_SOAK_KILLS` and `NATS_S3_SOAK_SEED` set the number of kills and the seed. `NATS_S3_SOAK_MINUTES` ends the
 * test earlier; the report then says how many kills there were.
 */

import { deepStrictEqual } from "node:assert/strict";
import { replaceBetween } from "../../scripts/docs.ts";
import { findNatsServer } from "../../scripts/nats_server.ts";
import { type KillReport, runRandomKills } from "../cluster/random_kills.ts";

const DOCUMENT = new URL("../../docs/soak.md", import.meta.url);
const EMPTY = `# Soak test results

Written by \`deno task soak\`; do not edit. Each seed has its own section.
`;

Deno.test("random kills lose nothing and show nothing impossible, for long", async () => {
  const report = await runRandomKills({
    kills: Number(Deno.env.get("NATS_S3_SOAK_KILLS") ?? 1000),
    seed: Number(Deno.env.get("NATS_S3_SOAK_SEED") ?? 1),
    limit: 60_000 * Number(Deno.env.get("NATS_S3_SOAK_MINUTES") ?? Infinity),
    // deno-lint-ignore no-console
    note: console.log,
  });
  const text = await Deno.readTextFile(DOCUMENT).catch(() => EMPTY);
  await Deno.mkdir(new URL(".", DOCUMENT), { recursive: true });
  const name = `random-kills-${report.seed}`;
  const section = text.includes(`<!-- begin ${name} -->`)
    ? text
    : `${text.trimEnd()}\n\n<!-- begin ${name} -->\n<!-- end ${name} -->\n`;
  const { version } = await findNatsServer();
  await Deno.writeTextFile(DOCUMENT, replaceBetween(section, name, format(report, version)));
  deepStrictEqual(report.problems, []);
});

function format(report: KillReport, natsServer: string): string {
  const { seed, seconds, kills, operations, events, keys, problems } = report;
  const count = Object.values(kills).reduce((sum, count) => sum + count, 0);
  const row = ([name, count]: [string, number]): string => `| ${name} | ${count} |`;
  return [
    `## Random kills, seed ${seed}`,
    "",
    `${count} kills in ${seconds} s, finished on ${
      new Date().toISOString().slice(0, 10)
    }, with nats-server ${natsServer} (three servers on one machine, R=3), Deno ${Deno.version.deno}, two gateways, ` +
    "a mirror of the bucket, eight clients.",
    "",
    `**${problems.length} problems**. A problem is an acknowledged write that was lost, a read that no order of the writes ` +
    "explains, a torn object, or, after the sweep, bytes in JetStream that belong to no live object or are missing from " +
    `one. The histories of ${keys} keys contain ${events} events.`,
    ...problems.map((problem) => `\n- ${problem.replaceAll("\n", "\n  ")}`),
    "",
    "| Killed | Times |",
    "| --- | --- |",
    ...Object.entries(kills).map(row),
    "",
    "| Operation and status | Times |",
    "| --- | --- |",
    ...Object.entries(operations).map(row),
    "",
    "Status 0 means that the gateway died before it responded. Clients here do not retry a request that got no response " +
    "or a 5xx; the checker assumes that such a write took effect at some moment, or never.",
  ].join("\n");
}
