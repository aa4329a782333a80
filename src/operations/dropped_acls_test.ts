import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { BucketName } from "../s3/names.ts";
import { createDropAcl } from "./dropped_acls.ts";

Deno.test("a dropped ACL is counted each time and logged once for each bucket", () => {
  const lines: unknown[] = [];
  const counted: string[] = [];
  const drop = createDropAcl(
    { info: (_message, fields) => void lines.push(fields) },
    (acl) => void counted.push(acl),
  );
  drop("a" as BucketName, "public-read");
  drop("a" as BucketName, "grants");
  drop("b" as BucketName, "public-read");
  deepStrictEqual(counted, ["public-read", "grants", "public-read"]);
  deepStrictEqual(lines, [
    { bucket: "a", acl: "public-read" },
    { bucket: "b", acl: "public-read" },
  ]);
});

Deno.test("logged buckets take a bounded number of places", () => {
  let lines = 0;
  const drop = createDropAcl({ info: () => void lines++ }, () => {});
  const drops = (count: number): void => {
    for (let i = 0; i < count; i++) drop(`b${i}` as BucketName, "public-read");
  };
  drops(10_000);
  drops(10_000);
  strictEqual(lines, 10_000);
  // One more bucket takes the place of the one that was used longest ago.
  drop("another" as BucketName, "public-read");
  drop("b0" as BucketName, "public-read");
  strictEqual(lines, 10_002);
});
