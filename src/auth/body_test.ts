import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  EXAMPLE,
  frame,
  keyOf,
  s3Request,
  SCOPE,
  streamOf,
  TIMESTAMP,
} from "../../tests/vectors/client.ts";
import { type ErrorCode, isS3Error } from "../s3/errors.ts";
import type { Payload } from "../s3/payload.ts";
import { readWhole } from "../streams/byte_source.ts";
import { createPayload } from "./body.ts";
import type { ChunkSigning } from "./sigv4.ts";

const SIGNING: ChunkSigning = {
  key: keyOf(SCOPE, EXAMPLE.secretAccessKey),
  timestamp: TIMESTAMP,
  scope: SCOPE,
  seed: "0".repeat(64),
};
const HELLO = new Uint8Array(Buffer.from("hello"));
const HASH = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

function payloadOf(
  body: ReadableStream<Uint8Array> | null,
  headers: Record<string, string>,
  contentSha256 = "UNSIGNED-PAYLOAD",
): Payload {
  const request = s3Request({ method: "PUT", body, headers });
  return createPayload(request.headers, request.body, contentSha256, SIGNING);
}

async function textOf({ source }: Payload): Promise<string> {
  return Buffer.from(await readWhole(source, 100) ?? []).toString();
}

Deno.test("createPayload() passes on a plain body with its size and hash", async () => {
  const payload = payloadOf(streamOf(HELLO), { "content-length": "5" }, HASH.toUpperCase());
  strictEqual(payload.size, 5);
  strictEqual(payload.sha256, HASH);
  strictEqual(await textOf(payload), "hello");
  strictEqual(payload.trailers.size, 0);
});

Deno.test("createPayload() knows no size without a length, unless there is no body", async () => {
  const chunked = payloadOf(streamOf(HELLO), { "transfer-encoding": "chunked" });
  strictEqual(chunked.size, undefined);
  strictEqual(chunked.sha256, undefined);
  strictEqual(await textOf(chunked), "hello");
  const none = payloadOf(null, {});
  strictEqual(none.size, 0);
  strictEqual(await textOf(none), "");
});

Deno.test("createPayload() refuses a plain body of another length than stated", async () => {
  for (const length of ["4", "6"]) {
    const payload = payloadOf(streamOf(HELLO), { "content-length": length });
    await rejects(textOf(payload), (error) => isS3Error(error, "IncompleteBody"));
  }
  const payload = payloadOf(null, { "content-length": "1" });
  await rejects(textOf(payload), (error) => isS3Error(error, "IncompleteBody"));
});

Deno.test("createPayload() reports IncompleteBody for a body that breaks off", async () => {
  const lost = new Error("Cannot read request body");
  const broken = new ReadableStream<Uint8Array>({
    pull(controller): void {
      controller.error(lost);
    },
  });
  await rejects(
    textOf(payloadOf(broken, { "content-length": "5" })),
    (error) => isS3Error(error, "IncompleteBody") && error.cause === lost,
  );
  strictEqual(broken.locked, false);
});

Deno.test("createPayload() removes the framing", async () => {
  const trailers = { "x-amz-checksum-crc32": "NhCmhg==" };
  const { seed } = SIGNING;
  const lengths = { "x-amz-decoded-content-length": "5" };
  const announced = { "x-amz-trailer": "X-Amz-Checksum-CRC32" };
  const chunked = { "content-encoding": "gzip, aws-chunked" };
  const cases: [form: string, wire: Uint8Array, headers: Record<string, string>][] = [
    ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", frame(["hell", "o"], { seed }), {}],
    [
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
      frame(["hell", "o"], { seed, trailers }),
      announced,
    ],
    ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", frame(["hell", "o"], { trailers }), announced],
    ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", frame(["hell", "o"]), {}],
    ["UNSIGNED-PAYLOAD", frame(["hell", "o"], { trailers }), { ...chunked, ...announced }],
  ];
  for (const [form, wire, headers] of cases) {
    const payload = payloadOf(streamOf(wire), {
      "content-length": String(wire.length),
      ...lengths,
      ...headers,
    }, form);
    strictEqual(payload.size, 5);
    strictEqual(payload.sha256, undefined);
    strictEqual(await textOf(payload), "hello");
    deepStrictEqual(
      Object.fromEntries(payload.trailers),
      "x-amz-trailer" in headers ? trailers : {},
    );
  }
});

Deno.test("createPayload() refuses invalid headers", () => {
  const cases: [headers: Record<string, string>, form: string, code: ErrorCode][] = [
    [{}, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "MissingContentLength"],
    [{ "content-length": "5" }, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "MissingContentLength"],
    [{ "content-length": "-5" }, "UNSIGNED-PAYLOAD", "InvalidArgument"],
    [{ "content-length": "5, 5" }, "UNSIGNED-PAYLOAD", "InvalidArgument"],
    [{ "content-length": "" }, "UNSIGNED-PAYLOAD", "InvalidArgument"],
    [{ "content-length": "9".repeat(20) }, "UNSIGNED-PAYLOAD", "InvalidArgument"],
    ...["5e3", "abc", "-5", "", "5, 5"].map((
      length,
    ): [Record<string, string>, string, ErrorCode] => [
      { "x-amz-decoded-content-length": length },
      "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "MissingContentLength",
    ]),
    [{ "x-amz-trailer": "x-amz-checksum-crc32" }, "UNSIGNED-PAYLOAD", "MalformedTrailerError"],
    [
      { "x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": "5" },
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "MalformedTrailerError",
    ],
    [{}, "", "InvalidArgument"],
    [{}, "constructor", "InvalidArgument"],
    [{}, "unsigned-payload", "InvalidArgument"],
    [{}, HASH.slice(1), "InvalidArgument"],
    [{}, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "InvalidArgument"],
  ];
  for (const [headers, form, code] of cases) {
    throws(() => payloadOf(null, headers, form), (error) => isS3Error(error, code), form);
  }
});

Deno.test("createPayload() reads nothing before its source is read", async () => {
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller): void {
      pulls += 1;
      controller.enqueue(HELLO);
    },
  }, { highWaterMark: 0 });
  const payload = payloadOf(body, { "content-length": "10" });
  await new Promise((resolve) => setTimeout(resolve, 5));
  strictEqual(pulls, 0);
  await payload.source.read();
  await new Promise((resolve) => setTimeout(resolve, 5));
  strictEqual(pulls, 1);
  await payload.source.cancel();
});

Deno.test("createPayload() cancels the body with its stream, even while a read is under way", async () => {
  for (const isReading of [false, true]) {
    const reasons: unknown[] = [];
    const body = new ReadableStream<Uint8Array>({
      pull: () => new Promise(() => {}),
      cancel: (reason) => void reasons.push(reason),
    });
    const { source } = payloadOf(body, { "content-length": "5" });
    const reading = isReading ? source.read() : undefined;
    await new Promise((resolve) => setTimeout(resolve, 1));
    await source.cancel("gone");
    strictEqual(await reading, undefined);
    deepStrictEqual(reasons, ["gone"]);
    strictEqual(body.locked, false);
  }
});

Deno.test("createPayload() cancels a body that fails its checks", async () => {
  const reasons: unknown[] = [];
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(HELLO),
    cancel: (reason) => void reasons.push(reason),
  });
  const payload = payloadOf(
    body,
    { "x-amz-decoded-content-length": "5" },
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  );
  await rejects(textOf(payload), (error) => isS3Error(error, "InvalidRequest"));
  strictEqual(isS3Error(reasons[0], "InvalidRequest"), true);
  strictEqual(body.locked, false);
});
