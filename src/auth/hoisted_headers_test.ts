import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { isS3Error } from "../s3/errors.ts";
import { parseQuery } from "../s3/request.ts";
import { withHoistedHeaders, withoutHoistedChecksums } from "./hoisted_headers.ts";

const QUERY = parseQuery(
  "X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Date=c&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=d" +
    "&x-amz-acl=public-read&X-Amz-Meta-Name=%C3%A9&content-type=a%2Fb&x-id=PutObject&x-amz-checksum-crc32=AAAAAA%3D%3D" +
    "&x-amz-sdk-checksum-algorithm=CRC32",
);

Deno.test("withHoistedHeaders() adds the headers of the query, except those of the signature", () => {
  deepStrictEqual(Object.fromEntries(withHoistedHeaders(new Headers(), QUERY, ["content-type"])), {
    "content-type": "a/b",
    "x-amz-acl": "public-read",
    "x-amz-checksum-crc32": "AAAAAA==",
    "x-amz-meta-name": "\u00c3\u00a9",
    "x-amz-sdk-checksum-algorithm": "CRC32",
  });
});

Deno.test("withHoistedHeaders() and withoutHoistedChecksums() return no Headers, which are slow to iterate", () => {
  const all = withHoistedHeaders(new Headers(), QUERY);
  strictEqual(all instanceof Headers, false);
  strictEqual(withoutHoistedChecksums(all, new Headers()) instanceof Headers, false);
});

Deno.test("withHoistedHeaders() prefers a header that was sent", () => {
  const sent = new Headers({ "x-amz-acl": "private" });
  strictEqual(withHoistedHeaders(sent, QUERY).get("x-amz-acl"), "private");
  strictEqual(withHoistedHeaders(sent, QUERY).has("content-type"), false);
  deepStrictEqual([...sent], [["x-amz-acl", "private"]]);
  strictEqual(withHoistedHeaders(sent, parseQuery("a=1")), sent);
});

Deno.test("withHoistedHeaders() refuses text that cannot be a header", () => {
  for (const query of ["x-amz-meta-a=a%0D%0Ab", "x-amz-meta-a%20b=1", "x-amz-meta-a=%00"]) {
    throws(
      () => withHoistedHeaders(new Headers(), parseQuery(query)),
      (error) => isS3Error(error, "InvalidArgument"),
      query,
    );
  }
});

Deno.test("withoutHoistedChecksums() keeps checksums that were sent", () => {
  const names = (sent: Headers): string[] => [
    ...withoutHoistedChecksums(withHoistedHeaders(sent, QUERY), sent).keys(),
  ];
  deepStrictEqual(names(new Headers()), ["x-amz-acl", "x-amz-meta-name"]);
  deepStrictEqual(names(new Headers({ "x-amz-checksum-crc32": "NhCmhg==" })), [
    "x-amz-acl",
    "x-amz-checksum-crc32",
    "x-amz-meta-name",
  ]);
});
