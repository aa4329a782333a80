/** CopyObject and DeleteObjects. */

import { strictEqual } from "node:assert/strict";
import { type Checks, shows } from "../check.ts";

const ETag = '"5d41402abc4b2a76b9719d911017c592"';
const OTHER = '"0123456789abcdef0123456789abcdef"';
const PAST = "2001-01-01T00:00:00Z";
const FUTURE = "2999-01-01T00:00:00Z";

export const COPIES: Checks = {
  "copy-object copies bytes and metadata": async ({ aws, read }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body hello --content-type text/x
      --metadata one=1`;
    shows((await aws`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/a`).json, {
      CopyObjectResult: { ETag, LastModified: /20\d\d/ },
    });
    shows((await aws`s3api get-object --bucket BUCKET --key b out`).json, {
      ContentType: "text/x",
      Metadata: { one: "1" },
    });
    strictEqual(await read("out"), "hello");
  },
  "copy-object --metadata-directive REPLACE": async ({ aws }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body hello --content-type text/x
      --metadata one=1`;
    await aws`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/a --metadata two=2
      --metadata-directive REPLACE`;
    shows((await aws`s3api head-object --bucket BUCKET --key b`).json, {
      ContentType: "binary/octet-stream",
      Metadata: { one: undefined, two: "2" },
    });
  },
  "copy-object onto itself must change something": async ({ aws, put, refused }) => {
    await put("a");
    await refused(
      "InvalidRequest",
      400,
    )`s3api copy-object --bucket BUCKET --key a --copy-source BUCKET/a`;
    await aws`s3api copy-object --bucket BUCKET --key a --copy-source BUCKET/a --metadata two=2
      --metadata-directive REPLACE`;
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, { Metadata: { two: "2" } });
  },
  "copy-object from another bucket, with or without a slash": async ({ aws, put, bucket }) => {
    await put("a");
    await aws`s3 mb s3://BUCKET-two`;
    await aws`s3api copy-object --bucket BUCKET-two --key a --copy-source /BUCKET/a`;
    await aws`s3api copy-object --bucket BUCKET-two --key b --copy-source ${bucket}/a`;
    await aws`s3 rb --force s3://BUCKET-two`;
  },
  "copy-object of a missing object": async ({ refused }) => {
    await refused(
      "NoSuchKey",
      404,
    )`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/none`;
    await refused(
      "NoSuchBucket",
      404,
    )`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET-none/a`;
  },
  "copy-object: the source's conditions": async ({ aws, put, refused }) => {
    await put("a");
    await aws`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/a
      --copy-source-if-match ${ETag} --copy-source-if-unmodified-since ${PAST}`;
    await aws`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/a
      --copy-source-if-none-match ${OTHER} --copy-source-if-modified-since ${PAST}`;
    const failed = refused("PreconditionFailed", 412);
    await failed`s3api copy-object --bucket BUCKET --key c --copy-source BUCKET/a
      --copy-source-if-match ${OTHER}`;
    await failed`s3api copy-object --bucket BUCKET --key c --copy-source BUCKET/a
      --copy-source-if-none-match ${ETag}`;
    await failed`s3api copy-object --bucket BUCKET --key c --copy-source BUCKET/a
      --copy-source-if-unmodified-since ${PAST}`;
    await aws`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/a
      --copy-source-if-unmodified-since ${FUTURE}`;
    await refused("404", 404)`s3api head-object --bucket BUCKET --key c`;
  },
  "copy-object --checksum-algorithm adds a checksum": async ({ aws, put }) => {
    await put("a");
    const { json } = await aws`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/a
      --checksum-algorithm SHA256`;
    shows(json, {
      CopyObjectResult: { ChecksumSHA256: "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=" },
    });
  },
  "copy-object of an object in parts returns a new ETag": async ({ aws }) => {
    await aws`s3 cp --no-progress twelve-mib s3://BUCKET/a`;
    const { json } = await aws`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/a`;
    shows(json, { CopyObjectResult: { ETag: /^"[0-9a-f]{32}"$/ } });
  },
};

export const DELETES: Checks = {
  "delete-objects deletes many": async ({ aws, tree }) => {
    await tree("a", "b", "c/d");
    const Objects = ["a", "c/d", "never there"].map((Key) => ({ Key }));
    const { json } = await aws`s3api delete-objects --bucket BUCKET
      --delete ${JSON.stringify({ Objects })}`;
    shows(json, { Deleted: Objects, Errors: undefined });
    shows((await aws`s3 ls --recursive s3://BUCKET`).text, / b\n$/);
  },
  "delete-objects returns nothing in quiet mode": async ({ aws, put }) => {
    await put("a");
    const quiet = JSON.stringify({ Objects: [{ Key: "a" }], Quiet: true });
    strictEqual((await aws`s3api delete-objects --bucket BUCKET --delete ${quiet}`).text, "");
    strictEqual((await aws`s3 ls s3://BUCKET`).text, "");
  },
  "delete-objects accepts 1,000 keys": async ({ aws, refused, write }) => {
    const Objects = Array.from({ length: 1000 }, (_, i) => ({ Key: `k${i}` }));
    await write("delete.json", JSON.stringify({ Objects }));
    const { json } = await aws`s3api delete-objects --bucket BUCKET --delete file://delete.json
      --query length(Deleted)`;
    strictEqual(json, 1000);
    await write("delete.json", JSON.stringify({ Objects: [...Objects, { Key: "more" }] }));
    await refused(
      "MalformedXML",
      400,
    )`s3api delete-objects --bucket BUCKET --delete file://delete.json`;
  },
  "delete-objects without objects is MalformedXML": async ({ refused }) => {
    await refused(
      "MalformedXML",
      400,
    )`s3api delete-objects --bucket BUCKET --delete ${'{"Objects":[]}'}`;
  },
  "delete-objects compares ETags": async ({ aws, put }) => {
    for (const key of ["a", "b"]) await put(key);
    const Objects = [{ Key: "a", ETag }, { Key: "b", ETag: OTHER }];
    const { json } = await aws`s3api delete-objects --bucket BUCKET
      --delete ${JSON.stringify({ Objects })}`;
    shows(json, { Deleted: [{ Key: "a" }], Errors: [{ Key: "b", Code: "PreconditionFailed" }] });
  },
  "s3 rm deletes one object, or with --recursive all below": async ({ aws, tree }) => {
    await tree("a/1", "a/2", "b");
    await aws`s3 rm s3://BUCKET/b`;
    shows((await aws`s3 ls --recursive s3://BUCKET`).text, / a\/1\n.* a\/2\n$/);
    await aws`s3 rm --recursive --exclude * --include */2 s3://BUCKET`;
    shows((await aws`s3 ls --recursive s3://BUCKET`).text, /^[^\n]* a\/1\n$/);
  },
};
