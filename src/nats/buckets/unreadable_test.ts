import { deepStrictEqual } from "node:assert/strict";
import type { BucketName } from "../../s3/names.ts";
import { createUnreadableReports } from "./unreadable.ts";

const [a, b] = ["a", "b"] as BucketName[] as [BucketName, BucketName];

Deno.test("an unreadable record is counted each time and logged once for each bucket and kind", () => {
  const lines: unknown[] = [];
  const counted: string[] = [];
  const report = createUnreadableReports(
    { warn: (message, fields) => void lines.push([message, fields]) },
    (kind) => void counted.push(kind),
  );
  report(a, "trash", "$O.a.S3.trash.x", "no key");
  report(a, "trash", "$O.a.S3.trash.y");
  report(a, "upload", "$O.a.S3.upload.x");
  report(b, "trash", "$O.b.S3.trash.x");
  deepStrictEqual(counted, ["trash", "trash", "upload", "trash"]);
  const message = "record cannot be read";
  deepStrictEqual(lines, [
    [message, { bucket: a, kind: "trash", subject: "$O.a.S3.trash.x", reason: "no key" }],
    [message, { bucket: a, kind: "upload", subject: "$O.a.S3.upload.x" }],
    [message, { bucket: b, kind: "trash", subject: "$O.b.S3.trash.x" }],
  ]);
});
