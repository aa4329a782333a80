/**
 * Reads the headers of JetStream's responses from their bytes.
 *
 * The library makes a map of all headers, which is a tenth of the cost of a small read. The gateway needs few of them.
 * @module
 */

import { Buffer } from "node:buffer";
import type { Msg } from "@nats-io/nats-core";
import { MsgImpl } from "@nats-io/nats-core/internal";

const LINE = "NATS/1.0";

/** Returns a message's headers as text, one line each after a status line; "" if it has none. */
export function headerText(message: Msg): string {
  if (!(message instanceof MsgImpl)) throw new TypeError("The message is not the library's");
  const { _msg: { hdr }, _rdata: { buffer, byteOffset } } = message;
  return hdr > 0 ? Buffer.from(buffer, byteOffset, hdr).toString("latin1") : "";
}

/** Returns the status: 404 if there is no message, 0 for a message. */
export function statusOf(text: string): number {
  return Number.parseInt(text.slice(LINE.length), 10) || 0;
}

/** Returns the text of the status line after the number. */
export function descriptionOf(text: string): string {
  return text.slice(LINE.length, text.indexOf("\r\n")).trim().replace(/^\d+\s*/, "");
}

/** Returns a header that the server added. It adds them behind the message's own, so the last one counts. */
export function serverHeader(text: string, name: string): string {
  const start = text.lastIndexOf(`\r\n${name}: `);
  if (start < 0) return "";
  const from = start + name.length + 4;
  return text.slice(from, text.indexOf("\r\n", from));
}
