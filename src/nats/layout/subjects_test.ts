import { NULL_VERSION } from "../../s3/version_id.ts";
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ObjectKey } from "../../s3/names.ts";
import { describeCall } from "./call_subject.ts";
import { encodeKey } from "./key_encoding.ts";
import type { StoreName } from "./names.ts";
import type { Nuid } from "./nuid.ts";
import {
  type ChunkSubject,
  chunkSubject,
  parseChunkSubject,
  partChunkSubject,
} from "./chunk_subjects.ts";
import {
  infoSubject,
  keyOfSubject,
  parseRecordSubject,
  parseSubjectOf,
  RECORD_KINDS,
  records,
  type RecordSubject,
  subjectsOf,
} from "./subjects.ts";

const store = "photos" as StoreName;
const nuid = "MbH6mzwhr-WVI_jY7pPfkDmV" as Nuid;

Deno.test("keyOfSubject() finds the key of infoSubject()", () => {
  const keys = ["a", "ab", "abc", "abcd", "é", "\u{1f600}", "\ufeffx", "\u0000", "a/b c", "\uffff"];
  for (const key of [...keys, "k".repeat(1024), "\u{10ffff}".repeat(256)]) {
    strictEqual(keyOfSubject(store, infoSubject(store, key as ObjectKey)), key as ObjectKey);
  }
});

Deno.test("keyOfSubject() accepts only one spelling of a key", () => {
  const refused = [
    "",
    "YQ", // without padding
    "YQ=",
    "YQ===",
    "YR==", // bits behind the last byte
    "YWJ=",
    "Y===",
    "====",
    "=Q==",
    "Y=Q=",
    "YWI+", // base64 of another alphabet
    "YWI/",
    "YWI.",
    "YWé=",
    "YW\u0141=",
    "gA==", // 0x80: not UTF-8
    "7aCA", // a surrogate
    encodeKey("k".repeat(1025) as ObjectKey),
    encodeKey("k".repeat(4000) as ObjectKey),
  ];
  for (const token of refused) strictEqual(keyOfSubject(store, `$O.photos.M.${token}`), undefined);
  strictEqual(keyOfSubject(store, "$O.other.M.YQ=="), undefined);
});

Deno.test("keyOfSubject() agrees with a general decoder on any token", () => {
  const letters = "AQZagz09-_=+";
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
  for (let i = 0; i < 20_000; i++) {
    const token = Array.from({ length: random(9) }, () => letters[random(letters.length)]).join("");
    const text = Buffer.from(token, "base64url").toString("utf8");
    const expected = text !== "" && encodeKey(text as ObjectKey) === token ? text : undefined;
    strictEqual(keyOfSubject(store, `$O.photos.M.${token}`), expected as ObjectKey | undefined);
  }
});

/** The subject of every record that we write, with its tokens. */
const RECORDS: readonly (readonly [subject: string, record: RecordSubject])[] = [
  [records.bucket(store, "owner"), { kind: "bucket", document: "owner" }],
  [records.bucket(store, "layout"), { kind: "bucket", document: "layout" }],
  [records.layout(store, nuid), { kind: "layout", nuid }],
  [records.lease(store, nuid, "g1"), { kind: "lease", nuid, gateway: "g1" }],
  [records.lock(store, "sweep"), { kind: "lock", task: "sweep" }],
  [records.part(store, nuid, 7, "a.b.-"), {
    kind: "part",
    id: nuid,
    facts: ["7", "a", "b", "-"],
  }],
  [records.rename(store, "r1"), { kind: "rename", id: "r1" }],
  [records.renamed(store, nuid), { kind: "renamed", nuid }],
  [records.snapshot(store), { kind: "snapshot", id: undefined, page: undefined }],
  [records.snapshotPage(store, "s1", 12), { kind: "snapshot", id: "s1", page: "12" }],
  [records.sync(store), { kind: "sync" }],
  [records.trash(store, nuid), { kind: "trash", nuid }],
  [records.upload(store, nuid), { kind: "upload", id: nuid }],
  [records.version(store, "a" as ObjectKey, NULL_VERSION), {
    kind: "version",
    key: "YQ==",
    id: "null",
  }],
];

Deno.test("parseRecordSubject() reads every subject of records", () => {
  for (const [subject, record] of RECORDS) {
    deepStrictEqual(parseRecordSubject(store, subject), record, subject);
    for (const kind of RECORD_KINDS) {
      const expected = kind === record.kind ? record : undefined;
      deepStrictEqual(parseSubjectOf(kind, store, subject), expected, `${subject} as ${kind}`);
    }
  }
  deepStrictEqual([...new Set(RECORDS.map(([, { kind }]) => kind))], [...RECORD_KINDS]);
});

