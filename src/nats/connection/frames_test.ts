import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { WORTH_RELEASING } from "../../streams/release.ts";
import { FrameReader, joinSmall } from "./frames.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Reads the pieces one after the other and returns the frames, of which adjacent small ones are one text. */
async function framesOf(
  pieces: readonly string[],
): Promise<{ frames: string[]; failure?: string }> {
  let failure: string | undefined;
  const left = pieces.map((piece) => encoder.encode(piece));
  const reader = new FrameReader((into) => {
    const piece = left.shift();
    if (piece === undefined) return Promise.resolve(undefined);
    const count = Math.min(piece.length, into.length);
    into.set(piece.subarray(0, count));
    if (count < piece.length) left.unshift(piece.subarray(count));
    return Promise.resolve(count);
  }, (cause) => void (failure = cause.message));
  const frames: string[] = [];
  while (await reader.fill()) {
    const { small, large } = reader.next();
    if (small !== undefined) frames.push(decoder.decode(small));
    if (large === undefined) continue;
    const frame = await reader.readLarge(large);
    if (frame === undefined) break;
    strictEqual(frame.length, frame.buffer.byteLength);
    frames.push(decoder.decode(frame));
  }
  return failure === undefined ? { frames } : { frames, failure };
}

Deno.test("FrameReader cuts small frames and gives each large one a buffer of its own", async () => {
  const large = `MSG a 1 ${WORTH_RELEASING}\r\n${"x".repeat(WORTH_RELEASING)}\r\n`;
  const headers = `HMSG a 1 12 ${WORTH_RELEASING}\r\n${"y".repeat(WORTH_RELEASING)}\r\n`;
  const cases: readonly (readonly [pieces: string[], frames: string[]])[] = [
    [["PING\r\n", "PONG\r\n"], ["PING\r\n", "PONG\r\n"]],
    [["PI", "NG\r\nMSG a 1 3\r\nab", "c\r\n+OK\r\n"], ["PING\r\n", "MSG a 1 3\r\nabc\r\n+OK\r\n"]],
    [["PING\r\n", large.slice(0, 100), large.slice(100) + "PING\r\n"], [
      "PING\r\n",
      large,
      "PING\r\n",
    ]],
    [[headers.slice(0, 50), headers.slice(50)], [headers]],
    [["PING\r\nMSG a 1 3\r\nab"], ["PING\r\n"]],
  ];
  for (const [pieces, frames] of cases) deepStrictEqual(await framesOf(pieces), { frames });
});

Deno.test("FrameReader gives up on a line without end", async () => {
  const { frames, failure } = await framesOf(["x".repeat(2 * 1024 * 1024)]);
  deepStrictEqual(frames, []);
  strictEqual(failure, "The server sent a protocol line without end");
});

Deno.test("joinSmall() joins neighbours and leaves large frames alone", () => {
  const large = new Uint8Array(WORTH_RELEASING);
  const [a, b, c] = ["a", "b", "c"].map((text) => encoder.encode(text)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  deepStrictEqual(joinSmall([a, b, large, c]), [encoder.encode("ab"), large, c]);
  strictEqual(joinSmall([large])[0], large);
  strictEqual(joinSmall([c, large])[0], c);
});
