import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { createCRC64 } from "hash-wasm";
import { DigestPool } from "./digest_pool.ts";

function expected(bytes: Uint8Array): { md5: string; sha256: string } {
  const hash = (name: string): string => createHash(name).update(bytes).digest("hex");
  return { md5: hash("md5"), sha256: hash("sha256") };
}

const MIB = 1024 * 1024;

Deno.test("DigestPool computes the same inline and in the worker for simultaneous bodies", async () => {
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

Deno.test("DigestPool computes CRC-64/NVME in a second worker, as the library does, for any lengths", async () => {
  using pool = new DigestPool();
  const body = Uint8Array.from({ length: 3 * MIB + 13 }, (_, i) => (i * 2654435761) >>> 13);
  const sizes = [0, 1, 7, 8, 9, 255, 4096, 300_001, body.length];
  await Promise.all(sizes.map(async (size) => {
    const digester = pool.create(undefined, true);
    strictEqual(digester.hasCrc64, true);
    const bytes = body.subarray(0, size);
    // Pieces of odd lengths.
    for (let at = 0; at < size; at += 100_003) {
      await digester.update(bytes.subarray(at, Math.min(at + 100_003, size)));
    }
    const hasher = await createCRC64("9a6c9329ac4bc9b5");
    const crc64 = hasher.init().update(bytes).digest();
    deepStrictEqual(await digester.digest(), { ...expected(bytes), crc64 });
  }));
  strictEqual(pool.create(10, true).hasCrc64, false);
});

Deno.test("DigestPool computes the digests of an empty body", async () => {
  using pool = new DigestPool();
  deepStrictEqual(await pool.create(undefined).digest(), expected(new Uint8Array()));
});

Deno.test("DigestPool accepts more bytes than its memory holds, from several bodies at once", async () => {
  using pool = new DigestPool();
  const bodies = [1, 2, 3].map((n) => new Uint8Array(9 * MIB + n).fill(n));
  const digests = await Promise.all(bodies.map(async (body) => {
    const digester = pool.create(undefined);
    await digester.update(body);
    return await digester.digest();
  }));
  deepStrictEqual(digests, bodies.map(expected));
});

Deno.test("DigestPool rejects unfinished digests when it ends", async () => {
  const pool = new DigestPool();
  const digester = pool.create(undefined);
  await digester.update(new Uint8Array(3 * MIB));
  const digest = digester.digest();
  pool[Symbol.dispose]();
  await rejects(async () => await digest, /stopping/);
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

/** Workers that were started meanwhile; null as a message makes the last one die. */
function watchWorkers(): Disposable & { readonly started: Worker[] } {
  const Original = globalThis.Worker;
  const started: Worker[] = [];
  globalThis.Worker = class extends Original {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      started.push(this);
    }
  };
  return {
    started,
    [Symbol.dispose]() {
      globalThis.Worker = Original;
    },
  };
}

Deno.test("DigestPool fails everything of a worker that died, and replaces it", async () => {
  using workers = watchWorkers();
  using pool = new DigestPool();
  const body = new Uint8Array(9 * MIB);
  const [first, second, third] = [1, 2, 3].map(() => pool.create(undefined));
  await first?.update(new Uint8Array(5));
  await first?.digest(); // the worker works
  workers.started[0]?.postMessage(null);
  // One waits for its digests, the other for memory.
  await Promise.all([
    rejects(async () => await second?.digest(), /worker failed/),
    rejects(async () => await third?.update(body), /worker failed/),
  ]);
  await rejects(async () => await third?.update(body), /worker failed/);
  await rejects(async () => await third?.digest(), /worker failed/);
  third?.drop();

  const digester = pool.create(undefined);
  await digester.update(body);
  deepStrictEqual(await digester.digest(), expected(body));
  strictEqual(workers.started.length, 2);
});

Deno.test("DigestPool computes inline where workers die before they have done anything", async () => {
  using workers = watchWorkers();
  using pool = new DigestPool();
  const digester = pool.create(undefined);
  workers.started[0]?.postMessage(null);
  await rejects(async () => await digester.digest(), /worker failed/);
  const next = pool.create(undefined);
  await next.update(new Uint8Array(5));
  deepStrictEqual(await next.digest(), expected(new Uint8Array(5)));
  strictEqual(workers.started.length, 1);
});
