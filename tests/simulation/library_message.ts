/**
 * Messages and headers between the simulated wire and the library's types.
 * @module
 */

import type { Msg, MsgHdrs } from "@nats-io/nats-core";
import { type MsgHdrsImpl, MsgImpl } from "@nats-io/nats-core/internal";
import type { SimulatedConnection } from "./connection.ts";
import type { WireMessage } from "./jetstream/wire.ts";

/** Returns a message as the library hands it out, with headers whose bytes the gateway reads. */
export function libraryMessage(
  { subject, deliveredAs = subject, reply, headers, data, text }: WireMessage,
  connection: SimulatedConnection,
): Msg {
  const message = text !== undefined && headers === ""
    ? new TextMessage(deliveredAs, reply, data, text, connection)
    : new NamedMessage(deliveredAs, reply, ...bytesOf(headers, data), connection);
  return message as unknown as Msg; // the library's types say that there are always headers
}

/** Returns headers and data in memory of their own, which the reader may free, and where the data begins. */
function bytesOf(headers: string, data: Uint8Array): [bytes: Uint8Array, hdr: number] {
  const { length } = headers;
  const bytes = new Uint8Array(length + data.length);
  for (let i = 0; i < length; i++) bytes[i] = headers.charCodeAt(i);
  bytes.set(data, length);
  return [bytes, length === 0 ? -1 : length];
}

/** A message whose subjects the library need not decode, which costs more than all the rest. */
class NamedMessage extends MsgImpl {
  constructor(
    subject: string,
    reply: string,
    bytes: Uint8Array,
    hdr: number,
    connection: SimulatedConnection,
  ) {
    super({ size: bytes.length, hdr, sid: 1 } as never, bytes, connection as never);
    this._subject = subject;
    this._reply = reply;
  }
}

/** A message whose data is known as text, too. */
class TextMessage extends NamedMessage {
  readonly #text: string;

  constructor(
    subject: string,
    reply: string,
    data: Uint8Array,
    text: string,
    connection: SimulatedConnection,
  ) {
    super(subject, reply, data, -1, connection);
    this.#text = text;
  }

  override string(): string {
    return this.#text;
  }
}

/** Returns the headers of a publish as they are on the wire; "" if there are none. */
export function headerBlock(headers: MsgHdrs | undefined): string {
  return headers === undefined ? "" : (headers as MsgHdrsImpl).toString();
}
