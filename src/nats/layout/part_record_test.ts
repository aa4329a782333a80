import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { PartNumber, UploadId } from "../../s3/names.ts";
import { records } from "./subjects.ts";
import type { StoreName } from "./names.ts";
import { formatPart, parsePart, type PartRecord } from "./part_record.ts";
import { formatSequences } from "./runs.ts";

const store = "photos" as StoreName;
const id = "upload" as UploadId;
const part: PartRecord = {
  number: 10_000 as PartNumber,
  attempt: "aB3_-x",
  size: 5 * 1024 ** 3,
  chunkSize: 131072,
  etag: "d41d8cd98f00b204e9800998ecf8427e",
  digest: "e3b0c44298fc1c149afbf4c8996fb924",
  checksum: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  sequences: [7, 8, 9, 12],
  modified: new Date("2026-11-23T01:02:03.456Z"),
};

Deno.test("parsePart() reads what formatPart() wrote", () => {
  const parts: readonly PartRecord[] = [
    part,
    { ...part, number: 1 as PartNumber, checksum: undefined },
    { ...part, size: 0, sequences: undefined },
  ];
  for (const one of parts) {
    deepStrictEqual(parsePart(store, formatPart(store, id, one).subject), one);
  }
});

Deno.test("a table of chunks that is too long for a subject is in the message alone", () => {
  const sequences = Array.from({ length: 2000 }, (_, i) => i * i + 1);
  const { subject, data } = formatPart(store, id, { ...part, sequences });
  ok(subject.length < 1500);
  strictEqual(parsePart(store, subject)?.sequences, undefined);
  strictEqual(data, formatSequences(sequences));
});

Deno.test("parsePart() reads nothing else as a part", () => {
  const { subject } = formatPart(store, id, part);
  const facts = subject.split(".");
  const changed = (at: number, text: string): string => facts.with(at, text).join(".");
  const others = [
    records.upload(store, id),
    records.part(store, id, 1, ""),
    facts.slice(0, -1).join("."),
    `${subject}.more`,
    changed(5, "x"),
    changed(5, "-1"),
    changed(6, "short"),
    changed(7, "1e9"),
    changed(8, ""),
    changed(9, "AAAA"),
    changed(10, "AAAA"),
    changed(12, "yesterday"),
  ];
  for (const other of others) strictEqual(parsePart(store, other), undefined, other);
});
