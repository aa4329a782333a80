import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { ByteReader } from "./byte_reader.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const text = (piece: Uint8Array | undefined): string | undefined =>
  piece && new TextDecoder().decode(piece);

/** Returns a stream of pieces. One of the type "bytes" can fill a reader's own buffers. */
function streamOf(
  type: "bytes" | undefined,
  pieces: readonly string[],
  cancelled?: (reason: unknown) => void,
): ReadableStream<Uint8Array> {
  const queue = [...pieces];
  const pull = (
    controller: ReadableByteStreamController | ReadableStreamDefaultController,
  ): void => {
    const piece = queue.shift();
    if (piece !== undefined) return controller.enqueue(bytes(piece));
    controller.close();
    if ("byobRequest" in controller) controller.byobRequest?.respond(0);
  };
  const cancel = cancelled ?? ((): void => {});
  return type === "bytes"
    ? new ReadableStream({ type, pull, cancel })
    : new ReadableStream<Uint8Array>({ pull, cancel });
}

for (const type of ["bytes", undefined] as const) {
  const name = type === "bytes" ? "a byte stream" : "any stream";

  Deno.test(`ByteReader reads bounded pieces of ${name}`, async () => {
    const stream = streamOf(type, ["abcdef", "gh"]);
    const reader = new ByteReader(stream);
    strictEqual(text(await reader.read(2)), "ab");
    strictEqual(text(await reader.read(100)), "cdef");
    strictEqual(text(await reader.read(100)), "gh");
    strictEqual(await reader.read(100), undefined);
    strictEqual(await reader.read(100), undefined);
    await reader.cancel();
    strictEqual(stream.locked, true); // releasing it would cost more than reading it
  });

  Deno.test(`ByteReader reads lines across pieces of ${name}`, async () => {
    const reader = new ByteReader(streamOf(type, ["a\r", "\nbc\nlong", " line\nrest"]));
    const lines = [];
    for (let i = 0; i < 6; i++) lines.push(await reader.readLine(6));
    deepStrictEqual(lines, ["a\r\n", "bc\n", "long l", "ine\n", "rest", ""]);
  });

  Deno.test(`ByteReader returns separate pieces of ${name}`, async () => {
    const reader = new ByteReader(streamOf(type, ["abc", "def"]), 6);
    const first = await reader.read(10);
    const second = await reader.read(10);
    strictEqual(text(first), "abc");
    strictEqual(text(second), "def");
  });

  Deno.test(`ByteReader cancels ${name}, before and after reading`, async () => {
    for (const reads of [0, 1]) {
      const reasons: unknown[] = [];
      const stream = streamOf(type, ["a", "b"], (reason) => reasons.push(reason));
      const reader = new ByteReader(stream);
      for (let i = 0; i < reads; i++) await reader.read(1);
      await reader.cancel("enough");
      await reader.cancel("again");
      deepStrictEqual(reasons, ["enough"]);
      strictEqual(stream.locked, false);
      strictEqual(await reader.read(1), undefined);
    }
  });

  Deno.test(`ByteReader ends a pending read when ${name} is cancelled`, async () => {
    const never = new ReadableStream<Uint8Array>(
      { type, pull: () => new Promise(() => {}) } as never,
    );
    const reader = new ByteReader(never);
    const read = reader.read(1);
    await Promise.resolve();
    await reader.cancel();
    strictEqual(await read, undefined);
  });

  Deno.test(`ByteReader passes on the error of ${name}`, async () => {
    const pull = (): never => {
      throw new TypeError("gone");
    };
    const stream = new ReadableStream<Uint8Array>({ type, pull } as never);
    const reader = new ByteReader(stream);
    await rejects(reader.read(1), TypeError);
    strictEqual(stream.locked, false);
  });
}

Deno.test("ByteReader does not keep a large buffer for a few bytes", async () => {
  const reader = new ByteReader(streamOf("bytes", ["a"]));
  strictEqual((await reader.read(1))?.buffer.byteLength, 1);
});

Deno.test("ByteReader accepts null for an empty stream", async () => {
  const reader = new ByteReader(null);
  strictEqual(await reader.read(1), undefined);
  strictEqual(await reader.readLine(1), "");
  await reader.cancel();
});
