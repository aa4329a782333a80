import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EXAMPLE, frame, keyOf, SCOPE, streamOf, TIMESTAMP } from "../../tests/vectors/client.ts";
import { type ErrorCode, isS3Error } from "../s3/errors.ts";
import { ByteReader } from "../streams/byte_reader.ts";
import { type AwsChunkedOptions, decodeAwsChunked } from "./aws_chunked.ts";
import type { ChunkSigning } from "./sigv4.ts";
import vectors from "../../tests/vectors/aws_chunked.json" with { type: "json" };

const SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

function signingFrom(seed: string): ChunkSigning {
  return { key: keyOf(SCOPE, EXAMPLE.secretAccessKey), timestamp: TIMESTAMP, scope: SCOPE, seed };
}

type Decoded = { text: string; trailers: Record<string, string> };

async function decode(
  pieces: readonly Uint8Array[],
  options: Partial<AwsChunkedOptions>,
): Promise<Decoded> {
  const trailers = new Map<string, string>();
  const source = new ByteReader(streamOf(...pieces));
  let text = "";
  const decoded = decodeAwsChunked(source, {
    decodedLength: 0,
    signing: undefined,
    announced: undefined,
    ...options,
  }, trailers);
  for await (const piece of decoded) text += Buffer.from(piece).toString("latin1");
  return { text, trailers: Object.fromEntries(trailers) };
}

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");

for (const { name, chunks, trailers, signature, headers } of vectors.uploads) {
  const wire = chunks.map(({ size, signature }) =>
    `${size.toString(16)};chunk-signature=${signature}\r\n` +
    (size === 0 ? "" : vectors.byte.repeat(size) + "\r\n")
  ).join("") + trailers.map((line) =>
    line + "\r\n"
  ).join("") + "\r\n";
  const options = {
    decodedLength: 66560,
    signing: signingFrom(signature),
    announced: "x-amz-trailer" in headers ? [headers["x-amz-trailer"]] : undefined,
  };

  Deno.test(`decodeAwsChunked() accepts AWS's example: ${name}`, async () => {
    if ("content-length" in headers) strictEqual(String(wire.length), headers["content-length"]);
    for (const size of [wire.length, 65536, 1000]) {
      const pieces = Array.from(
        { length: Math.ceil(wire.length / size) },
        (_, i) => ascii(wire.slice(i * size, (i + 1) * size)),
      );
      const decoded = await decode(pieces, options);
      strictEqual(decoded.text, "a".repeat(66560));
      deepStrictEqual(
        decoded.trailers,
        trailers.length > 0 ? { "x-amz-checksum-crc32c": "sOO8/Q==" } : {},
      );
    }
  });

  Deno.test(`decodeAwsChunked() refuses AWS's example with one byte changed: ${name}`, async () => {
    const places = [200, 65_700, ...chunks.map(({ signature }) => wire.indexOf(signature))];
    const trailer = wire.indexOf("sOO8/Q==");
    if (trailer >= 0) places.push(trailer, wire.indexOf("d81f82fc"));
    for (const place of places) {
      const changed = ascii(wire);
      changed[place] = changed[place] === 0x62 ? 0x63 : 0x62;
      await rejects(
        decode([changed], options),
        (error) => isS3Error(error, "SignatureDoesNotMatch"),
        `byte ${place}`,
      );
    }
  });
}

