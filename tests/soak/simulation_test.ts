/**
 * Simulates new seeds for an hour, and adds the figures to `docs/soak.md`.
 *
 * `NATS_S3_SOAK_MINUTES` sets another time, and `NATS_S3_SOAK_SEED` the first seed: the one after the last by default.
 */

import { deepStrictEqual } from "node:assert/strict";
import { replaceBetween } from "../../scripts/docs.ts";
import { simulate } from "../simulation/simulation.ts";

const DOCUMENT = new URL("../../docs/soak.md", import.meta.url);
const NAME = "simulations";
/** The figures in the section, which the next run adds to. */
const FIGURES = /(\d+) seeds up to (\d+), (\d+) steps, (\d+) seconds, (\d+) seeds that failed/;

Deno.test("simulated years break no promise, for long", async () => {
  const limit = 60_000 * Number(Deno.env.get("NATS_S3_SOAK_MINUTES") ?? 60);
  const text = await Deno.readTextFile(DOCUMENT);
  const [seeds = 0, last = 1_000_000, steps = 0, seconds = 0, failed = 0] =
    FIGURES.exec(text)?.slice(1).map(Number) ?? [];
  const began = performance.now();
  const sum = { seeds, last, steps, seconds, failed };
  const failures: string[] = [];
  let seed = Number(Deno.env.get("NATS_S3_SOAK_SEED") ?? last + 1);
  for (; performance.now() - began < limit; seed++) {
    const outcome = await simulate(seed);
    sum.seeds++;
    sum.steps += outcome.steps;
    sum.last = Math.max(sum.last, seed);
    if (outcome.violations.length > 0) {
      sum.failed++;
      failures.push(`seed ${seed}: ${outcome.violations[0]}`);
    }
  }
  sum.seconds += Math.round((performance.now() - began) / 1000);
  const section = text.includes(`<!-- begin ${NAME} -->`)
    ? text
    : `${text.trimEnd()}\n\n<!-- begin ${NAME} -->\n<!-- end ${NAME} -->\n`;
  await Deno.writeTextFile(DOCUMENT, replaceBetween(section, NAME, format(sum)));
  deepStrictEqual(failures, []);
});

function format(sum: Readonly<Record<string, number>>): string {
  const { seeds, last, steps, seconds, failed } = sum;
  return [
    "## Simulations",
    "",
    "The sum of all runs:",
    "",
    "```text",
    `${seeds} seeds up to ${last}, ${steps} steps, ${seconds} seconds, ${failed} seeds that failed`,
    "```",
    "",
    "Each seed decides a cluster, its clients and what fails (`tests/simulation/`). A seed that fails is repeated by " +
    "`deno task simulate --seed N`, as long as the simulation is the same. The faults behind seeds that failed are " +
    "mended before the next release, and the changelog names them.",
  ].join("\n");
}
