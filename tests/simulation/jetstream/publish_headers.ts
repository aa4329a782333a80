/**
 * Values of the headers of a publish, as nats-server reads them.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-43.md (lifetimes)
 * @module
 */

import { parseDuration } from "./stored_time.ts";
import { headerOf } from "./wire.ts";

/** Reads a sequence as nats-server does. */
export function numberOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : -1;
}

/** Returns the seconds for which a message lives, 0 for ever, -1 if it says so; undefined if the header makes no sense. */
export function ttlOf(headers: string): number | undefined {
  const text = headerOf(headers, "Nats-TTL");
  if (text === "") return 0;
  if (text.toLowerCase() === "never") return -1;
  if (/^\d+$/.test(text)) return Number(text) === 0 ? undefined : Number(text);
  const duration = parseDuration(text);
  if (duration === undefined || duration < 1e9) return undefined;
  return Math.floor(duration / 1e9);
}
