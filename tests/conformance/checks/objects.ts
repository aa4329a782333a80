/** Objects: writing, reading, deleting, metadata, ranges. */

import { strictEqual } from "node:assert/strict";
import { type Checks, shows } from "../check.ts";

/** MD5 of `hello`. */
const MD5 = "5d41402abc4b2a76b9719d911017c592";
const ETag = `"${MD5}"`;

export const OBJECTS: Checks = {
  "put-object returns the MD5 as ETag": async ({ put }) => {
    shows((await put("a")).json, { ETag });
  },
  "get-object returns the bytes and their metadata": async ({ aws, put, read }) => {
    await put("a");
    shows((await aws`s3api get-object --bucket BUCKET --key a out`).json, {
      AcceptRanges: "bytes",
      ContentLength: 5,
      ContentType: "binary/octet-stream",
      ETag,
      LastModified: /20\d\d/,
      Metadata: {},
    });
    strictEqual(await read("out"), "hello");
  },
  "head-object returns the same without the bytes": async ({ aws, put }) => {
    await put("a");
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, { ContentLength: 5, ETag });
  },
  "objects may be empty": async ({ aws, read }) => {
    shows((await aws`s3api put-object --bucket BUCKET --key a`).json, {
      ETag: '"d41d8cd98f00b204e9800998ecf8427e"',
    });
    shows((await aws`s3api get-object --bucket BUCKET --key a out`).json, { ContentLength: 0 });
    strictEqual(await read("out"), "");
  },
  "put-object replaces the object and its metadata": async ({ aws, put, read }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body digits --metadata one=1`;
    await put("a");
    shows((await aws`s3api get-object --bucket BUCKET --key a out`).json, { Metadata: {} });
    strictEqual(await read("out"), "hello");
  },
  "delete-object deletes, and succeeds for a missing object": async (given) => {
    const { aws, put, refused } = given;
    await put("a");
    await aws`s3api delete-object --bucket BUCKET --key a`;
    await aws`s3api delete-object --bucket BUCKET --key a`;
    await refused("NoSuchKey", 404)`s3api get-object --bucket BUCKET --key a out`;
    await refused("404", 404)`s3api head-object --bucket BUCKET --key a`;
  },
  "get-object can override response headers": async ({ aws, put }) => {
    await put("a");
    shows(
      (await aws`s3api get-object --bucket BUCKET --key a --response-content-type text/x
        --response-cache-control no-store --response-content-language de
        --response-content-disposition inline --response-content-encoding identity out`).json,
      {
        ContentType: "text/x",
        CacheControl: "no-store",
        ContentLanguage: "de",
        ContentDisposition: "inline",
        ContentEncoding: "identity",
      },
    );
  },
  "put-object verifies Content-MD5": async ({ aws, refused }) => {
    const md5 = Uint8Array.fromHex(MD5).toBase64();
    await aws`s3api put-object --bucket BUCKET --key a --body hello --content-md5 ${md5}`;
    await refused(
      "BadDigest",
      400,
    )`s3api put-object --bucket BUCKET --key b --body digits --content-md5 ${md5}`;
    await refused(
      "InvalidDigest",
      400,
    )`s3api put-object --bucket BUCKET --key b --body digits --content-md5 short`;
    await refused("404", 404)`s3api head-object --bucket BUCKET --key b`;
  },
};

export const METADATA: Checks = {
  "put-object stores the headers that describe content": async ({ aws }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body hello --content-type text/x-odd
      --cache-control max-age=60 --content-language de,en --content-encoding identity
      --content-disposition ${'attachment; filename="a b.txt"'} --expires 2040-01-02T03:04:05Z`;
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, {
      ContentType: "text/x-odd",
      CacheControl: "max-age=60",
      ContentLanguage: "de,en",
      ContentEncoding: "identity",
      ContentDisposition: 'attachment; filename="a b.txt"',
      ExpiresString: "Mon, 02 Jan 2040 03:04:05 GMT",
    });
  },
  "put-object stores user metadata with lower-case names": async ({ aws }) => {
    const metadata = JSON.stringify({ One: "1", "with-dash": "a, b=c", empty: "" });
    await aws`s3api put-object --bucket BUCKET --key a --body hello --metadata ${metadata}`;
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, {
      Metadata: { one: "1", "with-dash": "a, b=c", empty: "" },
    });
  },
  "put-object rejects user metadata over 2 KB": async ({ refused, aws }) => {
    await aws`s3api put-object --bucket BUCKET --key a --metadata k=${"v".repeat(2047)}`;
    await refused(
      "MetadataTooLarge",
      400,
    )`s3api put-object --bucket BUCKET --key b --metadata k=${"v".repeat(2048)}`;
  },
  "s3 cp guesses the content type, or accepts one": async ({ aws, write }) => {
    await write("page.html", "<p>");
    await aws`s3 cp --no-progress page.html s3://BUCKET/`;
    shows((await aws`s3api head-object --bucket BUCKET --key page.html`).json, {
      ContentType: "text/html",
    });
    await aws`s3 cp --no-progress --content-type text/x page.html s3://BUCKET/`;
    shows((await aws`s3api head-object --bucket BUCKET --key page.html`).json, {
      ContentType: "text/x",
    });
  },
  "s3 cp --metadata also works in parts": async ({ aws }) => {
    await aws`s3 cp --no-progress --metadata one=1 --cache-control no-cache twelve-mib s3://BUCKET/a`;
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, {
      Metadata: { one: "1" },
      CacheControl: "no-cache",
      ETag: /-2"$/,
    });
  },
};

