import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { DigestPool } from "./digests.ts";

function expected(bytes: Uint8Array): { md5: string; sha256: string } {
  const hash = (name: string): string => createHash(name).update(bytes).digest("hex");
  return { md5: hash("md5"), sha256: hash("sha256") };
}

const MIB = 1024 * 1024;

Deno.test("DigestPool computes the same inline and in the worker, for bodies side by side", async () => {
  using pool = new DigestPool();
  for (const size of [undefined, 10, 3 * MIB]) {
    const bodies = [1, 2, 3].map((n) => new Uint8Array(3 * MIB).fill(n));
    const digesters = bodies.map(() => pool.create(size));
    for (let from = 0; from < 3 * MIB; from += MIB) {
      for (const [i, body] of bodies.entries()) {
        await digesters[i]?.update(body.subarray(from, from + MIB));
      }
    }
    const digests = await Promise.all(digesters.map((digester) => digester.digest()));
    deepStrictEqual(digests, bodies.map(expected));
  }
});

Deno.test("DigestPool computes the digests of nothing", async () => {
  using pool = new DigestPool();
  deepStrictEqual(await pool.create(undefined).digest(), expected(new Uint8Array()));
});

Deno.test("DigestPool makes who feeds it faster than it hashes wait", async () => {
  using pool = new DigestPool();
  const digester = pool.create(undefined);
  let waits = 0;
  for (let i = 0; i < 64; i++) {
    const room = digester.update(new Uint8Array(MIB));
    if (room !== undefined) waits++;
    await room;
  }
  strictEqual((await digester.digest()).md5, expected(new Uint8Array(64 * MIB)).md5);
  strictEqual(waits > 0, true);
});

Deno.test("DigestPool goes on after a body is dropped", async () => {
  using pool = new DigestPool();
  const dropped = pool.create(undefined);
  await dropped.update(new Uint8Array(MIB));
  dropped.drop();
  const digester = pool.create(undefined);
  await digester.update(new Uint8Array(5));
  deepStrictEqual(await digester.digest(), expected(new Uint8Array(5)));
});
