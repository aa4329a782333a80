import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { parseAck, stampOf } from "./messages.ts";

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
