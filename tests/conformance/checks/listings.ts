/** ListObjects and ListObjectsV2. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Checks, type Output, shows, textOf } from "../check.ts";

type Listing = {
  readonly Contents?: readonly { readonly Key: string }[];
  readonly CommonPrefixes?: readonly { readonly Prefix: string }[];
};

function keysOf({ json }: Output): string[] {
  return ((json as Listing | null)?.Contents ?? []).map(({ Key }) => Key);
}

function prefixesOf({ json }: Output): string[] {
  return ((json as Listing | null)?.CommonPrefixes ?? []).map(({ Prefix }) => Prefix);
}

const TREE = ["a/1", "a/2", "a/b/3", "c", "d/4", "e"];

export const LISTINGS_V2: Checks = {
  "of an empty bucket": async ({ aws }) => {
    const answer = await aws`s3api list-objects-v2 --bucket BUCKET`;
    deepStrictEqual(keysOf(answer), []);
  },
  "returns key, size, ETag, date and storage class": async ({ aws, put }) => {
    await put("a");
    shows((await aws`s3api list-objects-v2 --bucket BUCKET`).json, {
      Contents: [{
        Key: "a",
        Size: 5,
        ETag: '"5d41402abc4b2a76b9719d911017c592"',
        LastModified: /^2\d{3}-/,
        StorageClass: "STANDARD",
        Owner: undefined,
      }],
    });
  },
  "--fetch-owner": async ({ aws, put }) => {
    await put("a");
    shows((await aws`s3api list-objects-v2 --bucket BUCKET --fetch-owner`).json, {
      Contents: [{ Owner: { ID: /./ } }],
    });
  },
  "in the order of UTF-8 bytes": async ({ aws, put }) => {
    const keys = ["B", "a", "b", "a-", "a/", "\u{ff5e}", "\u{1f600}", "é"];
    for (const key of keys) await put(key);
    const encoder = new TextEncoder();
    const hex = (key: string): string => encoder.encode(key).toHex();
    const sorted = keys.toSorted((a, b) => hex(a) < hex(b) ? -1 : 1);
    deepStrictEqual(keysOf(await aws`s3api list-objects-v2 --bucket BUCKET`), sorted);
  },
  "--prefix": async ({ aws, tree }) => {
    await tree(...TREE);
    const list = async (prefix: string): Promise<string[]> =>
      keysOf(await aws`s3api list-objects-v2 --bucket BUCKET --prefix ${prefix}`);
    deepStrictEqual(await list("a/"), ["a/1", "a/2", "a/b/3"]);
    deepStrictEqual(await list("c"), ["c"]);
    deepStrictEqual(await list("nothing"), []);
  },
  "--delimiter groups keys into common prefixes": async ({ aws, tree }) => {
    await tree(...TREE);
    const answer = await aws`s3api list-objects-v2 --bucket BUCKET --delimiter /`;
    deepStrictEqual(keysOf(answer), ["c", "e"]);
    deepStrictEqual(prefixesOf(answer), ["a/", "d/"]);
  },
  "--prefix with --delimiter": async ({ aws, tree }) => {
    await tree(...TREE);
    const answer = await aws`s3api list-objects-v2 --bucket BUCKET --prefix a/ --delimiter /`;
    deepStrictEqual(keysOf(answer), ["a/1", "a/2"]);
    deepStrictEqual(prefixesOf(answer), ["a/b/"]);
  },
  "--delimiter may be any text of any length": async ({ aws, put }) => {
    for (const key of ["a::1", "a::2", "b:3"]) await put(key);
    const answer = await aws`s3api list-objects-v2 --bucket BUCKET --delimiter ::`;
    deepStrictEqual(keysOf(answer), ["b:3"]);
    deepStrictEqual(prefixesOf(answer), ["a::"]);
  },
  "a key equal to the prefix is listed with the keys below it": async ({ aws, put }) => {
    for (const key of ["a/", "a/1"]) await put(key);
    const answer = await aws`s3api list-objects-v2 --bucket BUCKET --prefix a/ --delimiter /`;
    deepStrictEqual(keysOf(answer), ["a/", "a/1"]);
    deepStrictEqual(prefixesOf(answer), []);
  },
  "in pages, with tokens": async ({ aws, tree }) => {
    await tree(...TREE);
    const all = await aws`s3api list-objects-v2 --bucket BUCKET --page-size 2`;
    deepStrictEqual(keysOf(all), TREE);
    const first = await aws`s3api list-objects-v2 --bucket BUCKET --max-keys 4 --no-paginate`;
    shows(first.json, { IsTruncated: true, KeyCount: 4, MaxKeys: 4 });
    const token = textOf(first, "NextContinuationToken");
    const second = await aws`s3api list-objects-v2 --bucket BUCKET --continuation-token=${token}
      --no-paginate`;
    shows(second.json, { IsTruncated: false, KeyCount: 2, ContinuationToken: token });
    deepStrictEqual([...keysOf(first), ...keysOf(second)], TREE);
  },
  "in pages with a delimiter, without repeating a prefix": async ({ aws, tree }) => {
    await tree(...TREE);
    const answer = await aws`s3api list-objects-v2 --bucket BUCKET --delimiter / --page-size 1`;
    deepStrictEqual(keysOf(answer), ["c", "e"]);
    deepStrictEqual(prefixesOf(answer), ["a/", "d/"]);
  },
  "--max-keys 0 is an empty page": async ({ aws, put }) => {
    await put("a");
    shows((await aws`s3api list-objects-v2 --bucket BUCKET --max-keys 0 --no-paginate`).json, {
      KeyCount: 0,
      IsTruncated: false,
      Contents: undefined,
    });
  },
  "--max-keys over 1000 returns 1000 at most": async ({ aws, put }) => {
    await put("a");
    shows((await aws`s3api list-objects-v2 --bucket BUCKET --max-keys 5000 --no-paginate`).json, {
      KeyCount: 1,
      MaxKeys: 1000,
    });
  },
  "--start-after": async ({ aws, tree }) => {
    await tree(...TREE);
    const answer = await aws`s3api list-objects-v2 --bucket BUCKET --start-after a/b`;
    deepStrictEqual(keysOf(answer), ["a/b/3", "c", "d/4", "e"]);
  },
  "--encoding-type url encodes keys": async ({ aws, put }) => {
    await put("a b+é/ü");
    shows(
      (await aws`s3api list-objects-v2 --bucket BUCKET --encoding-type url --delimiter /
        --no-paginate`).json,
      { EncodingType: "url", CommonPrefixes: [{ Prefix: /^a(\+|%20)b%2B%C3%A9\/$/ }] },
    );
  },
  "rejects an invalid token, number or encoding": async ({ refused }) => {
    const invalid = refused("InvalidArgument", 400);
    await invalid`s3api list-objects-v2 --bucket BUCKET --continuation-token none --no-paginate`;
    await invalid`s3api list-objects-v2 --bucket BUCKET --max-keys=-1 --no-paginate`;
    await invalid`s3api list-objects-v2 --bucket BUCKET --encoding-type other --no-paginate`;
  },
  "immediately lists written objects and no deleted ones": async ({ aws, put }) => {
    for (let i = 0; i < 3; i++) {
      await put("a");
      deepStrictEqual(keysOf(await aws`s3api list-objects-v2 --bucket BUCKET`), ["a"]);
      await aws`s3api delete-object --bucket BUCKET --key a`;
      deepStrictEqual(keysOf(await aws`s3api list-objects-v2 --bucket BUCKET`), []);
    }
  },
  "s3 ls shows prefixes, and everything with --recursive": async ({ aws, tree }) => {
    await tree(...TREE);
    shows((await aws`s3 ls s3://BUCKET`).text, /^ +PRE a\/\n +PRE d\/\n.* 5 c\n.* 5 e\n$/);
    const all = await aws`s3 ls --recursive --summarize --human-readable s3://BUCKET/a`;
    shows(all.text, /5 Bytes a\/1\n[^]*Total Objects: 3\n +Total Size: 15 Bytes\n$/);
  },
};

export const LISTINGS_V1: Checks = {
  "always returns the owner": async ({ aws, put }) => {
    await put("a");
    shows((await aws`s3api list-objects --bucket BUCKET`).json, {
      Contents: [{ Key: "a", Size: 5, Owner: { ID: /./ } }],
    });
  },
  "--prefix with --delimiter": async ({ aws, tree }) => {
    await tree(...TREE);
    const answer = await aws`s3api list-objects --bucket BUCKET --prefix a/ --delimiter /`;
    deepStrictEqual(keysOf(answer), ["a/1", "a/2"]);
    deepStrictEqual(prefixesOf(answer), ["a/b/"]);
  },
  "--marker": async ({ aws, tree }) => {
    await tree(...TREE);
    const answer = await aws`s3api list-objects --bucket BUCKET --marker a/b/3 --no-paginate`;
    shows(answer.json, { Marker: "a/b/3", IsTruncated: false });
    deepStrictEqual(keysOf(answer), ["c", "d/4", "e"]);
  },
  "in pages, with NextMarker only if there is a delimiter": async ({ aws, tree }) => {
    await tree(...TREE);
    shows((await aws`s3api list-objects --bucket BUCKET --max-keys 2 --no-paginate`).json, {
      IsTruncated: true,
      MaxKeys: 2,
      NextMarker: undefined,
    });
    shows(
      (await aws`s3api list-objects --bucket BUCKET --max-keys 1 --delimiter / --no-paginate`).json,
      { IsTruncated: true, NextMarker: "a/" },
    );
    const answer = await aws`s3api list-objects --bucket BUCKET --delimiter / --page-size 1`;
    deepStrictEqual(keysOf(answer), ["c", "e"]);
    deepStrictEqual(prefixesOf(answer), ["a/", "d/"]);
    deepStrictEqual(keysOf(await aws`s3api list-objects --bucket BUCKET --page-size 2`), TREE);
  },
  "--encoding-type url encodes keys and markers": async ({ aws, put }) => {
    for (const key of ["a b", "a+c"]) await put(key);
    shows(
      (await aws`s3api list-objects --bucket BUCKET --encoding-type url --marker ${"a b"}
        --no-paginate`).json,
      { EncodingType: "url", Contents: [{ Key: "a%2Bc" }] },
    );
  },
  "rejects an invalid number": async ({ refused }) => {
    await refused(
      "InvalidArgument",
      400,
    )`s3api list-objects --bucket BUCKET --max-keys=-1 --no-paginate`;
  },
};

/** Keys that some program on the way may encode, fold or misread. */
const KEYS = [
  "with space",
  " spaces around ",
  "plus+plus",
  "100%",
  "percent%20encoded%2F",
  "a&b=c?d#e;f,g:h@i!$'()*",
  'quotes"<angles>`back`\\slash',
  "[brackets]{braces}|^~",
  "nfc \u00e9",
  "nfd e\u0301",
  "日本語/ファイル",
  "emoji \u{1f600}\u{1f468}\u200d\u{1f469}",
  "slash at the end/",
  "/slash first",
  "two//slashes",
  "./dot/../dots/..",
  "new\nline and\ttab",
  "007",
  "null",
] as const;

