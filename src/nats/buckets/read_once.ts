/**
 * Reads the messages of one filter that a stream held at one moment. It suits large streams: nats-server takes twice as long
 * for a consumer with two filters, which a feed needs for its barriers.
 * @module
 */

import type { Delivery } from "../jetstream/messages.ts";
import { OrderedConsumer } from "../jetstream/ordered_consumer.ts";
import type { FeedContext } from "./feed.ts";
import type { StreamReading } from "./streams.ts";

/** Options of {@linkcode readOnce}. */
export type ReadOnceOptions = {
  readonly filter: string;
  /** Whether messages come without their data. */
  readonly headersOnly?: boolean;
  /** Called with each message, in the order of the stream. */
  readonly deliver: (delivery: Delivery) => void;
  /**
   * Called when a new consumer takes over, before it delivers, with the last message that was delivered. False ends
   * the reading.
   */
  readonly goesOn?: (last: LastDelivered | undefined) => Promise<boolean>;
};

/** The message that was delivered last. */
export type LastDelivered = Pick<Delivery, "subject" | "sequence" | "stamp">;

/**
 * Delivers the messages of a filter, up to the last one that the stream had when it was read. It misses messages that
 * others remove or replace meanwhile.
 *
 * @returns false if `goesOn` ended it
 * @throws errors of JetStream
 */
export async function readOnce(
  context: FeedContext,
  { stream, lastSequence }: Pick<StreamReading, "stream" | "lastSequence">,
  { filter, headersOnly = false, deliver, goesOn = () => Promise.resolve(true) }: ReadOnceOptions,
): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  let last: LastDelivered | undefined;
  using _consumer = new OrderedConsumer(context, {
    stream,
    filters: [filter],
    headersOnly,
    from: () => (last?.sequence ?? 0) + 1,
    async made() {
      const isReady = await goesOn(last);
      if (!isReady) resolve(false);
      return isReady;
    },
    lost() {},
    deliver(delivery) {
      if (delivery.sequence <= lastSequence) {
        last = delivery;
        deliver(delivery);
      }
      if (delivery.sequence >= lastSequence) resolve(true);
    },
    caughtUp: () => resolve(true),
    failed: reject,
  });
  return await promise;
}
