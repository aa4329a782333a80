import { strictEqual } from "node:assert/strict";
import { crc32 } from "node:zlib";
import { CRC32, joinCrcs } from "./crc.ts";

Deno.test("joinCrcs() returns the CRC of the whole for pieces of any size", () => {
  const text = "The quick brown fox jumps over the lazy dog";
  for (const cuts of [[], [0], [1], [20, 20], [5, 9, 33], [43]]) {
    const ends = [...cuts, text.length];
    const pieces = ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end));
    const joined = joinCrcs(
      CRC32,
      pieces.map((piece) => ({ crc: BigInt(crc32(piece)), size: piece.length })),
    );
    strictEqual(joined, BigInt(crc32(text)));
  }
});
