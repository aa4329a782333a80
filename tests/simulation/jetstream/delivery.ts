/**
 * What a consumer sends: messages whose reply subject counts them, and the ends of pulls.
 * @module
 */

import type { Stored } from "./message_store.ts";
import { formatNanoseconds } from "./stored_time.ts";
import { statusMessage, type WireMessage, withHeader } from "./wire.ts";

const NOTHING = new Uint8Array();

/** Returns the reply subject of a delivered message. */
export function replyOf(
  stream: string,
  consumer: string,
  { sequence, time }: Stored,
  delivered: number,
  pending: number,
): string {
  return `$JS.ACK.${stream}.${consumer}.1.${sequence}.${delivered}.` +
    `${formatNanoseconds(time)}.${pending}`;
}

/** Returns a message without its data. */
export function headersOnly({ headers, data }: Stored): Pick<Stored, "headers" | "data"> {
  return { headers: withHeader(headers, "Nats-Msg-Size", data.length), data: NOTHING };
}

/** Returns the status that ends a pull. */
export function endOf(
  { reply, left, bytes }: {
    readonly reply: string;
    readonly left: number;
    readonly bytes: number;
  },
  status: string,
): WireMessage {
  return statusMessage(reply, status, {
    "Nats-Pending-Messages": left,
    "Nats-Pending-Bytes": bytes === Infinity ? 0 : bytes,
  });
}
