import { deepStrictEqual, throws } from "node:assert/strict";
import type { BucketName } from "./names.ts";
import { checkRename, parseClientToken, parseRenameSource } from "./rename.ts";

const bucket = "photos" as BucketName;

Deno.test("parseRenameSource() tries the text as it stands before what else it may mean", () => {
  const cases: readonly (readonly [header: string, ...keys: string[]])[] = [
    ["a", "a"],
    ["/a", "/a", "a"],
    ["photos/a/b", "photos/a/b", "a/b"],
    ["/photos/a", "/photos/a", "photos/a", "a"],
    ["photos2/a", "photos2/a"],
    ["a%2Fb%20c+d", "a/b c+d"],
    ["\u00c3\u00a9", "é"],
  ];
  for (const [header, ...keys] of cases) deepStrictEqual(parseRenameSource(header, bucket), keys);
});

Deno.test("parseRenameSource() refuses what names no key", () => {
  for (const header of [null, "", "a/", "photos/", "/", "a%2F"]) {
    throws(() => parseRenameSource(header, bucket), { code: "InvalidRequest" }, `${header}`);
  }
  throws(() => parseRenameSource("%zz", bucket), { code: "InvalidArgument" });
  throws(() => parseRenameSource("a".repeat(1025), bucket), { code: "KeyTooLongError" });
});

Deno.test("parseClientToken() takes 1 to 64 printable characters", () => {
  for (const token of ["a", "~".repeat(64), "!"]) deepStrictEqual(parseClientToken(token), token);
  deepStrictEqual(parseClientToken(null), undefined);
  for (const token of ["", "a".repeat(65), "a b", "\u00e9"]) {
    throws(() => parseClientToken(token), { code: "InvalidArgument" });
  }
});

Deno.test("checkRename(): a destination that cannot be read exists, and only * matches it", () => {
  const source = { etag: "a", modified: new Date(0) };
  const unreadable = { etag: undefined, modified: undefined };
  const epoch = new Date(0);
  for (const destination of [{}, { ifMatch: "*" }, { ifNoneMatch: ["a"] }] as const) {
    checkRename({ source: {}, destination }, source, unreadable);
  }
  const refused = [
    { ifMatch: ["a"] },
    { ifNoneMatch: "*" },
    { ifUnmodifiedSince: epoch },
    { ifModifiedSince: epoch },
  ] as const;
  for (const destination of refused) {
    const check = (): void => checkRename({ source: {}, destination }, source, unreadable);
    throws(check, { code: "PreconditionFailed" });
  }
});
