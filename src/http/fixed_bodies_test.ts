import { strictEqual } from "node:assert/strict";
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
