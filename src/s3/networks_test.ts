import { strictEqual } from "node:assert/strict";
import { isIP } from "node:net";
import { isInNetwork, parseIpAddress, parseNetwork } from "./networks.ts";

const ADDRESSES = [
  ...["192.0.2.1", "0.0.0.0", "255.255.255.255", "256.0.0.1", "192.0.2", "192.0.2.1.5", "01.2.3.4"],
  ...["::", "::1", "1::", "2001:db8::7", "2001:DB8::7", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7"],
  ...["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", ":::", ":", "1:"],
  ...[":1", "12345::", "g::", "::192.0.2.1", "::ffff:192.0.2.1", "1:2:3:4:5:6:192.0.2.1"],
  ...["1:2:3:4:5:6:7:192.0.2.1", "192.0.2.1::", "1.2.3.4:5::", "", "a", "192.0.2.1 ", "1.2.3.-4"],
];

Deno.test("parseIpAddress() accepts the addresses that the runtime accepts", () => {
  for (const text of ADDRESSES) {
    strictEqual(parseIpAddress(text) !== undefined, isIP(text) !== 0, text);
  }
});

const ROWS: readonly (readonly [network: string, address: string, isIn: boolean | undefined])[] = [
  ["203.0.113.0/24", "203.0.113.255", true],
  ["203.0.113.0/24", "203.0.114.0", false],
  ["203.0.113.9/24", "203.0.113.1", true],
  ["203.0.113.7", "203.0.113.7", true],
  ["203.0.113.7", "203.0.113.6", false],
  ["203.0.113.8/29", "203.0.113.15", true],
  ["203.0.113.8/29", "203.0.113.16", false],
  ["128.0.0.0/1", "200.1.1.1", true],
  ["128.0.0.0/1", "127.1.1.1", false],
  ["0.0.0.0/0", "8.8.8.8", true],
  ["0.0.0.0/0", "::ffff:8.8.8.8", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["::/0", "2001:db8::1", true],
  ["::/0", "8.8.8.8", false],
  ["::ffff:10.0.0.0/104", "10.1.1.1", true],
  ["::ffff:10.0.0.0/104", "11.1.1.1", false],
  ["::ffff:10.0.0.0/95", "10.1.1.1", undefined],
  ["2001:db8::/33", "2001:db8:7fff::1", true],
  ["2001:db8::/33", "2001:db8:8000::1", false],
  ["2001:db8::1/128", "2001:db8:0::1", true],
  ["203.0.113.0/33", "203.0.113.0", undefined],
  ["203.0.113.0/", "203.0.113.0", undefined],
  ["203.0.113.0/-1", "203.0.113.0", undefined],
  ["203.0.113.0/8/8", "203.0.113.0", undefined],
  ["2001:db8::/129", "2001:db8::1", undefined],
  ["203.0.113.*", "203.0.113.0", undefined],
];

for (const [text, value, isIn] of ROWS) {
  Deno.test(`parseNetwork(): ${value} in ${text}: ${isIn ?? "no network"}`, () => {
    const network = parseNetwork(text);
    const address = parseIpAddress(value) ?? [];
    strictEqual(network && isInNetwork(address, network), isIn);
  });
}
