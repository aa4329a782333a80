import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { ByteSource } from "../../streams/byte_source.ts";
import { markSole } from "../../streams/release.ts";
import { Cutter } from "./cutter.ts";

const KIB = 1024;

function sourceOfPieces(pieces: Uint8Array[]): ByteSource {
  return { read: () => Promise.resolve(pieces.shift()), cancel: () => Promise.resolve() };
}

/** A piece in a buffer that holds a whole message, as the connection delivers it. */
function messagePiece(size: number): Uint8Array {
  const frame = new Uint8Array(size + 100);
  markSole(frame.buffer);
  return frame.subarray(98, 98 + size).fill(7);
}

Deno.test("Cutter frees a piece after the last of its chunks, in whatever order they are released", async () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0]]) {
    const piece = messagePiece(300 * KIB);
    const cutter = new Cutter(sourceOfPieces([piece]), 100 * KIB, undefined);
    const chunks: Uint8Array[] = [];
    for (let chunk = await cutter.next(); chunk !== undefined; chunk = await cutter.next()) {
      chunks.push(chunk);
    }
    for (const [i, which] of order.entries()) {
      deepStrictEqual(chunks.map(({ length }) => length), [100, 100, 100].map((n) => n * KIB));
      cutter.release(chunks[which] ?? new Uint8Array());
      strictEqual(piece.length, i < 2 ? 300 * KIB : 0);
    }
  }
});

Deno.test("Cutter keeps a piece until it is cut to its end", async () => {
  const [first, second] = [messagePiece(250 * KIB), messagePiece(250 * KIB)];
  const cutter = new Cutter(sourceOfPieces([first, second]), 100 * KIB, undefined);
  const take = async (): Promise<void> => {
    const chunk = await cutter.next();
    strictEqual(chunk?.length, 100 * KIB);
    strictEqual(chunk.every((byte) => byte === 7), true);
    cutter.release(chunk);
  };
  await take();
  await take();
  strictEqual(first.length, 250 * KIB); // its end is a part of the next chunk
  await take();
  strictEqual(first.length, 0);
  await take();
  await take();
  strictEqual(await cutter.next(), undefined);
  strictEqual(second.length, 0);
});

Deno.test("Cutter gives a piece away that is one chunk, and refuses chunks without bytes", async () => {
  const piece = messagePiece(100 * KIB);
  const cutter = new Cutter(sourceOfPieces([piece, messagePiece(10)]), 100 * KIB, undefined);
  const chunk = await cutter.next();
  strictEqual((await cutter.next())?.length, 10);
  strictEqual(chunk?.length, 100 * KIB);
  cutter.release(chunk);
  strictEqual(piece.length, 0);
  throws(() => new Cutter(sourceOfPieces([]), 0, undefined), RangeError);
});
