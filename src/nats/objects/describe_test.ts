import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import type { ObjectKey } from "../../s3/names.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import type { StoreName } from "../layout/names.ts";
import type { Nuid } from "../layout/nuid.ts";
import type { RawInfo } from "../layout/unknown_fields.ts";
import { describeGroup, describeParts } from "./describe.ts";

const info: ObjectInfo = {
  key: "video" as ObjectKey,
  size: 5,
  etag: "0123456789abcdef0123456789abcdef-1",
  modified: new Date(0),
  properties: { system: { contentType: "video/mp4" }, user: { color: "red" }, tags: {} },
  checksum: undefined,
  owner: "alice",
  partSizes: [5],
  retention: undefined,
};
const written = {
  received: { size: 5, md5: "", sha256: "ab".repeat(32), checksum: undefined },
  chunkSize: 131_072,
  sequences: [7],
};
const store = "films" as StoreName;
const nuid = "new" as Nuid;
const LIMIT = 900_000;

/** Object info of an upload in parts, to which other programs have added fields. */
function rawInfo(): Record<string, unknown> {
  const parts = { algorithm: undefined, checksumType: undefined, parts: [] };
  return JSON.parse(describeParts(store, "old" as Nuid, info, parts, LIMIT).message);
}

Deno.test("describeGroup() keeps the fields of rewritten object info that it does not know", () => {
  const plain = rawInfo();
  const raw: RawInfo = {
    ...plain,
    description: "a film",
    metadata: { ...plain["metadata"] as RawInfo, color: "blue", "x-amz-object-lock-mode": "X" },
    headers: { ...plain["headers"] as RawInfo, "X-Native": ["1"] },
    options: { ...plain["options"] as RawInfo, future: true },
  };
  const expected = JSON.parse(describeGroup(store, nuid, info, written, LIMIT).message);
  deepStrictEqual(JSON.parse(describeGroup(store, nuid, info, written, LIMIT, raw).message), {
    ...expected,
    description: "a film",
    metadata: { ...expected.metadata, color: "blue", "x-amz-object-lock-mode": "X" },
    headers: { ...expected.headers, "X-Native": ["1"] },
    options: { ...expected.options, future: true },
  });
});

Deno.test("describeGroup() writes the same bytes for a rewrite of object info without unknown fields", () => {
  const { message } = describeGroup(store, nuid, info, written, LIMIT);
  strictEqual(describeGroup(store, nuid, info, written, LIMIT, rawInfo()).message, message);
});

Deno.test("describeGroup() leaves out a seek table that does not fit into a message", () => {
  let last = 0;
  const sequences = Array.from({ length: 40_000 }, (_, i) => last += 1 + i % 3);
  const plain = { ...info, partSizes: undefined };
  const long = { ...written, sequences };
  const fitting = describeGroup(store, nuid, plain, long, LIMIT);
  ok(fitting.chunkMap !== undefined && fitting.chunkMap.length > 64_000);
  match(fitting.message, /"s3.layout":"seek"/);
  match(fitting.message, /"s3.first":"1"/);
  const without = describeGroup(store, nuid, plain, long, 64_000);
  strictEqual(without.chunkMap, undefined);
  doesNotMatch(without.message, /s3.layout|s3.seek/);
  match(without.message, /"s3.first":"1"/);
});
