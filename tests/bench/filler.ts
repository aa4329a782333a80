/**
 * Fills a stream for benchmarks: it publishes many messages, and waits for one acknowledgement of each window.
 *
 * nats-server stores what one connection publishes in order, so the last acknowledgement of a window stands for all of it.
 * @module
 */

import { closeConnection } from "../../src/nats/connection/connection.ts";
import { publishHeaders, type PublishOptions } from "../../src/nats/jetstream/messages.ts";
import { Requests } from "../../src/nats/jetstream/requests.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { openConnection, readLastSequence, REQUEST_OPTIONS } from "./own_requests.ts";

/** Messages of a window: fewer than nats-server keeps for a stream before it drops any. */
const WINDOW = 2000;

const encoder = new TextEncoder();

/** Publishes to one stream, to which nobody else may publish meanwhile. */
export type Filler = {
  /** Returns the sequence of the message. */
  readonly publish: (
    subject: string,
    data: Uint8Array | string,
    options?: PublishOptions,
  ) => Promise<number>;
};

/**
 * Runs work that fills a stream.
 *
 * @throws Error if a message of it was not stored
 */
export async function fillStream(
  natsUrl: string,
  store: StoreName,
  work: (filler: Filler) => Promise<void>,
): Promise<void> {
  const connection = await openConnection(natsUrl);
  using requests = new Requests(connection, REQUEST_OPTIONS);
  let last = await readLastSequence(requests, store);
  let left = WINDOW;
  const publish: Filler["publish"] = async (subject, data, options) => {
    const sequence = ++last;
    if (--left > 0) {
      const headers = options && publishHeaders(options);
      const bytes = typeof data === "string" ? encoder.encode(data) : data;
      connection.publish(subject, bytes, headers ? { headers } : {});
      return sequence;
    }
    left = WINDOW;
    const stored = await requests.publish(subject, data, options);
    if (stored !== sequence) throw new Error(`${sequence - stored} messages were not stored`);
    return sequence;
  };
  try {
    await work({ publish });
    await connection.flush();
    while (await readLastSequence(requests, store) < last) { // nats-server stores them yet
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await closeConnection(connection);
  }
}
