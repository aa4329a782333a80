/** Multipart uploads. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Checks, type Given, type Output, shows, textOf } from "../check.ts";

/** Formats the argument of Complete from ETags by part number. */
function list(parts: Readonly<Record<number, string>>): string {
  return JSON.stringify({
    Parts: Object.entries(parts).map(([number, ETag]) => ({ PartNumber: Number(number), ETag })),
  });
}

async function complete(
  { aws }: Given,
  key: string,
  id: string,
  parts: Readonly<Record<number, string>>,
): Promise<Output> {
  return await aws`s3api complete-multipart-upload --bucket BUCKET --key ${key} --upload-id=${id}
    --multipart-upload ${list(parts)}`;
}

export const MULTIPART: Checks = {
  "parts become one object": async (given) => {
    const { aws, begin, part, read } = given;
    const id = await begin("a");
    const parts = { 1: await part("a", id, 1, "five-mib"), 2: await part("a", id, 2, "hello") };
    shows((await complete(given, "a", id, parts)).json, {
      Bucket: given.bucket,
      Key: "a",
      ETag: /^"[0-9a-f]{32}-2"$/,
      Location: /a$/,
    });
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, {
      ContentLength: 5 * 1024 * 1024 + 5,
    });
    await aws`s3api get-object --bucket BUCKET --key a --range bytes=-6 out`;
    strictEqual((await read("out")).slice(1), "hello");
  },
  "nothing is visible before Complete": async ({ aws, begin, part, refused }) => {
    const id = await begin("a");
    await part("a", id, 1, "hello");
    await refused("404", 404)`s3api head-object --bucket BUCKET --key a`;
    strictEqual((await aws`s3 ls s3://BUCKET`).text, "");
  },
  "metadata is sent at the start": async (given) => {
    const { aws, part } = given;
    const begun = await aws`s3api create-multipart-upload --bucket BUCKET --key a
      --content-type text/x --metadata one=1`;
    const id = textOf(begun, "UploadId");
    shows(begun.json, { Bucket: given.bucket, Key: "a" });
    await complete(given, "a", id, { 1: await part("a", id, 1, "hello") });
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, {
      ContentType: "text/x",
      Metadata: { one: "1" },
    });
  },
  "part numbers may have gaps; parts may come in any order and repeatedly": async (given) => {
    const { aws, begin, part, read } = given;
    const id = await begin("a");
    const last = await part("a", id, 10_000, "hello");
    await part("a", id, 7, "hello");
    const first = await part("a", id, 7, "five-mib");
    await complete(given, "a", id, { 7: first, 10000: last });
    await aws`s3api get-object --bucket BUCKET --key a --range bytes=5242880- out`;
    strictEqual(await read("out"), "hello");
  },
  "parts that Complete leaves out are not in the object": async (given) => {
    const { aws, begin, part } = given;
    const id = await begin("a");
    const etag = await part("a", id, 1, "hello");
    await part("a", id, 2, "digits");
    await complete(given, "a", id, { 1: etag });
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, { ContentLength: 5 });
  },
  "list-parts, also in pages": async ({ aws, begin, part }) => {
    const id = await begin("a");
    for (const number of [3, 1, 2]) await part("a", id, number, "hello");
    const { json } = await aws`s3api list-parts --bucket BUCKET --key a --upload-id=${id}
      --page-size 2`;
    shows(json, {
      Parts: [1, 2, 3].map((PartNumber) => ({
        PartNumber,
        Size: 5,
        ETag: '"5d41402abc4b2a76b9719d911017c592"',
        LastModified: /20\d\d/,
      })),
    });
    const page = await aws`s3api list-parts --bucket BUCKET --key a --upload-id=${id} --max-parts 1
      --part-number-marker 1 --no-paginate`;
    shows(page.json, {
      IsTruncated: true,
      MaxParts: 1,
      PartNumberMarker: 1,
      NextPartNumberMarker: 2,
      Parts: [{ PartNumber: 2 }],
    });
  },
  "list-multipart-uploads: prefix, delimiter, pages": async ({ aws, begin, bucket }) => {
    for (const key of ["a/1", "a/2", "b"]) await begin(key);
    const list = async (words: string): Promise<unknown> =>
      (await aws`s3api list-multipart-uploads --bucket BUCKET --no-paginate ${words}`).json;
    shows(await list("--prefix=a/"), {
      Bucket: bucket,
      Uploads: [{ Key: "a/1", UploadId: /./, Initiated: /^2/ }, { Key: "a/2" }],
    });
    shows(await list("--delimiter=/"), {
      Uploads: [{ Key: "b" }],
      CommonPrefixes: [{ Prefix: "a/" }],
    });
    shows(await list("--max-uploads=1"), { IsTruncated: true, NextKeyMarker: "a/1" });
    shows(await list("--key-marker=a/1"), { Uploads: [{ Key: "a/2" }, { Key: "b" }] });
    shows((await aws`s3api list-multipart-uploads --bucket BUCKET --page-size 1`).json, {
      Uploads: [{}, {}, {}],
    });
  },
  "abort-multipart-upload ends an upload": async ({ aws, begin, part, refused }) => {
    const id = await begin("a");
    await part("a", id, 1, "hello");
    await aws`s3api abort-multipart-upload --bucket BUCKET --key a --upload-id=${id}`;
    const gone = refused("NoSuchUpload", 404);
    await gone`s3api list-parts --bucket BUCKET --key a --upload-id=${id}`;
    await gone`s3api upload-part --bucket BUCKET --key a --upload-id=${id} --part-number 1
      --body hello`;
    const { json } = await aws`s3api list-multipart-uploads --bucket BUCKET`;
    strictEqual((json as { Uploads?: unknown } | null)?.Uploads, undefined);
  },
  "an invalid upload id is NoSuchUpload": async ({ refused }) => {
    const none = refused("NoSuchUpload", 404);
    await none`s3api upload-part --bucket BUCKET --key a --upload-id none --part-number 1
      --body hello`;
    await none`s3api list-parts --bucket BUCKET --key a --upload-id none`;
    await none`s3api abort-multipart-upload --bucket BUCKET --key a --upload-id none`;
    await none`s3api complete-multipart-upload --bucket BUCKET --key a --upload-id none
      --multipart-upload ${list({ 1: "etag" })}`;
  },
  "an upload belongs to its key": async ({ begin, refused }) => {
    const id = await begin("a");
    await refused(
      "NoSuchUpload",
      404,
    )`s3api upload-part --bucket BUCKET --key b --upload-id=${id} --part-number 1 --body hello`;
  },
  "a part below 5 MiB that is not the last is EntityTooSmall": async ({ begin, part, refused }) => {
    const id = await begin("a");
    const parts = { 1: await part("a", id, 1, "hello"), 2: await part("a", id, 2, "hello") };
    await refused("EntityTooSmall", 400)`s3api complete-multipart-upload --bucket BUCKET --key a
      --upload-id=${id} --multipart-upload ${list(parts)}`;
  },
  "a missing or different part is InvalidPart": async ({ begin, part, refused }) => {
    const id = await begin("a");
    const etag = await part("a", id, 1, "hello");
    for (const parts of [{ 2: etag }, { 1: '"0123456789abcdef0123456789abcdef"' }]) {
      await refused("InvalidPart", 400)`s3api complete-multipart-upload --bucket BUCKET --key a
        --upload-id=${id} --multipart-upload ${list(parts)}`;
    }
  },
  "parts out of order are InvalidPartOrder": async ({ begin, part, refused }) => {
    const id = await begin("a");
    const etags = [await part("a", id, 1, "five-mib"), await part("a", id, 2, "five-mib")];
    const Parts = [{ PartNumber: 2, ETag: etags[1] }, { PartNumber: 1, ETag: etags[0] }];
    await refused("InvalidPartOrder", 400)`s3api complete-multipart-upload --bucket BUCKET --key a
      --upload-id=${id} --multipart-upload ${JSON.stringify({ Parts })}`;
  },
  "Complete without parts is MalformedXML": async ({ begin, refused }) => {
    const id = await begin("a");
    await refused("MalformedXML", 400)`s3api complete-multipart-upload --bucket BUCKET --key a
      --upload-id=${id} --multipart-upload ${'{"Parts":[]}'}`;
  },
  "part numbers are 1 to 10,000": async ({ begin, refused }) => {
    const id = await begin("a");
    for (const number of [0, 10_001]) {
      await refused(
        "InvalidArgument",
        400,
      )`s3api upload-part --bucket BUCKET --key a --upload-id=${id} --part-number ${number}
        --body hello`;
    }
  },
  "upload-part verifies Content-MD5": async ({ begin, refused }) => {
    const id = await begin("a");
    await refused("BadDigest", 400)`s3api upload-part --bucket BUCKET --key a --upload-id=${id}
      --part-number 1 --body hello --content-md5 1B2M2Y8AsgTpgAmY7PhCfg==`;
  },
  "get-object --part-number reads one part": async (given) => {
    const { aws, begin, part, read } = given;
    const id = await begin("a");
    const parts = { 1: await part("a", id, 1, "five-mib"), 2: await part("a", id, 2, "hello") };
    await complete(given, "a", id, parts);
    shows((await aws`s3api get-object --bucket BUCKET --key a --part-number 2 out`).json, {
      PartsCount: 2,
      ContentLength: 5,
      ContentRange: "bytes 5242880-5242884/5242885",
    });
    strictEqual(await read("out"), "hello");
    shows((await aws`s3api head-object --bucket BUCKET --key a --part-number 1`).json, {
      ContentLength: 5_242_880,
    });
    await given.refused(
      "InvalidPartNumber",
      416,
    )`s3api get-object --bucket BUCKET --key a --part-number 3 out`;
  },
  "upload-part-copy copies an object or a range": async (given) => {
    const { aws, begin, put, read } = given;
    await put("source", "five-mib");
    await put("digits", "digits");
    const id = await begin("a");
    const whole = await aws`s3api upload-part-copy --bucket BUCKET --key a --upload-id=${id}
      --part-number 1 --copy-source BUCKET/source`;
    const range = await aws`s3api upload-part-copy --bucket BUCKET --key a --upload-id=${id}
      --part-number 2 --copy-source BUCKET/digits --copy-source-range bytes=3-5`;
    const etags = [whole, range].map(({ json }) => {
      const { CopyPartResult } = json as { CopyPartResult: { ETag: string } };
      shows(json, { CopyPartResult: { ETag: /^"[0-9a-f]{32}"$/, LastModified: /20\d\d/ } });
      return CopyPartResult.ETag;
    });
    await complete(given, "a", id, { 1: etags[0] ?? "", 2: etags[1] ?? "" });
    await aws`s3api get-object --bucket BUCKET --key a --range bytes=-3 out`;
    strictEqual(await read("out"), "345");
  },
  "upload-part-copy rejects a range beyond the source": async ({ begin, put, refused }) => {
    await put("source");
    const id = await begin("a");
    await refused("InvalidArgument", 400)`s3api upload-part-copy --bucket BUCKET --key a
      --upload-id=${id} --part-number 1 --copy-source BUCKET/source
      --copy-source-range bytes=3-99`;
    await refused("NoSuchKey", 404)`s3api upload-part-copy --bucket BUCKET --key a
      --upload-id=${id} --part-number 1 --copy-source BUCKET/none`;
  },
  "Complete with --if-none-match * creates only new objects": async (given) => {
    const { begin, part, put, refused } = given;
    const id = await begin("a");
    const parts = { 1: await part("a", id, 1, "hello") };
    await put("a", "digits");
    await refused("PreconditionFailed", 412)`s3api complete-multipart-upload --bucket BUCKET --key a
      --upload-id=${id} --multipart-upload ${list(parts)} --if-none-match *`;
  },
  "Complete replaces the current object, which is listed once": async (given) => {
    const { aws, begin, part, put } = given;
    await put("a", "digits");
    const id = await begin("a");
    await complete(given, "a", id, { 1: await part("a", id, 1, "hello") });
    const { json } = await aws`s3api list-objects-v2 --bucket BUCKET`;
    shows(json, { Contents: [{ Key: "a", Size: 5, ETag: /-1"$/ }] });
    deepStrictEqual(
      (await aws`s3api list-multipart-uploads --bucket BUCKET --query Uploads`).json,
      null,
    );
  },
};