/** Ranges of `0123456789`, and the responses to them. */
const RANGES = {
  "bytes=0-3": ["0123", "bytes 0-3/10"],
  "bytes=4-4": ["4", "bytes 4-4/10"],
  "bytes=7-": ["789", "bytes 7-9/10"],
  "bytes=-3": ["789", "bytes 7-9/10"],
  "bytes=-30": ["0123456789", "bytes 0-9/10"],
  "bytes=8-999": ["89", "bytes 8-9/10"],
} as const;

export const READING_RANGES: Checks = {
  ...Object.fromEntries(
    Object.entries(RANGES).map(([range, [text, ContentRange]]) => [
      `get-object --range ${range}`,
      async ({ aws, put, read }) => {
        await put("a", "digits");
        const { json } = await aws`s3api get-object --bucket BUCKET --key a --range ${range} out`;
        shows(json, { ContentRange, ContentLength: text.length });
        strictEqual(await read("out"), text);
      },
    ]),
  ),
  "get-object beyond the end is InvalidRange": async ({ put, refused }) => {
    await put("a", "digits");
    for (const range of ["bytes=10-", "bytes=-0"]) {
      await refused(
        "InvalidRange",
        416,
      )`s3api get-object --bucket BUCKET --key a --range ${range} out`;
    }
  },
  "get-object ignores an invalid range": async ({ aws, put, read }) => {
    await put("a", "digits");
    for (const range of ["bytes=5-4", "lines=1-2"]) {
      const { json } = await aws`s3api get-object --bucket BUCKET --key a --range ${range} out`;
      shows(json, { ContentLength: 10, ContentRange: undefined });
      strictEqual(await read("out"), "0123456789");
    }
  },
  "head-object with a range returns its length": async ({ aws, put }) => {
    await put("a", "digits");
    shows((await aws`s3api head-object --bucket BUCKET --key a --range bytes=2-4`).json, {
      ContentLength: 3,
    });
  },
  "get-object reads a range across parts": async ({ aws, folder }) => {
    await aws`s3 cp --no-progress twelve-mib s3://BUCKET/a`;
    const [from, to] = [8 * 1024 * 1024 - 100, 8 * 1024 * 1024 + 99];
    await aws`s3api get-object --bucket BUCKET --key a --range bytes=${from}-${to} out`;
    const whole = await Deno.readFile(`${folder}/twelve-mib`);
    const part = await Deno.readFile(`${folder}/out`);
    strictEqual(part.toHex(), whole.subarray(from, to + 1).toHex());
  },
};

