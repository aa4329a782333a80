/** Mutated records of every kind: no parser throws, and what it returns can become a header, a subject or memory. */

import { ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  formatLayoutVersion,
  formatOwner,
  parseLayoutVersion,
  parseOwner,
} from "../../src/nats/layout/bucket_documents.ts";
import {
  type ChunkMap,
  formatChunkMap,
  type MappedPart,
  parseChunkMap,
} from "../../src/nats/layout/chunk_map.ts";
import { groupNamedBy } from "../../src/nats/layout/info_json.ts";
import { parseListed } from "../../src/nats/layout/listed_info.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import { formatInfo, type InfoInput } from "../../src/nats/layout/format_info.ts";
import { readInfo } from "../../src/nats/layout/object_info.ts";
import { formatPart, parsePart } from "../../src/nats/layout/part_record.ts";
import {
  chunkSubject,
  parseChunkSubject,
  partChunkSubject,
} from "../../src/nats/layout/chunk_subjects.ts";
import { parseRecordSubject, records } from "../../src/nats/layout/subjects.ts";
import { formatTrash, parseTrash } from "../../src/nats/layout/trash_record.ts";
import {
  formatUploadRecord,
  parseUploadRecord,
  type UploadRecord,
} from "../../src/nats/layout/upload_record.ts";
import { objectAnswer } from "../../src/operations/answers/object.ts";
import {
  CHECKSUM_ALGORITHMS,
  checksumTypes,
  isChecksumValue,
} from "../../src/s3/checksum_algorithms.ts";
import { MAX_PART_SIZE } from "../../src/s3/multipart.ts";
import {
  MAX_PART_NUMBER,
  type ObjectKey,
  parseObjectKey,
  type PartNumber,
  type UploadId,
} from "../../src/s3/names.ts";
import { mutate, mutateSubject, type Random, seeded } from "./mutations.ts";

const ROUNDS = 3000;
const store = "fuzz" as StoreName;
const key = "a/key" as ObjectKey;
const nuid = newNuid(key);
const time = new Date("2026-11-28T12:00:00Z");
const decoder = new TextDecoder();
const md5 = "0123456789abcdef0123456789abcdef";
const crc = "poTHxg==";

const INFO: InfoInput = {
  store,
  key,
  nuid,
  size: 300_000,
  chunks: 3,
  chunkSize: 131_072,
  sha256: md5 + md5,
  etag: `${md5}-2`,
  modified: time,
  properties: {
    system: { contentType: "text/plain", cacheControl: "no-cache", storageClass: "STANDARD_IA" },
    user: { color: "red" },
    tags: { team: "blue" },
  },
  checksum: { algorithm: "CRC32", type: "COMPOSITE", value: `${crc}-2` },
  owner: "alice",
  seek: "a,1*2",
  layout: undefined,
  partSizes: [200_000, 100_000],
};

const PART: MappedPart = {
  number: 1,
  attempt: "aB3_-x",
  size: 200_000,
  chunkSize: 131_072,
  digest: md5,
  checksum: crc,
  sequences: [10, 11],
};

function locked(text: string): string {
  const json = JSON.parse(text);
  json.metadata["x-amz-object-lock-mode"] = "COMPLIANCE";
  json.metadata["x-amz-object-lock-retain-until-date"] = "2099-01-01T00:00:00Z";
  return JSON.stringify(json);
}

const UPLOAD: UploadRecord = {
  state: "open",
  key,
  initiated: time.toISOString(),
  owner: "alice",
  properties: INFO.properties,
  algorithm: "CRC32",
  checksumType: "COMPOSITE",
};

/** Runs a check on mutations of some texts, and says which one failed. */
function fuzz(
  texts: readonly string[],
  check: (data: Uint8Array<ArrayBuffer>) => boolean,
): void {
  const counts = { readable: 0, unreadable: 0 };
  for (let seed = 0; seed < ROUNDS; seed++) {
    const data = mutate(seeded(seed), texts[seed % texts.length] ?? "");
    try {
      counts[check(data) ? "readable" : "unreadable"]++;
    } catch (cause) {
      throw new Error(`Seed ${seed}: ${decoder.decode(data).slice(0, 500)}`, { cause });
    }
  }
  ok(counts.readable > 0 && counts.unreadable > 0, JSON.stringify(counts));
}

