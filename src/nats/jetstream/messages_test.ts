import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Msg } from "@nats-io/nats-core";
import { MsgImpl } from "@nats-io/nats-core/internal";
import { collectBatch, parseAck, stampOf } from "./messages.ts";

/** Returns a response of a server. */
function responseOf(status: string, headers: Readonly<Record<string, string | number>>): Msg {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = new TextEncoder().encode(`NATS/1.0${status}\r\n${lines.join("")}\r\n`);
  const parts = { subject: bytes, reply: bytes, size: bytes.length, hdr: bytes.length, sid: 1 };
  return new MsgImpl(parts as never, bytes, undefined as never) as unknown as Msg;
}

/** Collects a batch of which only some responses arrive, and returns the sequences and the number that were taken. */
function collected(sent: readonly number[], arrive: (sequence: number) => boolean) {
  let found: readonly number[] = [];
  const take = collectBatch("OBJ_a", "subject", (messages) => {
    found = messages.map(({ sequence }) => sequence);
  }, (cause) => {
    throw cause;
  });
  const responses = sent.map((sequence, i) => ({
    sequence,
    response: responseOf("", {
      "Nats-Stream": "OBJ_a",
      "Nats-Subject": "subject",
      "Nats-Sequence": sequence,
      "Nats-Time-Stamp": "2026-01-01T00:00:00Z",
      "Nats-Num-Pending": sent.length - i - 1,
      "Nats-Last-Sequence": sent[i - 1] ?? 0,
    }),
  }));
  let isOver = false;
  for (const { sequence, response } of responses) {
    if (!isOver && arrive(sequence)) isOver = take(response);
  }
  const end = { "Nats-Num-Pending": 0, "Nats-Last-Sequence": sent.at(-1) ?? 0 };
  if (!isOver) isOver = take(responseOf(" 204 EOB", end));
  strictEqual(isOver, true);
  return found;
}

Deno.test("collectBatch() returns the messages before one that was lost on its way", () => {
  deepStrictEqual(collected([3, 5, 9], () => true), [3, 5, 9]);
  deepStrictEqual(collected([3, 5, 9], (sequence) => sequence !== 5), [3]);
  deepStrictEqual(collected([3, 5, 9], (sequence) => sequence !== 3), []);
  deepStrictEqual(collected([3, 5, 9], (sequence) => sequence !== 9), [3, 5]);
  deepStrictEqual(collected([], () => true), []);
});

Deno.test("parseAck() reads reply subjects with and without a domain", () => {
  const tokens = "EVENTS.c1.1.46.7.1764288000123456789.5";
  const time = { time: 1764288000123, stamp: "1764288000123456789" };
  const expected = { sequence: 46, delivered: 7, ...time, pending: 5 };
  for (
    const reply of [
      `$JS.ACK.${tokens}`,
      `$JS.ACK.hub.ACCOUNT.${tokens}.Xk29`,
      `$JS.ACK._.ACCOUNT.${tokens}.Xk29`,
    ]
  ) deepStrictEqual(parseAck(reply), expected, reply);
});

Deno.test("stampOf() keeps every nanosecond", () => {
  strictEqual(stampOf("2025-11-28T00:00:00.123456789Z"), "1764288000123456789");
  strictEqual(stampOf("2025-11-28T00:00:00.1Z"), "1764288000100000000");
  strictEqual(stampOf("2025-11-28T00:00:00Z"), "1764288000000000000");
});
