/**
 * Messages on the wire between a client and the simulated server, and their headers.
 * See https://docs.nats.io/reference/reference-protocols/nats-protocol
 * @module
 */

/** A message on its way. */
export type WireMessage = {
  /** Where it goes. */
  readonly subject: string;
  /** The subject that the receiver sees, if it is another: a consumer sends a stream's messages to an inbox. */
  readonly deliveredAs?: string;
  /** "" if no response is expected. */
  readonly reply: string;
  /** The whole block, `NATS/1.0…` to the empty line; "" if there is none. */
  readonly headers: string;
  /** The server keeps it: nobody may change it any more. */
  readonly data: Uint8Array;
  /** The same as text, if its sender had that: whoever reads it need not decode it. Nobody keeps or frees its bytes. */
  readonly text?: string;
};

/** Begins a block of headers. */
export const PREFIX = "NATS/1.0\r\n";
const END = "\r\n";
const NOTHING = new Uint8Array();

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The block that was read last, because one message is asked for many headers. */
let lastBlock = "";
let lastHeaders: ReadonlyMap<string, string> = new Map();

/** Returns the first value of a header, "" if there is none; names are as the client wrote them, as in nats-server. */
export function headerOf(headers: string, name: string): string {
  if (headers === "") return "";
  if (headers !== lastBlock) {
    lastHeaders = parseHeaders(headers);
    lastBlock = headers;
  }
  return lastHeaders.get(name) ?? "";
}

function parseHeaders(headers: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let start = headers.indexOf(END) + END.length;
  for (let end = headers.indexOf(END, start); end > start; end = headers.indexOf(END, start)) {
    const colon = headers.indexOf(":", start);
    const name = headers.slice(start, colon);
    if (colon > 0 && colon < end && !values.has(name)) {
      values.set(name, headers.slice(colon + 1, end).trim());
    }
    start = end + END.length;
  }
  return values;
}

/** Returns a block with a header more. */
export function withHeader(headers: string, name: string, value: string | number): string {
  const before = headers === "" ? PREFIX : headers.slice(0, -END.length);
  return `${before}${name}: ${value}${END}${END}`;
}

/** Returns a block without a header. */
export function withoutHeader(headers: string, name: string): string {
  const start = headers.indexOf(`${END}${name}:`);
  if (start < 0) return headers;
  const end = headers.indexOf(END, start + END.length);
  const rest = headers.slice(0, start) + headers.slice(end);
  return rest === `${PREFIX}${END}` ? "" : rest;
}

/** Returns a message that has a status and no data. */
export function statusMessage(
  subject: string,
  status: string,
  lines: Readonly<Record<string, string | number>> = {},
  reply = "",
): WireMessage {
  let headers = `NATS/1.0 ${status}${END}`;
  for (const [name, value] of Object.entries(lines)) headers += `${name}: ${value}${END}`;
  return { subject, reply, headers: headers + END, data: NOTHING };
}

/** Length below which a loop costs less than a call of the runtime. */
const SHORT = 60;

function encodeText(text: string): Uint8Array {
  if (text.length > SHORT) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
}

/** Returns a message with a JSON document. */
export function jsonMessage(subject: string, document: unknown): WireMessage {
  return textMessage(subject, JSON.stringify(document));
}

/** Returns a message with a text. */
export function textMessage(subject: string, text: string): WireMessage {
  return { subject, reply: "", headers: "", data: encodeText(text), text };
}

/** Returns the JSON document of a message; undefined if it has no data, "invalid" if it is none. */
export function documentOf({ data, text }: WireMessage): unknown {
  if (data.length === 0) return undefined;
  try {
    return JSON.parse(text ?? decoder.decode(data));
  } catch {
    return "invalid";
  }
}
