/**
 * Publishes an atomic batch: messages that one stream stores together or not at all.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { uniqueId } from "../../world/world.ts";
import { NotSent } from "./errors.ts";
import type { Inbox } from "./inbox.ts";
import { type BatchMessage, checked, publishHeaders } from "./messages.ts";

const encoder = new TextEncoder();

/** Publishes a batch and returns the sequence of its last message. */
export async function sendBatch(
  connection: NatsConnection,
  inbox: Inbox,
  messages: readonly BatchMessage[],
): Promise<number> {
  const batch = uniqueId();
  for (const [i, { subject, data, ...options }] of messages.entries()) {
    const headers = publishHeaders(options);
    headers.set("Nats-Batch-Id", batch);
    headers.set("Nats-Batch-Sequence", `${i + 1}`);
    if (i < messages.length - 1) {
      await inbox.whenConnected();
      try {
        connection.publish(subject, encoder.encode(data), { headers });
      } catch (cause) {
        throw new NotSent(subject, cause);
      }
      continue;
    }
    headers.set("Nats-Batch-Commit", "1");
    const reply = await inbox.request(subject, encoder.encode(data), headers);
    return (checked(reply.json(), subject) as { readonly seq: number }).seq;
  }
  throw new RangeError("Cannot publish a batch without messages");
}
