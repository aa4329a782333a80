import { deepStrictEqual } from "node:assert/strict";
import { parseAck } from "./messages.ts";

Deno.test("parseAck() reads reply subjects with and without a domain", () => {
  const tokens = "EVENTS.c1.1.46.7.1764288000123456789.5";
  const expected = { sequence: 46, delivered: 7, time: 1764288000123, pending: 5 };
  for (
    const reply of [
      `$JS.ACK.${tokens}`,
      `$JS.ACK.hub.ACCOUNT.${tokens}.Xk29`,
      `$JS.ACK._.ACCOUNT.${tokens}.Xk29`,
    ]
  ) deepStrictEqual(parseAck(reply), expected, reply);
});
