/**
 * Random requests for a nats-server and for JetStream in memory, and a comparison of what both answer.
 * @module
 */

import { connect } from "@nats-io/transport-node";
import { startCluster, startNatsServer } from "../../scripts/nats_server.ts";
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

/** Milliseconds in which the server removes the files of a stream. */
const REMOVAL = 30;

/** Sends requests to both and returns the differences. */
export async function compare(
  { seed, count, servers = 1, limit = 5 }: {
    readonly seed: number;
    readonly count: number;
    /** Servers of the cluster, and copies of each stream. */
    readonly servers?: number;
    /** Differences after which it stops. */
    readonly limit?: number;
  },
): Promise<readonly Difference[]> {
  await using cluster = servers === 1 ? await startNatsServer() : await startCluster(servers);
  const url = "url" in cluster ? cluster.url : cluster.servers[0]?.url ?? "";
  const real = await connect({ servers: url });
  using simulation = startInRealTime(seed + 1, servers > 1);
  const simulated = simulation.network.connect("client");
  const requests = new RandomRequests(new Random(seed), servers);
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
      // A stream that is made at once may begin with messages of the one that was deleted.
      if (request.subject.includes(".STREAM.DELETE.")) await delay(REMOVAL);
    }
  } finally {
    await real.close();
    await simulated.close();
  }
  return differences;
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
