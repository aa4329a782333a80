import { deepStrictEqual, throws } from "node:assert/strict";
import { parseCopySource } from "./copy_source.ts";

Deno.test("parseCopySource() accepts every form that clients send", () => {
  const rows: [string, string][] = [
    ["bucket/key", "key"],
    ["/bucket/key", "key"],
    ["bucket%2Fkey", "key"],
    ["bucket/a/b%3FversionId=x", "a/b?versionId=x"],
    ["bucket/a+b%2B", "a+b+"],
    ["bucket//a//../b", "/a//../b"],
    ["bucket/%C3%A9", "é"],
    ["bucket/\u00c3\u00a9", "é"],
  ];
  for (const [header, key] of rows) {
    deepStrictEqual(parseCopySource(header), { bucket: "bucket", key }, header);
  }
  const version = { bucket: "bucket", key: "key", versionId: "null" };
  deepStrictEqual(parseCopySource("bucket/key?versionId=null"), version);
});

Deno.test("parseCopySource() rejects a text that names no object", () => {
  for (const header of ["", "bucket", "bucket/", "/", "//key", "bucket/%zz"]) {
    throws(() => parseCopySource(header), { code: "InvalidArgument" }, header);
  }
  const version = "bucket/key?versionId=3HL4kqtJvjVBH40Nrjfkd3HL4kqtJvjV";
  throws(() => parseCopySource(version), { code: "NoSuchVersion" });
  const accessPoint = "arn:aws:s3:us-west-2:123456789012:accesspoint/a/object/k";
  throws(() => parseCopySource(accessPoint), { code: "NotImplemented" });
});
