/**
 * Compares two gateways with a model in 10,000 random requests about versions, without kills and with them, and writes what
 * happened to `docs/soak.md`.
 *
 * `NATS_S3_SOAK_STEPS` and `NATS_S3_SOAK_SEED` set the number of requests and the seed, and `NATS_S3_SOAK_MINUTES` ends each
 * test earlier; `NATS_S3_SOAK_SERVERS=3` replicates the buckets.
 */

import { findNatsServer } from "../../scripts/nats_server.ts";
import { type Compared, compareGateways } from "../nats/compared_gateways.ts";
import { KilledGateways } from "../nats/killed_gateways.ts";
import { modelGateway } from "../nats/model_gateway.ts";
import { writeSection } from "./section.ts";

const STEPS = Number(Deno.env.get("NATS_S3_SOAK_STEPS") ?? 10_000);
const SEED = Number(Deno.env.get("NATS_S3_SOAK_SEED") ?? 1);
const SERVERS = Deno.env.get("NATS_S3_SOAK_SERVERS") === "3" ? 3 : 1;

for (const hasKills of [false, true]) {
  const so = hasKills ? "while processes are killed" : "while nothing is killed";
  Deno.test(`two gateways keep versions as the model does, ${so}`, async () => {
    await using gateways = await KilledGateways.start(SERVERS);
    const began = performance.now();
    const compared = await compareGateways({
      model: await modelGateway(),
      real: gateways.send,
      kill: hasKills ? gateways.kill : undefined,
      seed: SEED,
      steps: STEPS,
      limit: 60_000 * Number(Deno.env.get("NATS_S3_SOAK_MINUTES") ?? Infinity),
      // deno-lint-ignore no-console
      note: console.log,
    });
    const seconds = Math.round((performance.now() - began) / 1000);
    const name = `versions-${hasKills ? "with" : "without"}-kills-r${SERVERS}-${SEED}`;
    await writeSection(name, await describe(compared, seconds, hasKills));
  });
}

async function describe(
  { steps, answers, kills, lost }: Compared,
  seconds: number,
  hasKills: boolean,
): Promise<readonly string[]> {
  const { version } = await findNatsServer();
  const row = ([name, count]: readonly [string, number]): string => `| ${name} | ${count} |`;
  const killed = [...kills].map(([name, count]) => `${count} of a ${name}`).join(", ");
  const date = new Date().toISOString().slice(0, 10);
  return [
    `## Versions on two gateways, ${hasKills ? "with kills, " : ""}R=${SERVERS}, seed ${SEED}`,
    "",
    `${steps} random requests in ${seconds} s, finished on ${date}, with nats-server ${version}, Deno ${Deno.version.deno}: ` +
    "**no difference** from a gateway on a store in memory. Up to four requests go to the two gateways at the same time. " +
    "Every answer is compared, and after it the versions of each key and the current object; after every 100 requests all " +
    "versions with their bytes, locks and tags, and all listings." +
    (hasKills ? ` There were kills: ${killed}.` : ""),
    "",
    ...(hasKills
      ? [
        `${
          lost.done + lost.undone
        } writes had no response or a 5xx: ${lost.done} had their whole effect, and ` +
        `${lost.undone} had none. Requests that do the same when they are repeated were repeated.`,
        "",
      ]
      : []),
    "| Request and status | Times |",
    "| --- | --- |",
    ...[...answers].sort(([a], [b]) => a < b ? -1 : 1).map(row),
  ];
}
