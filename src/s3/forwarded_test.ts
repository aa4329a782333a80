import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { parseNetwork, TrustedProxies } from "./forwarded.ts";

const PROXIES = new TrustedProxies(["10.0.0.0/8", "192.0.2.10", "2001:db8::/32", "::1"]);
const PEER = "10.0.0.1";

function addressOf(list: string, peer: string | undefined = PEER): string | undefined {
  return PROXIES.originOf(peer, new Headers({ "x-forwarded-for": list })).address;
}

Deno.test("originOf() ignores the headers of an untrusted peer", () => {
  const headers = new Headers({
    "x-forwarded-for": "198.51.100.7",
    "x-forwarded-host": "photos.s3.test",
    "x-forwarded-proto": "https",
  });
  for (const peer of ["192.0.2.1", "11.0.0.1", "::2", "2001:db9::1", undefined, "garbage"]) {
    const { address, host, scheme } = PROXIES.originOf(peer, headers);
    deepStrictEqual([host, scheme], [undefined, undefined], peer);
    strictEqual(address, peer === "garbage" ? undefined : peer);
  }
  strictEqual(new TrustedProxies([]).originOf(PEER, headers).host, undefined);
});

Deno.test("originOf() finds the last hop that is not a proxy", () => {
  for (
    const [list, address] of [
      ["198.51.100.7", "198.51.100.7"],
      ["198.51.100.7,10.9.9.9", "198.51.100.7"],
      [" 198.51.100.7\t, 10.9.9.9 ,192.0.2.10", "198.51.100.7"],
      ["2001:db9::7", "2001:db9::7"],
      ["2001:db9::7, 2001:db8::1", "2001:db9::7"],
      // Only proxies: the farthest of them is the client.
      ["10.7.7.7, 10.9.9.9", "10.7.7.7"],
      ["", PEER],
      // A client's items come before those that proxies add.
      ["203.0.113.66, 198.51.100.7", "198.51.100.7"],
      ["10.0.0.1, 198.51.100.7", "198.51.100.7"],
      ["127.0.0.1, 10.0.0.1, 198.51.100.7, 10.9.9.9", "198.51.100.7"],
    ] as const
  ) strictEqual(addressOf(list), address, list);
});

Deno.test("originOf() reads ports, brackets, and IPv4 within IPv6", () => {
  for (
    const [list, address] of [
      ["198.51.100.7:4711", "198.51.100.7"],
      ["[2001:db9::7]", "2001:db9::7"],
      ["[2001:db9::7]:443", "2001:db9::7"],
      ["198.51.100.7, [2001:db8::1]:443", "198.51.100.7"],
      ["::ffff:198.51.100.7", "198.51.100.7"],
      ["198.51.100.7, ::ffff:10.1.1.1", "198.51.100.7"],
      ["198.51.100.7, ::FFFF:0a01:0101", "198.51.100.7"],
    ] as const
  ) strictEqual(addressOf(list), address, list);
  strictEqual(addressOf("198.51.100.7", "::ffff:10.0.0.1"), "198.51.100.7");
  strictEqual(addressOf("198.51.100.7", "0:0:0:0:0:0:0:1"), "198.51.100.7");
});

Deno.test("originOf() stops at an item that is not an address", () => {
  for (
    const garbage of [
      "unknown",
      "_hidden",
      "localhost",
      "198.51.100",
      "198.51.100.256",
      "0198.51.100.7",
      "198.51.100.7:",
      "198.51.100.7:999999",
      "2001:db9::7:443:x",
      "[198.51.100.7",
      "[]",
      "[]:80",
      "fe80::1%eth0",
      "[fe80::1%25eth0]:80",
      "198.51.100.7 10.0.0.1",
      "<script>",
      "for=198.51.100.7",
      "\u00e9",
      "",
      ",",
      ",,,",
    ]
  ) {
    strictEqual(addressOf(garbage), PEER, garbage);
    strictEqual(addressOf(`203.0.113.66, ${garbage}, 10.9.9.9`), "10.9.9.9", garbage);
    strictEqual(addressOf(`${garbage}, 198.51.100.7`), "198.51.100.7", garbage);
  }
});

Deno.test("originOf() reads no more of a list than there can be proxies", () => {
  strictEqual(addressOf(`198.51.100.7${", 10.9.9.9".repeat(31)}`), "198.51.100.7");
  strictEqual(addressOf(`198.51.100.7${", 10.9.9.9".repeat(40)}`), "10.9.9.9");
  const began = performance.now();
  strictEqual(addressOf(`${"10.9.9.9,".repeat(100_000)}10.9.9.9`), "10.9.9.9");
  strictEqual(addressOf("1".repeat(1_000_000)), PEER);
  strictEqual(addressOf(",".repeat(1_000_000)), PEER);
  ok(performance.now() - began < 1000);
});

Deno.test("originOf() takes host and scheme from the farthest trusted proxy", () => {
  for (
    const [list, hosts, host] of [
      [undefined, "s3.test", "s3.test"],
      ["198.51.100.7", "photos.s3.test:8443", "photos.s3.test:8443"],
      // The client sent a value, and a proxy appended its own.
      ["198.51.100.7", "evil.test, s3.test", "s3.test"],
      // Two proxies that append to the list, and two that replace it.
      ["198.51.100.7, 10.9.9.9", "evil.test, s3.test, inner.test", "s3.test"],
      ["198.51.100.7, 10.9.9.9", "s3.test", "s3.test"],
      ["garbage", "s3.test", "s3.test"],
      ["198.51.100.7", "", undefined],
      ["198.51.100.7", "s3.test,", undefined],
    ] as const
  ) {
    const headers = new Headers({ "x-forwarded-host": hosts, "x-forwarded-proto": "HTTPS" });
    if (list !== undefined) headers.set("x-forwarded-for", list);
    const origin = PROXIES.originOf(PEER, headers);
    strictEqual(origin.host, host, hosts);
    strictEqual(origin.scheme, "https");
  }
  for (const proto of ["ftp", "https2", "", "https,", "https http"]) {
    const headers = new Headers({ "x-forwarded-proto": proto });
    strictEqual(PROXIES.originOf(PEER, headers).scheme, undefined, proto);
  }
});

Deno.test("TrustedProxies accepts any address of a network to name it", () => {
  const proxies = new TrustedProxies(["10.1.2.3/8", "2001:db8::5/32"]);
  ok(proxies.has("10.200.0.1") && proxies.has("2001:db8:ffff::1"));
  ok(!proxies.has("11.0.0.1") && !proxies.has("2001:db9::1"));
  ok(!proxies.has("") && !proxies.has("10.1") && !proxies.has("a host"));
  const mapped = new TrustedProxies(["::ffff:10.0.0.0/104"]);
  ok(mapped.has("10.1.1.1") && mapped.has("::ffff:10.1.1.1") && !mapped.has("11.0.0.1"));
});

Deno.test("parseNetwork() accepts only addresses and networks of both families", () => {
  for (const text of ["10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "::1", "fd00::/8", "::/128"]) {
    strictEqual(parseNetwork(text), text);
  }
  for (
    const text of [
      "",
      "proxy.test",
      "10.0.0.0/33",
      "::/129",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "10.0.0/8",
      "10.0.0.0/-1",
      "fe80::1%eth0",
      "[::1]",
      "10.0.0.1:80",
    ]
  ) throws(() => parseNetwork(text), { name: "RangeError", message: /neither an IP address nor/ });
});