export const KEYS_OF_ALL_KINDS: Checks = {
  ...Object.fromEntries(KEYS.map((key) => [
    JSON.stringify(key),
    async ({ aws, put, read }) => {
      await put(key);
      await aws`s3api get-object --bucket BUCKET --key ${key} out`;
      strictEqual(await read("out"), "hello");
      deepStrictEqual(keysOf(await aws`s3api list-objects-v2 --bucket BUCKET`), [key]);
      deepStrictEqual(keysOf(await aws`s3api list-objects --bucket BUCKET`), [key]);
      await aws`s3api copy-object --bucket BUCKET --key copy
        --copy-source BUCKET/${key}`;
      const objects = JSON.stringify({ Objects: [{ Key: key }] });
      shows((await aws`s3api delete-objects --bucket BUCKET --delete ${objects}`).json, {
        Deleted: [{ Key: key }],
      });
      deepStrictEqual(keysOf(await aws`s3api list-objects-v2 --bucket BUCKET`), ["copy"]);
    },
  ])),
  "of 1,024 bytes; 1,025 are KeyTooLongError": async ({ aws, put, refused }) => {
    const key = "é".repeat(512);
    await put(key);
    deepStrictEqual(keysOf(await aws`s3api list-objects-v2 --bucket BUCKET`), [key]);
    await refused(
      "KeyTooLongError",
      400,
    )`s3api put-object --bucket BUCKET --key ${key + "a"} --body hello`;
  },
  "that differ only in case or normal form are different": async ({ aws, put }) => {
    for (const key of ["a", "A", "\u00e9", "e\u0301"]) await put(key);
    strictEqual(keysOf(await aws`s3api list-objects-v2 --bucket BUCKET`).length, 4);
  },
};