Deno.test("parseRecordSubject() reads a known kind whatever follows, because a native client may write it", () => {
  const subjects: readonly (readonly [subject: string, record: RecordSubject])[] = [
    ["$O.photos.S3.layout", { kind: "layout", nuid: "" }],
    ["$O.photos.S3.layout.a.b.c", { kind: "layout", nuid: "a" }],
    ["$O.photos.S3.part", { kind: "part", id: "", facts: [] }],
    ["$O.photos.S3.part.a", { kind: "part", id: "a", facts: [] }],
    ["$O.photos.S3.snapshot.a", { kind: "snapshot", id: "a", page: undefined }],
    ["$O.photos.S3.lease.a", { kind: "lease", nuid: "a", gateway: "" }],
    ["$O.photos.S3.upload.a.b", { kind: "upload", id: "a" }],
  ];
  for (const [subject, record] of subjects) {
    deepStrictEqual(parseRecordSubject(store, subject), record, subject);
  }
});

Deno.test("parseRecordSubject() does not know other kinds, rooms and stores", () => {
  const subjects = [
    "",
    "$O.photos.S3",
    "$O.photos.S3.",
    "$O.photos.S3.future.a",
    "$O.photos.S3.Trash.a",
    "$O.photos.S3.constructor.a",
    "$O.photos.S3..trash.a",
    `$O.other.S3.trash.${nuid}`,
    `$O.photos.C.trash.${nuid}`,
    `x.$O.photos.S3.trash.${nuid}`,
    infoSubject(store, "trash" as ObjectKey),
  ];
  for (const subject of subjects) {
    strictEqual(parseRecordSubject(store, subject), undefined, subject);
  }
});

Deno.test("parseChunkSubject() reads the subjects of groups and of attempts at parts", () => {
  const ours = "nnnnnnnnnnnnnnnnDDDDDDDD" as Nuid;
  const foreign = (name: string): readonly [string, ChunkSubject] => {
    return [`$O.photos.C.${name}`, { kind: "foreign", name }];
  };
  const subjects: readonly (readonly [subject: string, chunks: ChunkSubject | undefined])[] = [
    [chunkSubject(store, nuid), { kind: "group", name: nuid, nuid }],
    [
      partChunkSubject(store, ours, 10_000, "aB3_-x"),
      { kind: "part", name: `${ours}.10000.aB3_-x`, nuid: ours },
    ],
    // Native clients name groups as they like.
    foreign("2026.11"),
    foreign("2026.11.report"),
    foreign("short.3.aB3_-x"),
    foreign(`${ours}.3`),
    foreign(`${ours}.03.aB3_-x`),
    foreign(`${ours}.0.aB3_-x`),
    foreign(`${ours}.10001.aB3_-x`),
    foreign(`${ours}.3.aB3_-`),
    foreign(`${ours}.3.aB3*-x`),
    foreign(`${ours}.3.aB3_-x.more`),
    foreign(""),
    foreign("*"),
    foreign("é"),
    foreign("n".repeat(65)),
    ["$O.photos.C", undefined],
    [`$O.photos.M.${nuid}`, undefined],
    [`$O.other.C.${nuid}`, undefined],
  ];
  for (const [subject, chunks] of subjects) {
    deepStrictEqual(parseChunkSubject(store, subject), chunks, subject);
  }
});

Deno.test("describeCall() finds the stream and the chunk of a call", () => {
  const chunks = chunkSubject(store, nuid);
  const calls: readonly (readonly [method: string, subject: string, isChunk: boolean])[] = [
    ["publish", chunks, true],
    ["publish", partChunkSubject(store, nuid, 1, "aB3_-x"), true],
    ["publish", infoSubject(store, "a" as ObjectKey), false],
    ["publish_batch", records.layout(store, nuid), false],
    ["direct_get", "$JS.hub.API.DIRECT.GET.OBJ_photos", true],
    ["direct_get", `$JS.API.DIRECT.GET.OBJ_photos.${chunks}`, false],
    ["direct_batch", "$JS.API.DIRECT.GET.OBJ_photos", false],
    ["CONSUMER.CREATE", "$JS.API.CONSUMER.CREATE.OBJ_photos.c1", false],
  ];
  for (const [method, subject, isChunk] of calls) {
    deepStrictEqual(describeCall(method, subject), { stream: "OBJ_photos", isChunk }, subject);
  }
  for (
    const subject of ["$JS.API.INFO", "$JS.API.STREAM.LIST", "audit.s3", subjectsOf(store).infos]
  ) {
    const isBucket = subject.startsWith("$O.");
    const stream = isBucket ? "OBJ_photos" : undefined;
    deepStrictEqual(describeCall("publish", subject), { stream, isChunk: false }, subject);
  }
});
