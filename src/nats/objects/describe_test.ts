import { deepStrictEqual, strictEqual } from "node:assert/strict";
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
