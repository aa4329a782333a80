import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { ObjectKey } from "../../s3/names.ts";
import { firstChunkOf } from "./info_metadata.ts";
import { newNuid } from "./nuid.ts";
import { isStray } from "./stray_info.ts";

const key = "k" as ObjectKey;
const nuid = newNuid(key);
/** Sequences of a stream and of an earlier one of its name. */
const [OLD, NEW] = [1_796_000_000_000_000, 1_796_000_500_000_000];

Deno.test("object info is stray if its chunks are older than its stream, or newer than itself", () => {
  const inNew = { since: NEW, sequence: NEW + 20 };
  strictEqual(isStray(key, nuid, OLD + 5, inNew), true);
  strictEqual(isStray(key, nuid, NEW + 5, inNew), false);
  strictEqual(isStray(key, nuid, NEW, inNew), false);
  // The clock of the gateway that made the new stream is behind.
  strictEqual(isStray(key, nuid, NEW + 5, { since: OLD, sequence: OLD + 20 }), true);
});

Deno.test("object info is not stray where nothing proves it", () => {
  const inNew = { since: NEW, sequence: NEW + 20 };
  strictEqual(isStray(key, nuid, undefined, inNew), false);
  strictEqual(isStray(key, nuid, 5, { since: 0, sequence: 2 }), false);
  // A native client copied the metadata of an object.
  strictEqual(isStray(key, newNuid("other" as ObjectKey), OLD + 5, inNew), false);
  strictEqual(isStray(key, undefined, OLD + 5, inNew), false);
});

Deno.test("the first chunk is stated by itself or by the seek table", () => {
  const found = ["1a", "1a,1*63,3", "1a*2", "-1", "", "!"].map((seek) =>
    firstChunkOf({ "s3.seek": seek })
  );
  deepStrictEqual(found, [46, 46, 46, -1, undefined, undefined]);
  strictEqual(firstChunkOf({ "s3.first": "1a", "s3.seek": "1b" }), 46);
  strictEqual(firstChunkOf({}), undefined);
});