const PAST = "2001-01-01T00:00:00Z";
const FUTURE = "2999-01-01T00:00:00Z";

export const CONDITIONS: Checks = {
  "get-object --if-match": async ({ aws, put, refused }) => {
    await put("a");
    await aws`s3api get-object --bucket BUCKET --key a --if-match ${ETag} out`;
    await refused(
      "PreconditionFailed",
      412,
    )`s3api get-object --bucket BUCKET --key a --if-match ${'"other"'} out`;
  },
  "get-object --if-none-match returns 304": async ({ aws, put, refused }) => {
    await put("a");
    await aws`s3api get-object --bucket BUCKET --key a --if-none-match ${'"other"'} out`;
    await refused(
      "304",
      304,
    )`s3api get-object --bucket BUCKET --key a --if-none-match ${ETag} out`;
  },
  "get-object --if-modified-since": async ({ aws, put, refused }) => {
    await put("a");
    await aws`s3api get-object --bucket BUCKET --key a --if-modified-since ${PAST} out`;
    const { json } = await aws`s3api head-object --bucket BUCKET --key a`;
    const { LastModified } = json as { LastModified: string };
    await refused(
      "304",
      304,
    )`s3api get-object --bucket BUCKET --key a --if-modified-since ${LastModified} out`;
  },
  "get-object --if-unmodified-since": async ({ aws, put, refused }) => {
    await put("a");
    await aws`s3api get-object --bucket BUCKET --key a --if-unmodified-since ${FUTURE} out`;
    await refused(
      "PreconditionFailed",
      412,
    )`s3api get-object --bucket BUCKET --key a --if-unmodified-since ${PAST} out`;
  },
  "get-object: If-Match overrides If-Unmodified-Since": async ({ aws, put }) => {
    await put("a");
    await aws`s3api get-object --bucket BUCKET --key a
      --if-match ${ETag} --if-unmodified-since ${PAST} out`;
  },
  "get-object: If-None-Match overrides If-Modified-Since": async ({ put, refused }) => {
    await put("a");
    await refused("304", 304)`s3api get-object --bucket BUCKET --key a
      --if-none-match ${ETag} --if-modified-since ${PAST} out`;
  },
  "head-object: 412 and 304 without a body": async ({ put, refused }) => {
    await put("a");
    await refused("412", 412)`s3api head-object --bucket BUCKET --key a --if-match ${'"other"'}`;
    await refused("304", 304)`s3api head-object --bucket BUCKET --key a --if-none-match ${ETag}`;
  },
  "put-object --if-none-match * writes only new objects": async ({ aws, read, refused }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body digits --if-none-match *`;
    await refused(
      "PreconditionFailed",
      412,
    )`s3api put-object --bucket BUCKET --key a --body hello --if-none-match *`;
    await aws`s3api get-object --bucket BUCKET --key a out`;
    strictEqual(await read("out"), "0123456789");
  },
  "put-object --if-match replaces only the expected object": async ({ aws, put, refused }) => {
    await put("a");
    await aws`s3api put-object --bucket BUCKET --key a --body digits --if-match ${ETag}`;
    await refused(
      "PreconditionFailed",
      412,
    )`s3api put-object --bucket BUCKET --key a --body hello --if-match ${ETag}`;
    await refused(
      "NoSuchKey",
      404,
    )`s3api put-object --bucket BUCKET --key none --body hello --if-match ${ETag}`;
  },
  "delete-object --if-match deletes only the expected object": async ({ aws, put, refused }) => {
    await put("a");
    await refused(
      "PreconditionFailed",
      412,
    )`s3api delete-object --bucket BUCKET --key a --if-match ${'"other"'}`;
    await aws`s3api delete-object --bucket BUCKET --key a --if-match ${ETag}`;
    await refused("404", 404)`s3api head-object --bucket BUCKET --key a`;
  },
};
