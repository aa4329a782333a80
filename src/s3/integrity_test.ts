import { deepStrictEqual, doesNotThrow, throws } from "node:assert/strict";
import { parseIntegrity, verifyReceived } from "./integrity.ts";
import { readHeaders } from "./request_headers.ts";

Deno.test("parseIntegrity() rejects malformed headers", () => {
  const rows: [Record<string, string>, string][] = [
    [{ "content-md5": "xyz" }, "InvalidDigest"],
    [{ "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "AAAA" }, "InvalidRequest"],
    [{ "x-amz-checksum-crc32": "AAAA" }, "InvalidRequest"],
    [{ "x-amz-checksum-md9": "AAAA" }, "InvalidRequest"],
    [{ "x-amz-sdk-checksum-algorithm": "CRC32" }, "InvalidRequest"],
    [{ "x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": "AAAAAA==" }, "BadDigest"],
    [
      { "x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-trailer": "x-amz-checksum-crc32" },
      "BadDigest",
    ],
    [
      { "x-amz-sdk-checksum-algorithm": "MD9", "x-amz-checksum-crc32": "AAAAAA==" },
      "InvalidRequest",
    ],
  ];
  for (const [headers, code] of rows) {
    throws(() => parseIntegrity(new Headers(headers)), { code }, JSON.stringify(headers));
  }
});

Deno.test("parseIntegrity() reads headers and trailers", () => {
  deepStrictEqual(
    parseIntegrity(new Headers({ "x-amz-trailer": "x-amz-checksum-crc32" })).checksum,
    { algorithm: "CRC32", value: undefined },
  );
  deepStrictEqual(
    parseIntegrity(
      new Headers({
        "x-amz-checksum-crc32": "AAAAAA==",
        "x-amz-checksum-type": "FULL_OBJECT",
        "x-amz-sdk-checksum-algorithm": "crc32",
      }),
    ).checksum,
    { algorithm: "CRC32", value: "AAAAAA==" },
  );
});

Deno.test("verifyReceived() compares every promised hash", () => {
  const received = {
    md5: "d41d8cd98f00b204e9800998ecf8427e",
    sha256: "e3b0",
    checksum: "AAAAAA==",
  };
  const payload = { sha256: "e3b0", trailers: new Map([["x-amz-checksum-crc32", "AAAAAA=="]]) };
  const checksum = { algorithm: "CRC32", value: undefined } as const;
  doesNotThrow(() => verifyReceived({ md5: received.md5, checksum }, payload, received));
  throws(
    () => verifyReceived({ md5: "00".repeat(16), checksum }, payload, received),
    { code: "BadDigest" },
  );
  throws(
    () => verifyReceived({ md5: undefined, checksum }, { ...payload, sha256: "00" }, received),
    { code: "XAmzContentSHA256Mismatch" },
  );
  throws(
    () =>
      verifyReceived({ md5: undefined, checksum }, { ...payload, trailers: new Map() }, received),
    { code: "MalformedTrailerError" },
  );
  throws(
    () => verifyReceived({ md5: undefined, checksum }, payload, { ...received, checksum: "x" }),
    {
      code: "BadDigest",
      message: "The CRC32 you specified did not match the calculated checksum.",
    },
  );
});

Deno.test("parseIntegrity() refuses a checksum in a header beside one in the trailer", () => {
  const headers = readHeaders(
    new Headers({
      "x-amz-checksum-crc32": "NhCmhg==",
      "x-amz-trailer": "x-amz-checksum-crc32",
    }),
  );
  throws(() => parseIntegrity(headers), { code: "InvalidRequest" });
});

Deno.test("parseIntegrity() takes the header's checksum if no trailer follows, as the Java SDK 2 sends it", () => {
  const sent = (trailer: string) =>
    parseIntegrity(readHeaders(
      new Headers({
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "x-amz-checksum-crc32": "NhCmhg==",
        "x-amz-trailer": trailer,
      }),
    ));
  deepStrictEqual(sent("x-amz-checksum-crc32").checksum, { algorithm: "CRC32", value: "NhCmhg==" });
  throws(() => sent("x-amz-checksum-sha1"), { code: "InvalidRequest" });
});