function checkSum(sizes: readonly number[] | undefined, size: number): void {
  if (sizes === undefined) return;
  ok(sizes.length <= MAX_PART_NUMBER);
  strictEqual(sizes.reduce((sum, one) => sum + one, 0), size);
}

Deno.test("mutated object info is read as an object that can be shown, or not at all", () => {
  const parts = { ...INFO, layout: "parts", seek: undefined, sha256: undefined } as const;
  const texts = [formatInfo(INFO), locked(formatInfo(INFO)), formatInfo(parts)];
  const read = {
    precondition: {},
    range: null,
    partNumber: 1,
    versionId: undefined,
    withChecksum: true,
    overrides: [],
    ifRange: null,
  };
  fuzz(texts, (data) => {
    const { parsed, lockedUntil, nuid } = readInfo(key, data, time);
    const { listed } = parseListed(data, time);
    strictEqual(listed === undefined, parsed.kind === "absent");
    ok(lockedUntil === undefined || lockedUntil.getTime() > 0);
    const named = groupNamedBy(data);
    if (nuid !== undefined) strictEqual(nuid as string, named);
    if (listed !== undefined) listed.modified.toISOString();
    if (parsed.kind !== "object") return false;
    const { info, bytes } = parsed.object;
    checkSum(info.partSizes, info.size);
    const { headers } = objectAnswer(read, info, "all");
    ok(Object.values(headers).join("").length < 20_000);
    new Response(null, { headers });
    if (bytes.kind === "group") chunkSubject(store, bytes.nuid);
    return true;
  });
});

Deno.test("a lock holds in object info that is damaged anywhere else", () => {
  const text = locked(formatInfo(INFO));
  const from = text.indexOf('"x-amz-object-lock-mode"');
  const to = text.indexOf("}", from);
  for (let seed = 0; seed < ROUNDS; seed++) {
    const random = seeded(seed);
    const mutated = mutateAround(random, text, from, to);
    const { parsed, lockedUntil } = readInfo(key, mutated, time);
    // A native client that updates metadata leaves none of ours, and no lock.
    if (parsed.kind === "absent" || !decoder.decode(mutated).includes('"metadata":{')) continue;
    ok(lockedUntil !== undefined && lockedUntil > time, `Seed ${seed}: ${decoder.decode(mutated)}`);
  }
});

/** Damages a text outside of a stretch of it. */
function mutateAround(
  random: Random,
  text: string,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  const odd = ["", "{", "}", '"', "\u0000", "x", ",", "\\", "[1"];
  const insert = odd[random(odd.length)] ?? "";
  const cut = random(3);
  const at = random(2) === 0 ? random(from - 3) : to + random(text.length - to);
  return new TextEncoder().encode(text.slice(0, at) + insert + text.slice(at + cut));
}

Deno.test("a mutated chunk map describes parts that can exist, or cannot be read", () => {
  const parts = [PART, { ...PART, number: 3, size: 100, sequences: [12], attempt: "zzzzzz" }];
  const maps: readonly ChunkMap[] = [
    { kind: "parts", parts, algorithm: "CRC32", checksumType: "COMPOSITE" },
    { kind: "seek", sequences: [1, 2, 9], partSizes: [4, 4, 2], partChecksums: [crc, crc, crc] },
  ];
  fuzz(maps.map(formatChunkMap), (data) => {
    const map = parseChunkMap(decoder.decode(data));
    if (map === undefined) return false;
    if (map.kind === "seek") {
      ok((map.partSizes?.length ?? 0) <= MAX_PART_NUMBER);
      return true;
    }
    let before = 0;
    for (const { number, attempt, size, chunkSize, sequences } of map.parts) {
      ok(number > before && number <= MAX_PART_NUMBER && size >= 0 && size <= MAX_PART_SIZE);
      ok(size === 0 || Number.isSafeInteger(Math.ceil(size / chunkSize)));
      ok((sequences?.length ?? 0) <= Math.ceil(size / chunkSize || 0));
      const chunks = parseChunkSubject(store, partChunkSubject(store, nuid, number, attempt));
      strictEqual(chunks?.kind, "part");
      before = number;
    }
    return true;
  });
});

