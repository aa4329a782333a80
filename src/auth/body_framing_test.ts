import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { isS3Error } from "../s3/errors.ts";
import { readHeaders } from "../s3/request_headers.ts";
import { parseFraming } from "./body_framing.ts";

const HASH = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const LENGTH = "5";

const FORMS = [
  HASH,
  "UNSIGNED-PAYLOAD",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
] as const;
const ENCODINGS = [undefined, "gzip", "gzip, aws-chunked", "xaws-chunked"] as const;
const DECODED = [undefined, LENGTH, "3", "x"] as const;
const TRAILERS = [
  undefined,
  "x-amz-checksum-crc32",
  "x-amz-meta-a",
  "x-amz-checksum-crc32,x-amz-checksum-sha1",
] as const;
const CODINGS = [undefined, "chunked", "gzip, chunked", "identity"] as const;

type Row = {
  readonly form: typeof FORMS[number];
  readonly encoding: typeof ENCODINGS[number];
  readonly decoded: typeof DECODED[number];
  readonly trailer: typeof TRAILERS[number];
  readonly coding: typeof CODINGS[number];
};

/** The table of docs/limits.md, written a second time: the outcome of each row, the first refusal first. */
function expected({ form, encoding, decoded, trailer, coding }: Row): string {
  if (coding === "gzip, chunked" || coding === "identity") return "NotImplemented";
  if (form === "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD") return "InvalidArgument";
  if (trailer === "x-amz-meta-a" || trailer?.includes(",")) return "InvalidRequest";
  const byEncoding = form === "UNSIGNED-PAYLOAD" && encoding === "gzip, aws-chunked" &&
    decoded !== undefined;
  const isChunked = form.startsWith("STREAMING") || byEncoding;
  if (trailer !== undefined && !form.endsWith("TRAILER") && !byEncoding) {
    return "MalformedTrailerError";
  }
  if (isChunked) {
    if (decoded === undefined || decoded === "x") return "MissingContentLength";
    return `chunked ${decoded}`;
  }
  return decoded === undefined || decoded === LENGTH ? `plain ${LENGTH}` : "InvalidRequest";
}

function outcome({ form, encoding, decoded, trailer, coding }: Row): string {
  const headers = Object.entries({
    "content-length": LENGTH,
    "content-encoding": encoding,
    "x-amz-decoded-content-length": decoded,
    "x-amz-trailer": trailer,
    "transfer-encoding": coding,
  }).filter((header): header is [string, string] => header[1] !== undefined);
  try {
    const framing = parseFraming(readHeaders(new Headers(headers)), form);
    strictEqual(framing.sha256, form === HASH ? HASH : undefined);
    strictEqual(framing.isSigned, form.startsWith("STREAMING-AWS4"));
    if (trailer !== undefined) deepStrictEqual(framing.trailer, [trailer]);
    return `${framing.isChunked ? "chunked" : "plain"} ${framing.decoded}`;
  } catch (cause) {
    if (!isS3Error(cause)) throw cause;
    return cause.code;
  }
}

Deno.test("parseFraming() accepts what goes together, and refuses the rest", () => {
  let rows = 0;
  for (const form of FORMS) {
    for (const encoding of ENCODINGS) {
      for (const decoded of DECODED) {
        for (const trailer of TRAILERS) {
          for (const coding of CODINGS) {
            const row = { form, encoding, decoded, trailer, coding };
            strictEqual(outcome(row), expected(row), JSON.stringify(row));
            rows++;
          }
        }
      }
    }
  }
  strictEqual(rows, 1536);
});

Deno.test("parseFraming() knows no length of a body in HTTP chunks", () => {
  const headers = readHeaders(new Headers({ "transfer-encoding": "chunked" }));
  strictEqual(parseFraming(headers, "UNSIGNED-PAYLOAD").sent, undefined);
});

Deno.test("parseFraming() accepts an announced trailer that the header makes superfluous", () => {
  const headers = new Headers({
    "content-length": "5",
    "x-amz-decoded-content-length": "3",
    "x-amz-trailer": "x-amz-checksum-crc32",
    "x-amz-checksum-crc32": "NhCmhg==",
  });
  const framing = parseFraming(readHeaders(headers), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  strictEqual(framing.trailer, undefined);
  strictEqual(framing.decoded, 3);
});
