/**
 * Random requests for a nats-server and for JetStream in memory, and a comparison of what both answer.
 * @module
 */

import { connect } from "@nats-io/transport-node";
import { startCluster, startNatsServer } from "../../scripts/nats_server.ts";
import { type Answer, ask, type Asked } from "./answers.ts";
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

/** Consumers that push at a time. */
const FOLLOWED = 4;
/** Milliseconds to wait for what a consumer pushes. */
const ARRIVAL = 1000;
/** Milliseconds in which a consumer notices a message. */
const NOTICE = 5;
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
  using simulation = startInRealTime(seed + 1, { isCluster: servers > 1 });
  const simulated = simulation.network.connect("client");
  const requests = new RandomRequests(new Random(seed), servers);
  const differences: Difference[] = [];
  const note = (
    { number, request }: Pick<Difference, "number" | "request">,
    real: readonly Answer[],
    simulated: readonly Answer[],
  ): void => {
    if (real.join("\n") !== simulated.join("\n")) {
      differences.push({ number, request, real, simulated });
    }
  };
  /** Consumers that push, each with a function that compares what they have pushed. */
  const followed: (() => Promise<void>)[] = [];
  try {
    for (let number = 1; number <= count && differences.length < limit; number++) {
      const request = requests.next();
      // A consumer may not have seen yet what the stream has acknowledged.
      if (request.subject.includes(".CONSUMER.MSG.NEXT.")) await delay(NOTICE);
      const [one, other] = await Promise.all([
        ask(real, request),
        ask(simulated.asLibrary, request),
      ]);
      const about = { number, request };
      note(about, one.answers, other.answers);
      if (request.ends === "pushed") {
        followed.push(() =>
          stop(one, other).then(() => {
            // The server may push a message that the next one replaces at once, or not.
            if (!contains(one.later, other.later)) note(about, one.later, other.later);
          })
        );
        if (followed.length > FOLLOWED) await followed.shift()?.();
      }
      // A stream that is made at once may begin with messages of the one that was deleted.
      if (request.subject.includes(".STREAM.DELETE.")) await delay(REMOVAL);
    }
    for (const end of followed) await end();
  } finally {
    await real.close();
    await simulated.close();
  }
  return differences;
}

/** Waits until both consumers have pushed as much, and stops them. */
async function stop(one: Asked, other: Asked): Promise<void> {
  const deadline = Date.now() + ARRIVAL;
  while (one.later.length !== other.later.length && Date.now() < deadline) await delay(2);
  one.stop();
  other.stop();
}

/** Tells whether a list has all of another one, in the same order. */
function contains(list: readonly Answer[], others: readonly Answer[]): boolean {
  let found = 0;
  for (const one of list) if (one === others[found]) found++;
  return found === others.length;
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