Deno.test("seek tables that stand for very many chunks fill no memory", () => {
  const count = 60;
  const text = JSON.stringify({
    version: 1,
    numbers: `1*${count}`,
    sizes: `5368709120*${count}`,
    chunkSizes: `1*${count}`,
    attempts: "abcdef".repeat(count),
    digests: Buffer.alloc(count * 16).toString("base64"),
    seeks: Array.from({ length: count }, () => "1*mh33").join(";"),
  });
  const before = Deno.memoryUsage().heapUsed;
  const map = parseChunkMap(text);
  ok(map?.kind === "parts");
  ok(Deno.memoryUsage().heapUsed - before < 128 * 1024 * 1024);
});

Deno.test("a mutated upload is one that can be completed, or cannot be read", () => {
  const result = {
    size: 5,
    etag: `${md5}-1`,
    checksum: { algorithm: "CRC32", type: "COMPOSITE", value: `${crc}-1` },
    modified: time.toISOString(),
  } as const;
  fuzz([UPLOAD, { ...UPLOAD, state: "done", result } as const].map(formatUploadRecord), (data) => {
    const record = parseUploadRecord(decoder.decode(data));
    if (record === undefined) return false;
    const { key, initiated, owner, properties, algorithm, checksumType } = record;
    strictEqual(parseObjectKey(key), key);
    new Date(initiated).toISOString();
    if (algorithm !== undefined && checksumType !== undefined) {
      ok(checksumTypes(algorithm).includes(checksumType));
    } else strictEqual(algorithm, checksumType);
    readInfo(key, new TextEncoder().encode(formatInfo({ ...INFO, owner, properties })), time);
    if (record.result !== undefined) new Date(record.result.modified).toISOString();
    return true;
  });
});

Deno.test("mutated trash names a key and a group, or cannot be read", () => {
  fuzz([formatTrash(key, true)], (data) => {
    const record = parseTrash(store, records.trash(store, nuid), decoder.decode(data));
    if (record === undefined) return false;
    strictEqual(parseObjectKey(record.key), record.key);
    return true;
  });
});

Deno.test("mutated documents of a bucket are read without an exception", () => {
  fuzz(
    [formatOwner({ accessKeyId: "alice", account: "111122223333" })],
    (data) => parseOwner(decoder.decode(data)).kind === "value",
  );
  fuzz([formatLayoutVersion(1)], (data) => {
    return parseLayoutVersion(decoder.decode(data)).kind === "value";
  });
});

Deno.test("mutated subjects are read as records and chunks that can exist, or not at all", () => {
  const id = nuid as string as UploadId;
  const part = formatPart(store, id, {
    ...PART,
    number: 1 as PartNumber,
    etag: md5,
    modified: time,
  });
  const subjects = [
    part.subject,
    partChunkSubject(store, nuid, 1, "aB3_-x"),
    chunkSubject(store, nuid),
    records.trash(store, nuid),
    records.lease(store, nuid, "gateway"),
    records.lock(store, "sweep"),
    records.layout(store, nuid),
    records.upload(store, id),
    records.snapshotPage(store, "s", 3),
  ];
  let parts = 0;
  for (let seed = 0; seed < 3 * ROUNDS; seed++) {
    const original = subjects[seed % subjects.length] ?? "";
    const subject = mutateSubject(seeded(seed), original, original.includes(".C.") ? 3 : 4);
    parseRecordSubject(store, subject);
    parseTrash(store, subject, formatTrash(key, true));
    const chunks = parseChunkSubject(store, subject);
    if (chunks?.kind === "part") ok(/^[\w-]{24}\.\d{1,5}\.[\w-]{6}$/.test(chunks.name), subject);
    const read = parsePart(store, subject);
    if (read === undefined) continue;
    parts++;
    ok(read.number >= 1 && read.number <= MAX_PART_NUMBER, subject);
    ok(read.size <= MAX_PART_SIZE && /^[\w-]{6}$/.test(read.attempt), subject);
    read.modified.toISOString();
    if (read.checksum !== undefined) {
      const fits = CHECKSUM_ALGORITHMS
        .some((algorithm) => isChecksumValue(algorithm, read.checksum ?? ""));
      ok(fits, subject);
    }
    // It can be rewritten, and read again.
    ok(parsePart(store, formatPart(store, id, read).subject) !== undefined, subject);
  }
  ok(parts > 0);
});
