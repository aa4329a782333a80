import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { ObjectKey, PartNumber, UploadId } from "../../s3/names.ts";
import type { StoreName } from "../layout/names.ts";
import { newNuid } from "../layout/nuid.ts";
import { formatPart } from "../layout/part_record.ts";
import { chunkSubject, partChunkSubject } from "../layout/chunk_subjects.ts";
import { records } from "../layout/subjects.ts";
import { Candidates } from "./candidates.ts";
import { hashOf } from "./id_set.ts";

const store = "photos" as StoreName;
const nuid = newNuid("k" as ObjectKey);
const whole = { index: 0, count: 1 };

const group = chunkSubject(store, nuid);
const layout = records.layout(store, nuid);
const page = records.snapshotPage(store, "saved", 0);
const attempt = (part: number, name: string): string => partChunkSubject(store, nuid, part, name);
const part = formatPart(store, nuid as string as UploadId, {
  number: 1 as PartNumber,
  attempt: "abcdef",
  size: 1,
  chunkSize: 1,
  etag: "0".repeat(32),
  digest: "0".repeat(32),
  checksum: undefined,
  modified: new Date(0),
  sequences: [1],
}).subject;

function judge(subjects: readonly string[], strike: (candidates: Candidates) => void): string[] {
  const candidates = new Candidates(store, whole);
  for (const subject of subjects) candidates.add(subject);
  strike(candidates);
  const verdicts = subjects.map((subject) => candidates.judge(subject));
  strictEqual(candidates.hasRest, verdicts.some((verdict) => verdict !== "kept"));
  return verdicts;
}

Deno.test("object info keeps groups and chunk maps, and not what only an open upload keeps", () => {
  const subjects = [group, layout, part, page];
  deepStrictEqual(judge(subjects, () => {}), ["orphan", "orphan", "orphan", "orphan"]);
  deepStrictEqual(
    judge(subjects, (candidates) => candidates.named(hashOf(nuid), undefined)),
    ["kept", "kept", "orphan", "orphan"],
  );
  deepStrictEqual(
    judge(subjects, (candidates) => {
      candidates.held(nuid);
      candidates.held("saved");
    }),
    ["kept", "kept", "kept", "kept"],
  );
});

Deno.test("parts of an object are in doubt if there are more of them than it has", () => {
  const subjects = [attempt(1, "aaaaaa"), attempt(2, "bbbbbb"), attempt(2, "bbbbbb")];
  const named = (parts: number | undefined): string[] =>
    judge(subjects, (candidates) => candidates.named(hashOf(nuid), parts));
  deepStrictEqual(named(2), ["kept", "kept", "kept"]);
  deepStrictEqual(named(1), ["doubtful", "doubtful", "doubtful"]);
  deepStrictEqual(named(undefined), ["doubtful", "doubtful", "doubtful"]);
  deepStrictEqual(judge(subjects, () => {}), ["orphan", "orphan", "orphan"]);
});

Deno.test("what has no form of ours, and what was not added, is kept", () => {
  const others = ["S3.bucket.owner", "S3.sync", "S3.part.a.b", "S3.layout", "S3.future.a"];
  const records = others.map((name) => `$O.photos.${name}`);
  deepStrictEqual(judge(records, () => {}), records.map(() => "kept"));
  const names = ["2026.11", "a.1.abcdef", `${nuid}.0.abcdef`];
  const foreign = names.map((name) => `$O.photos.C.${name}`);
  deepStrictEqual(judge(foreign, () => {}), foreign.map(() => "foreign"));
  deepStrictEqual(
    judge(foreign, (candidates) => {
      for (const name of names) candidates.named(hashOf(name), undefined);
    }),
    foreign.map(() => "kept"),
  );
  strictEqual(new Candidates(store, whole).judge(group), "kept");
});

Deno.test("shares judge every group once", () => {
  const groups = Array.from(
    { length: 20_000 },
    (_, i) => chunkSubject(store, newNuid(`${i}` as ObjectKey)),
  );
  const found = [0, 1, 2].map((index) => {
    const candidates = new Candidates(store, { index, count: 3 });
    for (const subject of groups) candidates.add(subject);
    return groups.filter((subject) => candidates.judge(subject) === "orphan");
  });
  deepStrictEqual(found.flat().toSorted(), groups.toSorted());
});
