/**
 * Random requests to JetStream, most of which make sense.
 * @module
 */

import {
  createStream,
  deleteMessage,
  deleteStream,
  listStreams,
  purge,
  streamInfo,
  updateStream,
} from "./random_changes.ts";
import { pullConsumer, pushConsumer } from "./random_consumers.ts";
import { directBatch, directGet, directGetLast, leaderGet, multiLast } from "./random_gets.ts";
import { batch, publish } from "./random_publishes.ts";
import { type Make, type Memory, type Request, STREAMS } from "./random_words.ts";
import type { Random } from "./random.ts";

/** Kinds of requests, each as often as its weight. */
const KINDS: readonly (readonly [weight: number, make: Make])[] = [
  [40, publish],
  [8, batch],
  [14, directGet],
  [8, directGetLast],
  [10, directBatch],
  [5, multiLast],
  [12, leaderGet],
  [4, purge],
  [6, deleteMessage],
  [6, createStream],
  [4, updateStream],
  [1, deleteStream],
  [6, streamInfo],
  [1, listStreams],
  [3, pullConsumer],
  [2, pushConsumer],
];
/** Kinds that some copy answers, which may be behind, or that come from another server than the leader. */
const OF_ANY_COPY: readonly Make[] = [
  directGet,
  directGetLast,
  directBatch,
  multiLast,
  pullConsumer,
  pushConsumer,
];

/** Random requests, the same for the same seed. */
export class RandomRequests {
  readonly #random: Random;
  readonly #memory: Memory;
  readonly #kinds: typeof KINDS;
  readonly #total: number;

  /** @param replicas Copies of each stream. If there are several, only their leader is asked. */
  constructor(random: Random, replicas = 1) {
    this.#random = random;
    this.#memory = { replicas, batches: 0, consumers: 0, rest: [] };
    this.#kinds = replicas === 1 ? KINDS : KINDS.filter(([, make]) => !OF_ANY_COPY.includes(make));
    this.#total = this.#kinds.reduce((sum, [weight]) => sum + weight, 0);
  }

  /** Returns the next request. */
  next(): Request {
    let left = this.#random.below(this.#total);
    const stream = this.#random.pick(STREAMS);
    for (const [weight, make] of this.#kinds) {
      left -= weight;
      if (left >= 0) continue;
      const request = make(this.#random, stream, this.#memory);
      // After a refusal of this condition, three servers answer nothing for ten seconds and elect another leader.
      const isFatal = this.#memory.replicas > 1 &&
        request.headers?.["Nats-Expected-Last-Msg-Id"] !== undefined;
      return isFatal ? this.next() : request;
    }
    throw new RangeError("No kind of request was chosen");
  }
}
