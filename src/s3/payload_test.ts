import { rejects, strictEqual } from "node:assert/strict";
import { isS3Error } from "./errors.ts";
import { type Payload, readPayload } from "./payload.ts";

const HELLO_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

function payloadOf(
  pieces: readonly string[],
  rest: Partial<Payload> = {},
  cancelled: () => void = () => {},
): Payload {
  const queue = pieces.map((piece) => new TextEncoder().encode(piece));
  const stream = new ReadableStream<Uint8Array>({
    pull(controller): void {
      const piece = queue.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel: cancelled,
  }, { highWaterMark: 0 });
  return { stream, size: undefined, sha256: undefined, trailers: new Map(), ...rest };
}

Deno.test("readPayload() reads a document whole, and gives its MD5", async () => {
  for (const rest of [{}, { size: 5 }, { sha256: HELLO_SHA256 }]) {
    const { bytes, md5 } = await readPayload(payloadOf(["hel", "lo"], rest), 5);
    strictEqual(new TextDecoder().decode(bytes), "hello");
    strictEqual(md5(), "XUFAKrxLKna5cZ2REBfFkg==");
  }
});

Deno.test("readPayload() refuses more than the limit, and cancels the stream", async () => {
  for (const rest of [{}, { size: 5 }]) {
    let cancelled = 0;
    const payload = payloadOf(["hel", "lo"], rest, () => cancelled += 1);
    await rejects(
      readPayload(payload, 4),
      (error) =>
        isS3Error(error, "MaxMessageLengthExceeded") && error.fields["MaxMessageLengthBytes"] === 4,
    );
    strictEqual(cancelled, 1);
  }
});

Deno.test("readPayload() refuses another hash", async () => {
  await rejects(
    readPayload(payloadOf(["hello!"], { sha256: HELLO_SHA256 }), 100),
    (error) =>
      isS3Error(error, "XAmzContentSHA256Mismatch") &&
      error.fields["ClientComputedContentSHA256"] === HELLO_SHA256,
  );
});
