/**
 * JetStream in memory in real time, for tests that compare it with a nats-server or run a store on it.
 * @module
 */

import { JetStream, type JetStreamOptions } from "./jetstream/jetstream.ts";
import { Network } from "./network.ts";
import { Random } from "./random.ts";

/** A server and its network. Disposing cancels its timers. */
export type InRealTime = Disposable & {
  readonly jetStream: JetStream;
  readonly network: Network;
};

const MAX_PAYLOAD = 1024 * 1024;

/** Starts a server on a network without delays. */
export function startInRealTime(
  seed: number,
  options: Pick<JetStreamOptions, "isCluster" | "miscounts"> = {},
): InRealTime {
  const random = new Random(seed);
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const network = new Network((_connection, _way, run) => queueMicrotask(run), MAX_PAYLOAD);
  const jetStream = new JetStream({
    clock: {
      now: () => Date.now(),
      after(milliseconds, run) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          run();
        }, milliseconds);
        timers.add(timer);
        return () => {
          timers.delete(timer);
          clearTimeout(timer);
        };
      },
    },
    ...options,
    random: () => random.next(),
    send: (message) => network.fromServer(message),
    hasInterest: (subject) => network.hasInterest(subject),
  });
  network.serve(jetStream);
  return {
    jetStream,
    network,
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