const TRAILERS = { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-meta-z": "1" };
const FORMS: [name: string, wire: Uint8Array, options: AwsChunkedOptions, expected: Decoded][] = [
  [
    "signed",
    frame(["hello", " ", "\r\n0\r\n"], { seed: SEED }),
    { decodedLength: 11, signing: signingFrom(SEED), announced: undefined },
    { text: "hello \r\n0\r\n", trailers: {} },
  ],
  [
    "signed with trailers",
    frame(["hello", "!"], { seed: SEED, trailers: TRAILERS }),
    { decodedLength: 6, signing: signingFrom(SEED), announced: Object.keys(TRAILERS) },
    { text: "hello!", trailers: TRAILERS },
  ],
  [
    "unsigned with a trailer",
    frame(["hello", "!"], { trailers: { "x-amz-checksum-crc32": "AAAAAA==" } }),
    { decodedLength: 6, signing: undefined, announced: ["x-amz-checksum-crc32"] },
    { text: "hello!", trailers: { "x-amz-checksum-crc32": "AAAAAA==" } },
  ],
  [
    "empty",
    frame([], { seed: SEED }),
    { decodedLength: 0, signing: signingFrom(SEED), announced: undefined },
    { text: "", trailers: {} },
  ],
];

for (const [name, wire, options, expected] of FORMS) {
  Deno.test(`decodeAwsChunked() accepts pieces split anywhere: ${name}`, async () => {
    for (let i = 0; i <= wire.length; i++) {
      deepStrictEqual(await decode([wire.subarray(0, i), wire.subarray(i)], options), expected);
    }
    const single = Array.from(wire, (byte) => Uint8Array.of(byte));
    deepStrictEqual(await decode(single, options), expected);
  });

  Deno.test(`decodeAwsChunked() refuses a body cut anywhere: ${name}`, async () => {
    for (let i = 0; i < wire.length; i++) {
      await rejects(
        decode([wire.subarray(0, i)], options),
        (error) => isS3Error(error, "IncompleteBody"),
        `after ${i} bytes`,
      );
    }
  });

  Deno.test(`decodeAwsChunked() refuses another length: ${name}`, async () => {
    for (const off of [-1, 1]) {
      const decodedLength = options.decodedLength + off;
      if (decodedLength < 0) continue;
      await rejects(
        decode([wire], { ...options, decodedLength }),
        (error) =>
          isS3Error(error, "IncompleteBody") &&
          error.fields.NumberBytesExpected === decodedLength &&
          error.fields.NumberBytesProvided === options.decodedLength,
      );
    }
  });

  if (options.signing === undefined) continue;
  Deno.test(`decodeAwsChunked() refuses a body with any byte changed: ${name}`, async () => {
    for (let i = 0; i < wire.length; i++) {
      const changed = wire.slice();
      changed[i] = (changed[i] ?? 0) ^ 1;
      await rejects(decode([changed], options), (error) => isS3Error(error), `byte ${i}`);
    }
  });

  Deno.test(`decodeAwsChunked() refuses a body signed after another request: ${name}`, async () => {
    await rejects(
      decode([wire], { ...options, signing: signingFrom(SEED.replace("4", "5")) }),
      (error) => isS3Error(error, "SignatureDoesNotMatch"),
    );
  });
}

Deno.test("decodeAwsChunked() passes the end of a chunk on only after verifying its signature", async () => {
  const wire = Buffer.from(frame(["good", "evil"], { seed: SEED })).toString("latin1");
  const source = new ByteReader(streamOf(ascii(wire.replace("evil", "EVIL"))));
  const options = { decodedLength: 8, signing: signingFrom(SEED), announced: undefined };
  const pieces = decodeAwsChunked(source, options, new Map());
  strictEqual(Buffer.from((await pieces.next()).value ?? []).toString(), "good");
  await rejects(pieces.next(), (error) => isS3Error(error, "SignatureDoesNotMatch"));
});

Deno.test("decodeAwsChunked() accepts the variations of clients", async () => {
  const announced = ["x-amz-checksum-crc32"];
  const expected = { text: "hello", trailers: { "x-amz-checksum-crc32": "AAAAAA==" } };
  const unsigned = { decodedLength: 5, signing: undefined, announced };
  const cases = [
    "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    "5\r\nhello\r\n0\r\nX-Amz-Checksum-CRC32: AAAAAA== \r\n\r\n",
    "00005\r\nhello\r\n000\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    "5;ext=1\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${" \t".repeat(8000)}AAAAAA==\t \r\n\r\n`,
    "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\n\r\n\r\n", // minio-go
  ];
  for (const wire of cases) deepStrictEqual(await decode([ascii(wire)], unsigned), expected, wire);

  const trailers = { "x-amz-checksum-crc32": "AAAAAA==" };
  const wire = Buffer.from(frame(["hello"], { seed: SEED, trailers })).toString("latin1");
  const minio = wire.replace("AAAAAA==\r\n", "AAAAAA==\n\r\n");
  deepStrictEqual(
    await decode([ascii(minio)], { ...unsigned, signing: signingFrom(SEED) }),
    expected,
  );
  const padded = wire.replace(/^5;/, "05;");
  deepStrictEqual(
    await decode([ascii(padded)], { ...unsigned, signing: signingFrom(SEED) }),
    expected,
  );
});

Deno.test("decodeAwsChunked() refuses malformed framing and trailers", async () => {
  const announced = ["x-amz-checksum-crc32"];
  const trailer = "x-amz-checksum-crc32:AAAAAA==\r\n";
  const signature = "0".repeat(64);
  const cases: [wire: string, code: ErrorCode, options?: Partial<AwsChunkedOptions>][] = [
    [`hello`, "IncompleteBody"],
    [`hello\r\n`, "InvalidRequest"],
    [`5\nhello\r\n0\r\n${trailer}\r\n`, "InvalidRequest"],
    [`-5\r\nhello\r\n0\r\n${trailer}\r\n`, "InvalidRequest"],
    [`0x5\r\nhello\r\n0\r\n${trailer}\r\n`, "InvalidRequest"],
    [`\r\nhello\r\n0\r\n${trailer}\r\n`, "InvalidRequest"],
    [` 5\r\nhello\r\n0\r\n${trailer}\r\n`, "InvalidRequest"],
    [`5\r\nhello!\r\n0\r\n${trailer}\r\n`, "InvalidRequest"],
    [`4\r\nhello\r\n0\r\n${trailer}\r\n`, "InvalidRequest"],
    [`5\r\nhello\n0\r\n${trailer}\r\n`, "InvalidRequest"],
    [`5;${"x".repeat(2000)}\r\nhello\r\n0\r\n${trailer}\r\n`, "InvalidRequest"],
    [`${"0".repeat(13)}5\r\nhello\r\n0\r\n${trailer}\r\n`, "InvalidRequest"],
    [`ffffffffffff\r\nhello\r\n0\r\n${trailer}\r\n`, "IncompleteBody"],
    [`5\r\nhello\r\n0\r\n\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\nx-amz-checksum-sha1:AA==\r\n\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\n${trailer}x-other:1\r\n\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\n${trailer}${trailer}\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\n${trailer}nonsense\r\n\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\n${trailer}:1\r\n\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\n${trailer}a b:1\r\n\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\rAA==\r\n\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\r\n\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\n\r${trailer}\r\n`, "MalformedTrailerError"],
    ...[" ", "\t", "\r", ":", "\r ", " \r"].map((unit): [string, ErrorCode] => [
      `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${unit.repeat(16_000 / unit.length)}\rx\r\n\r\n`,
      "MalformedTrailerError",
    ]),
    [`5\r\nhello\r\n0\r\n${trailer}${"x:y\r\n".repeat(4000)}\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\n${trailer}x:${"y".repeat(40_000)}\r\n\r\n`, "MalformedTrailerError"],
    [`5\r\nhello\r\n0\r\n${trailer}\r\n5\r\nhello\r\n`, "IncompleteBody"],
    [`5\r\nhello\r\n0\r\n\r\nx`, "IncompleteBody", { announced: undefined }],
    [`5\r\nhello\r\n0\r\n${trailer}\r\n`, "InvalidRequest", { announced: undefined }],
    [`5\r\nhello\r\n0\r\n\r\n`, "InvalidRequest", { signing: signingFrom(SEED) }],
    [`5;chunk-signature=00\r\nhello\r\n`, "InvalidRequest", { signing: signingFrom(SEED) }],
    [
      `5;chunk-signature=${signature}\r\nhello\r\n`,
      "SignatureDoesNotMatch",
      { signing: signingFrom(SEED) },
    ],
  ];
  for (const [wire, code, options] of cases) {
    await rejects(
      decode([ascii(wire)], { decodedLength: 5, announced, ...options }),
      (error) => {
        if (!isS3Error(error)) throw error;
        strictEqual(error.code, code, wire.slice(0, 80));
        return true;
      },
      wire.slice(0, 80),
    );
  }
});

Deno.test("decodeAwsChunked() refuses trailers that are signed wrongly or not at all", async () => {
  const trailers = { "x-amz-checksum-crc32": "AAAAAA==" };
  const wire = Buffer.from(frame(["hello"], { seed: SEED, trailers })).toString("latin1");
  const options = {
    decodedLength: 5,
    signing: signingFrom(SEED),
    announced: ["x-amz-checksum-crc32"],
  };
  await decode([ascii(wire)], options);
  const cases: [wire: string, code: ErrorCode][] = [
    [wire.replace("AAAAAA==", "BAAAAA=="), "SignatureDoesNotMatch"],
    [wire.replace(/x-amz-checksum-crc32:.*\r\n/, ""), "SignatureDoesNotMatch"],
    [wire.replace(/x-amz-trailer-signature:.*\r\n/, ""), "MalformedTrailerError"],
  ];
  for (const [changed, code] of cases) {
    await rejects(decode([ascii(changed)], options), (error) => isS3Error(error, code));
  }
});
