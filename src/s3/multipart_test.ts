import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { combineChecksums } from "./checksum_algorithms.ts";
import { assembleParts, checkPartAlgorithm, MAX_PART_SIZE, MIN_PART_SIZE } from "./multipart.ts";
import { MAX_PART_NUMBER } from "./names.ts";

const plain = { algorithm: undefined, checksumType: undefined };
const etags = ["0", "1", "2"].map((digit) => digit.repeat(32));
const uploaded = new Map(
  etags.map((etag, i) => [i + 1, { number: i + 1, size: 10 - i, etag, checksum: undefined }]),
);
const named = (...numbers: number[]) => ({
  parts: numbers.map((number) => ({ number, etag: etags[number - 1] ?? "", checksum: undefined })),
  checksum: undefined,
  size: undefined,
});

Deno.test("assembleParts() adds up the named parts", async () => {
  const { parts, size, etag } = await assembleParts(plain, uploaded, named(1, 3), 10);
  strictEqual(parts.length, 2);
  strictEqual(size, 18);
  strictEqual(etag.endsWith("-2"), true);
});

Deno.test("assembleParts() rejects parts that do not match", async () => {
  const assemble = (completion: Parameters<typeof assembleParts>[2]) =>
    assembleParts(plain, uploaded, completion, 10);
  await rejects(assemble(named(4)), { code: "InvalidPart" });
  await rejects(assemble(named(2, 3)), { code: "EntityTooSmall" });
  await rejects(assemble({ ...named(1), size: 9 }), { code: "InvalidRequest" });
  const checksum = { algorithm: "CRC32", value: "AAAAAA==" } as const;
  await rejects(assemble({ ...named(1), checksum }), { code: "InvalidRequest" });
});

Deno.test("assembleParts() ignores the parts' checksums if the upload has no algorithm", async () => {
  const checksum = { algorithm: "CRC32", value: "AAAAAA==" } as const;
  const [first] = named(1).parts;
  const completion = { ...named(1), parts: first ? [{ ...first, checksum }] : [] };
  strictEqual((await assembleParts(plain, uploaded, completion, 10)).checksum, undefined);
  const crc32 = { algorithm: "CRC32", checksumType: "FULL_OBJECT" } as const;
  await rejects(assembleParts(crc32, uploaded, completion, 10), { code: "InvalidPart" });
});

Deno.test("checkPartAlgorithm() requires the algorithm of the upload", () => {
  checkPartAlgorithm({ algorithm: undefined }, "CRC32");
  checkPartAlgorithm({ algorithm: "CRC32" }, "CRC32");
  throws(() => checkPartAlgorithm({ algorithm: "CRC32" }, undefined), { code: "InvalidRequest" });
});

Deno.test("assembleParts() adds up 10,000 parts of 5 GiB", async () => {
  const etag = "d41d8cd98f00b204e9800998ecf8427e";
  const numbers = Array.from({ length: MAX_PART_NUMBER }, (_, i) => i + 1);
  const checksums = { CRC32: "y/Q5Jg==", CRC32C: "4waSgw==", CRC64NVME: "rosUhgp5mIg=" } as const;
  const parts = numbers.map((number) => ({ number, etag, checksum: undefined }));
  for (const algorithm of ["CRC32", "CRC32C", "CRC64NVME"] as const) {
    const checksum = checksums[algorithm];
    const uploaded = new Map(
      numbers.map((number) => [number, { number, etag, checksum, size: MAX_PART_SIZE }]),
    );
    const size = 53_687_091_200_000;
    const upload = { algorithm, checksumType: "FULL_OBJECT" } as const;
    const assembly = await assembleParts(
      upload,
      uploaded,
      { parts, checksum: undefined, size },
      MIN_PART_SIZE,
    );
    strictEqual(assembly.size, size);
    strictEqual(assembly.etag.endsWith("-10000"), true);
    // Joins hundreds of parts first, then the hundreds: the same bytes, with sizes beyond 32 bits.
    const hundred = await combineChecksums(
      algorithm,
      "FULL_OBJECT",
      Array.from({ length: 100 }, () => ({ checksum, size: MAX_PART_SIZE })),
    );
    const joined = await combineChecksums(
      algorithm,
      "FULL_OBJECT",
      Array.from({ length: 100 }, () => ({ checksum: hundred.value, size: 100 * MAX_PART_SIZE })),
    );
    deepStrictEqual(assembly.checksum, joined);
  }
});
