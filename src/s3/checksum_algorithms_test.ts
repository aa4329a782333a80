import { Buffer } from "node:buffer";
import { strictEqual } from "node:assert/strict";
import {
  type ChecksumAlgorithm,
  combineChecksums,
  createChecksumHasher,
} from "./checksum_algorithms.ts";

function hex(text: string): string {
  return Buffer.from(text, "hex").toString("base64");
}

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
    [
      "SHA512",
      "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==",
    ],
    ["MD5", "JfnnlDI7RTiF9RgfG2JNCw=="],
    ["XXHASH64", hex("8cb841db40e6ae83")],
  ];
  for (const [algorithm, value] of rows) {
    strictEqual(await checksumOf(algorithm, "1234", "56789"), value);
  }
});

Deno.test("createChecksumHasher() writes XXH values as their specification does, the high byte first", async () => {
  // https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md: the values of an empty input, without a seed
  const rows: [ChecksumAlgorithm, string][] = [
    ["XXHASH64", "ef46db3751d8e999"],
    ["XXHASH3", "2d06800538d394c2"],
    ["XXHASH128", "99aa06d3014798d86001c324468d497f"],
  ];
  for (const [algorithm, value] of rows) strictEqual(await checksumOf(algorithm), hex(value));
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

Deno.test("combineChecksums() of full objects returns the checksum of the whole", async () => {
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
