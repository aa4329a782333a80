/**
 * Random requests for a nats-server and for JetStream in memory, and a comparison of what both answer.
 * @module
 */

import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { type Answer, ask } from "./answers.ts";
import { Random } from "./random.ts";
import { startInRealTime } from "./real_time.ts";
import { RandomRequests } from "./random_requests.ts";
import type { Request } from "./random_words.ts";

/** A request that both did not answer in the same way. */
export type Difference = {
  readonly number: number;
  readonly request: Request;
  readonly real: readonly Answer[];
  readonly simulated: readonly Answer[];
};

/** Sends requests to both and returns the differences. */
export async function compare(
  { seed, count, limit = 5 }: {
    readonly seed: number;
    readonly count: number;
    /** Differences after which it stops. */
    readonly limit?: number;
  },
): Promise<readonly Difference[]> {
  await using server = await startNatsServer();
  const real = await connect({ servers: server.url });
  using simulation = startInRealTime(seed + 1);
  const simulated = simulation.network.connect("client");
  const requests = new RandomRequests(new Random(seed));
  const differences: Difference[] = [];
  try {
    for (let number = 1; number <= count && differences.length < limit; number++) {
      const request = requests.next();
      const [one, other] = await Promise.all([
        ask(real, request),
        ask(simulated.asLibrary, request),
      ]);
      if (one.join("\n") !== other.join("\n")) {
        differences.push({ number, request, real: one, simulated: other });
      }
    }
  } finally {
    await real.close();
    await simulated.close();
  }
  return differences;
}
