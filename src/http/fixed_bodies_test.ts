import { ok, strictEqual } from "node:assert/strict";
import { MAX_FIXED } from "../streams/in_pieces.ts";
import { FixedBodies } from "./fixed_bodies.ts";

const MIB = 1024 * 1024;

/** Takes bodies of the largest size until one is refused; returns the bytes that were taken. */
function takeAll(bodies: FixedBodies, client: string, now: number): number {
  let bytes = 0;
  while (bodies.take(client, MAX_FIXED, now)) bytes += MAX_FIXED;
  return bytes;
}

Deno.test("FixedBodies gives each client its budget, again after twice the time", () => {
  const bodies = new FixedBodies(1000);
  strictEqual(bodies.take("a", MAX_FIXED + 1, 5000), false);
  strictEqual(takeAll(bodies, "a", 5000), 32 * MIB);
  strictEqual(takeAll(bodies, "b", 5500), 32 * MIB);
  strictEqual(takeAll(bodies, "a", 5999), 0);
  strictEqual(takeAll(bodies, "a", 6500), 0);
  strictEqual(takeAll(bodies, "a", 7600), 32 * MIB);
  strictEqual(takeAll(bodies, "a", 20_000), 32 * MIB);
});

Deno.test("FixedBodies bounds what all clients have together", () => {
  const bodies = new FixedBodies(1000);
  let bytes = 0;
  for (let i = 0; i < 20; i++) bytes += takeAll(bodies, `client ${i}`, 5000);
  strictEqual(bytes, 256 * MIB);
});

Deno.test("FixedBodies counts what a connection can hold, however often it is used", () => {
  const bodies = new FixedBodies(1000);
  // A client that asks again and again on some connections, for twenty times the window.
  for (let i = 0; i < 100_000; i++) {
    ok(bodies.take("a", 4096, 5000 + i / 5, `10.0.0.1:${i % 32}`), `body ${i}`);
  }
  // Those connections still count: 32 of them with 200 bodies each.
  strictEqual(takeAll(bodies, "a", 25_000), 32 * MIB - 32 * 200 * 4096);
});

Deno.test("FixedBodies bounds what a client has on many connections", () => {
  const bodies = new FixedBodies(1000);
  let taken = 0;
  for (let i = 0; i < 100; i++) {
    for (let j = 0; j < 200; j++) {
      if (bodies.take("a", MAX_FIXED, 5000, `10.0.0.1:${i}`)) taken++;
    }
  }
  strictEqual(taken * MAX_FIXED, 32 * MIB);
  // A body that is larger than those before it makes the connection count for more.
  const others = new FixedBodies(1000);
  for (let i = 0; i < 300; i++) ok(others.take("a", 1, 5000, "10.0.0.1:1"));
  for (let i = 0; i < 300; i++) ok(others.take("a", MAX_FIXED, 5000, "10.0.0.1:1"));
  strictEqual(takeAll(others, "a", 5000), 32 * MIB - 200 * MAX_FIXED);
});

Deno.test("FixedBodies follows a bounded number of connections", () => {
  const bodies = new FixedBodies(1000);
  for (let i = 0; i < 16_384; i++) ok(bodies.take("a", 1, 5000, `10.0.0.1:${i}`));
  for (let i = 0; i < 1000; i++) ok(bodies.take("b", MAX_FIXED, 5000, "10.0.0.2:1"));
  strictEqual(takeAll(bodies, "b", 5000), 32 * MIB - 1000 * MAX_FIXED, "they count in full");
});
