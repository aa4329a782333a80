import { strictEqual } from "node:assert/strict";
import vectors from "../../tests/vectors/sigv4_requests.json" with { type: "json" };
import {
  canonicalHeaders,
  canonicalQuery,
  canonicalRequest,
  canonicalUri,
} from "./canonical_request.ts";

for (const vector of [...vectors.header, ...vectors.presigned]) {
  Deno.test(`canonicalRequest() matches AWS's example: ${vector.name}`, () => {
    const { method, host, path, query, signedHeaders, payloadHash } = vector;
    const canonical = canonicalRequest({
      method,
      uri: canonicalUri(path),
      query: canonicalQuery(query),
      headers: canonicalHeaders(signedHeaders, new Headers({ ...vector.headers }), host),
      signedHeaders,
      payloadHash,
    });
    strictEqual(canonical, vector.canonicalRequest);
  });
}

Deno.test("canonicalUri() encodes once, regardless of the encoding on the wire", () => {
  const cases: [sent: string, canonical: string][] = [
    ["/", "/"],
    ["/b/a-b_c.d~e", "/b/a-b_c.d~e"],
    ["/b//a/../b/./c//", "/b//a/../b/./c//"],
    ["/b/%2e%2E/%2F/%2f", "/b/..////"],
    ["/b/%41%7e%7E", "/b/A~~"],
    ["/b/a+b %2b", "/b/a%2Bb%20%2B"],
    ["/b/!'()*;:@&=$,", "/b/%21%27%28%29%2A%3B%3A%40%26%3D%24%2C"],
    ["/b/é%c3%a9", "/b/%C3%A9%C3%A9"],
    ["/b/🪣", "/b/%F0%9F%AA%A3"],
    ["/b/100%", "/b/100%25"],
    ["/b/%zz", "/b/%25zz"],
    ['/b/a\\b|{}^"<>', "/b/a%5Cb%7C%7B%7D%5E%22%3C%3E"],
  ];
  for (const [sent, canonical] of cases) strictEqual(canonicalUri(sent), canonical);
});

Deno.test("canonicalQuery() encodes and sorts", () => {
  const cases: [sent: string, canonical: string][] = [
    ["", ""],
    ["lifecycle", "lifecycle="],
    ["b=2&a=1", "a=1&b=2"],
    ["a=2&a=1&a", "a=&a=1&a=2"],
    ["a1=x&a=y", "a=y&a1=x"], // by name, not by the text with its "="
    ["a-b=1&a=1&a%2Fb=1", "a=1&a%2Fb=1&a-b=1"],
    ["prefix=a/b+c&marker=%c3%a9%7E", "marker=%C3%A9~&prefix=a%2Fb%20c"],
    ["&&a=b=c&", "a=b%3Dc"],
    ["B=1&a=1", "B=1&a=1"],
  ];
  for (const [sent, canonical] of cases) strictEqual(canonicalQuery(sent), canonical);
});

Deno.test("canonicalQuery() omits the signature", () => {
  strictEqual(canonicalQuery("X-Amz-Signature=f0&a=1", "X-Amz-Signature"), "a=1");
});

Deno.test("canonicalHeaders() folds blanks, and keeps every other byte", () => {
  const headers = new Headers({
    "x-amz-meta-a": "a  b\t c",
    "x-amz-meta-b": "\u00c3\u00a0  b\u00c3\u00a0", // "à" in UTF-8, as latin1: its second byte is not a blank
    "x-amz-meta-c": '"a   b"',
  });
  strictEqual(
    canonicalHeaders(
      ["host", "x-amz-meta-a", "x-amz-meta-b", "x-amz-meta-c", "x-none"],
      headers,
      "h:9000",
    ),
    'host:h:9000\nx-amz-meta-a:a b c\nx-amz-meta-b:\u00c3\u00a0 b\u00c3\u00a0\nx-amz-meta-c:"a b"\nx-none:\n',
  );
});
