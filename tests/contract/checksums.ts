/**
 * The promises about checksums of objects and parts.
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type ChecksumType,
  combineChecksums,
} from "../../src/s3/checksum_algorithms.ts";
import type { Received } from "../../src/store/content.ts";
import type { ChooseRange, ObjectInfo } from "../../src/store/objects.ts";
import type { PartInfo } from "../../src/store/uploads.ts";
import {
  bucket,
  completion,
  key,
  KIB,
  MIN_PART_SIZE,
  part,
  partInput,
  pattern,
  uploadInput,
} from "./inputs.ts";
import { checksumOf, list, md5Of, put, rejectsWith, upload } from "./steps.ts";
import type { Test } from "./store_under_test.ts";

/** Registers the tests of this file. */
export function checksumContract(test: Test): void {
  test("computes and keeps the checksum that was asked for", async ({ store }) => {
    const bytes = pattern(200 * KIB);
    for (const algorithm of CHECKSUM_ALGORITHMS) {
      const value = await checksumOf(algorithm, bytes);
      let received: Received | undefined;
      const verify = (given: Received): void => void (received = given);
      await put(store, algorithm, bytes, { algorithm, verify });
      deepStrictEqual(received, {
        size: bytes.length,
        md5: md5Of(bytes),
        sha256: createHash("sha256").update(bytes).digest("hex"),
        checksum: value,
      });
      const expected = { algorithm, value, type: "FULL_OBJECT" };
      deepStrictEqual((await store.readObject(bucket, key(algorithm))).checksum, expected);
    }
    const { objects } = await list(store);
    deepStrictEqual(
      objects.map(({ checksum }) => checksum?.algorithm),
      objects.map(({ key }) => key),
    );
  });

  test("combines the checksums of parts", async ({ store }) => {
    const pieces = [pattern(MIN_PART_SIZE), pattern(100, 1)];
    const rows: [ChecksumAlgorithm, ChecksumType][] = [
      ["CRC32", "FULL_OBJECT"],
      ["CRC32C", "FULL_OBJECT"],
      ["CRC64NVME", "FULL_OBJECT"],
      ["CRC32", "COMPOSITE"],
      ["SHA1", "COMPOSITE"],
      ["SHA256", "COMPOSITE"],
      ["SHA512", "COMPOSITE"],
      ["MD5", "COMPOSITE"],
      ["XXHASH64", "COMPOSITE"],
      ["XXHASH3", "COMPOSITE"],
      ["XXHASH128", "COMPOSITE"],
    ];
    for (const [algorithm, checksumType] of rows) {
      const name = `${algorithm}-${checksumType}`;
      const { id, parts } = await upload(store, name, pieces, { algorithm, checksumType });
      const values = await Promise.all(pieces.map((piece) => checksumOf(algorithm, piece)));
      deepStrictEqual(parts.map(({ checksum }) => checksum), values);
      const { upload: { algorithm: kept, checksumType: type } } = await store
        .listParts(bucket, key(name), id, { after: 0, limit: 10 });
      deepStrictEqual([kept, type], [algorithm, checksumType]);

      const input = completion(parts, algorithm);
      const wrong = { algorithm, value: await checksumOf(algorithm, Buffer.from("other")) };
      const call = store.completeUpload(bucket, key(name), id, { ...input, checksum: wrong });
      await rejectsWith("BadDigest", call);
      const expected = await combineChecksums(
        algorithm,
        checksumType,
        pieces.map(({ length }, i) => ({ checksum: values[i] ?? "", size: length })),
      );
      const done = await store.completeUpload(bucket, key(name), id, {
        ...input,
        checksum: expected,
      });
      deepStrictEqual(done.checksum, expected);
      if (checksumType === "FULL_OBJECT") {
        strictEqual(expected.value, await checksumOf(algorithm, Buffer.concat(pieces)));
      }
      deepStrictEqual((await store.readObject(bucket, key(name))).checksum, expected);
    }
  });

  test("computes the same checksum of a large body as of a small one", async ({ store }) => {
    const bytes = pattern(3 * 1024 * KIB + 5); // workers hash it
    for (const algorithm of ["CRC64NVME", "CRC32C"] as const) {
      const value = await checksumOf(algorithm, bytes);
      const { checksum } = await put(store, "large", bytes, { algorithm });
      deepStrictEqual(checksum, { algorithm, value, type: "FULL_OBJECT" });
    }
  });

  test("combines the default checksum, unless a part came with another one", async ({ store }) => {
    const pieces = [pattern(MIN_PART_SIZE), pattern(100, 1)];
    const given = {
      algorithm: "CRC64NVME",
      checksumType: "FULL_OBJECT",
      checksumIsDefault: true,
    } as const;
    for (const second of ["CRC64NVME", "XXHASH64", undefined] as const) {
      const id = await store.createUpload(bucket, key("k"), { ...uploadInput(), ...given });
      const parts: PartInfo[] = [];
      for (const [i, piece] of pieces.entries()) {
        const algorithm = i === 0 ? "CRC64NVME" : second;
        const input = partInput(piece, { algorithm });
        const info = await store.putPart(bucket, key("k"), id, part(i + 1), input);
        strictEqual(info.checksum, algorithm && await checksumOf(algorithm, piece));
        parts.push(info);
      }
      const { upload } = await store.listParts(bucket, key("k"), id, { after: 0, limit: 10 });
      strictEqual(upload.checksumIsDefault, true);
      const done = await store.completeUpload(bucket, key("k"), id, completion(parts));
      const value = await checksumOf("CRC64NVME", Buffer.concat(pieces));
      const expected = second === "CRC64NVME"
        ? { algorithm: "CRC64NVME", value, type: "FULL_OBJECT" }
        : undefined;
      deepStrictEqual(done.checksum, expected);
      deepStrictEqual((await store.readObject(bucket, key("k"))).checksum, expected);
    }
  });

  test("shows the checksums of parts to who asks for them", async ({ store }) => {
    const first = pattern(MIN_PART_SIZE);
    const rows: [ChecksumAlgorithm, ChecksumType, readonly (Uint8Array | string)[]][] = [
      ["CRC32C", "FULL_OBJECT", [first, "abc"]],
      ["SHA256", "COMPOSITE", [first, first, ""]],
      ["CRC32", "COMPOSITE", ["only"]],
      ["SHA1", "COMPOSITE", [""]],
    ];
    for (const [algorithm, checksumType, pieces] of rows) {
      const given = { algorithm, checksumType };
      const id = await store.createUpload(bucket, key("k"), uploadInput(given));
      const parts: PartInfo[] = [];
      for (const [i, piece] of pieces.entries()) {
        const number = part(3 * i + 2); // numbers with gaps
        const input = partInput(piece, { algorithm });
        parts.push(await store.putPart(bucket, key("k"), id, number, input));
      }
      const done = await store
        .completeUpload(bucket, key("k"), id, completion(parts, algorithm));
      deepStrictEqual(await store.readObject(bucket, key("k")), done);
      strictEqual(done.partChecksums, undefined);

      const partChecksums = await Promise.all(
        pieces.map((piece) => checksumOf(algorithm, Buffer.from(piece))),
      );
      const asked = { partChecksums: true };
      const expected = { ...done, partChecksums };
      deepStrictEqual(await store.readObject(bucket, key("k"), asked), expected);
      let chosen: ObjectInfo | undefined;
      const choose: ChooseRange = (info) => {
        chosen = info;
        return "nothing";
      };
      deepStrictEqual((await store.getObject(bucket, key("k"), choose, asked)).info, expected);
      deepStrictEqual(chosen, expected);
      deepStrictEqual((await store.getObject(bucket, key("k"), choose)).info, done);
    }
  });

  test("shows no checksums of parts where the object has none, or no parts", async ({ store }) => {
    const asked = { partChecksums: true };
    const id = await store.createUpload(bucket, key("k"), uploadInput());
    const input = partInput("abc", { algorithm: "CRC32" });
    const info = await store.putPart(bucket, key("k"), id, part(1), input);
    const done = await store.completeUpload(bucket, key("k"), id, completion([info]));
    deepStrictEqual(await store.readObject(bucket, key("k"), asked), done);

    const whole = await put(store, "k", "abc", { algorithm: "CRC32" });
    deepStrictEqual(await store.readObject(bucket, key("k"), asked), whole);
  });

  test("refuses a part without the checksum that its upload demands", async ({ store }) => {
    const given = { algorithm: "SHA256", checksumType: "COMPOSITE" } as const;
    const id = await store.createUpload(bucket, key("k"), uploadInput(given));
    for (const algorithm of [undefined, "CRC32"] as const) {
      const input = partInput("x", { algorithm });
      await rejectsWith("InvalidRequest", store.putPart(bucket, key("k"), id, part(1), input));
    }
    const right = partInput("x", { algorithm: "SHA256" });
    const info = await store.putPart(bucket, key("k"), id, part(1), right);
    const wrong = completion([{ ...info, checksum: "AAAA" }], "SHA256");
    await rejectsWith("InvalidPart", store.completeUpload(bucket, key("k"), id, wrong));
    const without = completion([info]);
    await rejectsWith("InvalidRequest", store.completeUpload(bucket, key("k"), id, without));
    await store.completeUpload(bucket, key("k"), id, completion([info], "SHA256"));
  });
}
