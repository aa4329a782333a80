import { deepStrictEqual, doesNotThrow, strictEqual, throws } from "node:assert/strict";
import {
  type ChecksumAlgorithm,
  combineChecksums,
  createChecksumHasher,
  parseIntegrity,
  parseUploadChecksum,
  verifyReceived,
} from "./checksum.ts";

const encoder = new TextEncoder();

async function checksumOf(algorithm: ChecksumAlgorithm, ...pieces: string[]): Promise<string> {
  const hasher = await createChecksumHasher(algorithm);
  for (const piece of pieces) hasher.update(encoder.encode(piece));
  return hasher.digest();
}

Deno.test("createChecksumHasher() computes each algorithm's check value", async () => {
  const rows: [ChecksumAlgorithm, string][] = [
    ["CRC32", "y/Q5Jg=="],
    ["CRC32C", "4waSgw=="],
    ["CRC64NVME", "rosUhgp5mIg="],
    ["SHA1", "98O8HYCOBHMq32eZZczDTKeuNEE="],
    ["SHA256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="],
  ];
  for (const [algorithm, value] of rows) {
    strictEqual(await checksumOf(algorithm, "1234", "56789"), value);
  }
});

Deno.test("createChecksumHasher() keeps streams apart", async () => {
  for (const algorithm of ["CRC32C", "CRC64NVME"] as const) {
    const a = await createChecksumHasher(algorithm);
    const b = await createChecksumHasher(algorithm);
    a.update(encoder.encode("1234"));
    b.update(encoder.encode("other"));
    a.update(encoder.encode("56789"));
    strictEqual(a.digest(), await checksumOf(algorithm, "123456789"));
    strictEqual(b.digest(), await checksumOf(algorithm, "other"));
  }
});

Deno.test("combineChecksums() of full objects is the checksum of the whole", async () => {
  for (const algorithm of ["CRC32", "CRC32C", "CRC64NVME"] as const) {
    const texts = ["hello ", "world", "", "!"];
    const parts = await Promise.all(texts.map(async (text) => ({
      checksum: await checksumOf(algorithm, text),
      size: text.length,
    })));
    strictEqual(
      (await combineChecksums(algorithm, "FULL_OBJECT", parts)).value,
      await checksumOf(algorithm, "hello world!"),
    );
  }
});

Deno.test("combineChecksums() of composites hashes the parts' checksums", async () => {
  const part = { checksum: await checksumOf("SHA256", "a"), size: 1 };
  const { value, type } = await combineChecksums("SHA256", "COMPOSITE", [part, part]);
  strictEqual(type, "COMPOSITE");
  strictEqual(value.endsWith("=-2"), true);
});

Deno.test("parseIntegrity() refuses what is malformed", () => {
  const rows: [Record<string, string>, string][] = [
    [{ "content-md5": "xyz" }, "InvalidDigest"],
    [{ "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "AAAA" }, "InvalidRequest"],
    [{ "x-amz-checksum-crc32": "AAAA" }, "InvalidRequest"],
    [{ "x-amz-checksum-md9": "AAAA" }, "InvalidRequest"],
    [{ "x-amz-sdk-checksum-algorithm": "CRC32" }, "InvalidRequest"],
    [{ "x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": "AAAAAA==" }, "BadDigest"],
    [
      { "x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-trailer": "x-amz-checksum-crc32" },
      "BadDigest",
    ],
    [
      { "x-amz-sdk-checksum-algorithm": "MD9", "x-amz-checksum-crc32": "AAAAAA==" },
      "InvalidRequest",
    ],
  ];
  for (const [headers, code] of rows) {
    throws(() => parseIntegrity(new Headers(headers)), { code }, JSON.stringify(headers));
  }
});

Deno.test("parseIntegrity() reads headers and trailers", () => {
  deepStrictEqual(
    parseIntegrity(new Headers({ "x-amz-trailer": "x-amz-checksum-crc32" })).checksum,
    { algorithm: "CRC32", value: undefined },
  );
  deepStrictEqual(
    parseIntegrity(
      new Headers({
        "x-amz-checksum-crc32": "AAAAAA==",
        "x-amz-checksum-type": "FULL_OBJECT",
        "x-amz-sdk-checksum-algorithm": "crc32",
      }),
    ).checksum,
    { algorithm: "CRC32", value: "AAAAAA==" },
  );
});

Deno.test("verifyReceived() compares all that was promised", () => {
  const received = {
    md5: "d41d8cd98f00b204e9800998ecf8427e",
    sha256: "e3b0",
    checksum: "AAAAAA==",
  };
  const payload = { sha256: "e3b0", trailers: new Map([["x-amz-checksum-crc32", "AAAAAA=="]]) };
  const checksum = { algorithm: "CRC32", value: undefined } as const;
  doesNotThrow(() => verifyReceived({ md5: received.md5, checksum }, payload, received));
  throws(
    () => verifyReceived({ md5: "00".repeat(16), checksum }, payload, received),
    { code: "BadDigest" },
  );
  throws(
    () => verifyReceived({ md5: undefined, checksum }, { ...payload, sha256: "00" }, received),
    { code: "XAmzContentSHA256Mismatch" },
  );
  throws(
    () =>
      verifyReceived({ md5: undefined, checksum }, { ...payload, trailers: new Map() }, received),
    { code: "MalformedTrailerError" },
  );
  throws(
    () => verifyReceived({ md5: undefined, checksum }, payload, { ...received, checksum: "x" }),
    {
      code: "BadDigest",
      message: "The CRC32 you specified did not match the calculated checksum.",
    },
  );
});

Deno.test("parseUploadChecksum() knows which types an algorithm has", () => {
  const parse = (algorithm: string, type?: string) =>
    parseUploadChecksum(
      new Headers({
        "x-amz-checksum-algorithm": algorithm,
        ...(type !== undefined && { "x-amz-checksum-type": type }),
      }),
    );
  deepStrictEqual(parse("CRC32"), { algorithm: "CRC32", type: "COMPOSITE" });
  deepStrictEqual(parse("crc64nvme"), { algorithm: "CRC64NVME", type: "FULL_OBJECT" });
  deepStrictEqual(parse("CRC32C", "FULL_OBJECT"), { algorithm: "CRC32C", type: "FULL_OBJECT" });
  throws(() => parse("SHA1", "FULL_OBJECT"), { code: "InvalidRequest" });
  throws(() => parse("CRC64NVME", "COMPOSITE"), { code: "InvalidRequest" });
  throws(() => parse("MD9"), { code: "InvalidRequest" });
});
