/**
 * The headers of what JetStream answers, read from their bytes.
 *
 * The library makes a map of all of them, which is a tenth of what a small read costs; here few are asked for.
 * @module
 */

import { Buffer } from "node:buffer";
import type { Msg } from "@nats-io/nats-core";
import { MsgImpl } from "@nats-io/nats-core/internal";

const LINE = "NATS/1.0";

/** A message's headers as text, one line each after a status line; "" where it has none. */
export function headerText(message: Msg): string {
  if (!(message instanceof MsgImpl)) throw new TypeError("The message is not the library's");
  const { _msg: { hdr }, _rdata: { buffer, byteOffset } } = message;
  return hdr > 0 ? Buffer.from(buffer, byteOffset, hdr).toString("latin1") : "";
}

/** The status: 404 where nothing was found; 0 for a message. */
export function statusOf(text: string): number {
  return Number.parseInt(text.slice(LINE.length), 10) || 0;
}

/** What the status line says after the number. */
export function descriptionOf(text: string): string {
  return text.slice(LINE.length, text.indexOf("\r\n")).trim().replace(/^\d+\s*/, "");
}

/** A header that the server adds; after it stands nothing of the message's own that could pass for it. */
export function serverHeader(text: string, name: string): string {
  const start = text.lastIndexOf(`\r\n${name}: `);
  if (start < 0) return "";
  const from = start + name.length + 4;
  return text.slice(from, text.indexOf("\r\n", from));
}
