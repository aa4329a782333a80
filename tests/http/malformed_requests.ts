/**
 * Malformed requests of many kinds, each derived from one number: methods, targets, headers, framing, XML, signatures.
 *
 * Some of them turn out to be valid. That is fine, because the test checks only what no request may ever cause.
 * @module
 */

import { createHash } from "node:crypto";
import { formatRequest, presign, sign, signChunk, type WireRequest } from "./wire_request.ts";

/** The existing bucket, keys and upload that requests name. */
export type Scenery = {
  readonly bucket: string;
  readonly keys: readonly string[];
  readonly uploadId: string;
  readonly host: string;
};

/** A request, and the behaviour of its client. */
export type MalformedRequest = {
  readonly seed: number;
  /** The names of the mutations. */
  readonly ways: readonly string[];
  /** Pieces to send one after the other, in latin1: one character per byte. */
  readonly pieces: readonly string[];
  /** The client's behaviour after sending: it waits, closes its half of the connection, or disconnects. */
  readonly then: "wait" | "end" | "leave";
  /** The signature is right, so that the gateway must not refuse it. */
  readonly isSigned?: boolean;
};

/** A source of random numbers that depend only on the seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a number that is at least 0 and less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("Cannot pick from an empty list");
    return item;
  }

  /** Returns random bytes as latin1. */
  bytes(length: number): string {
    return String.fromCharCode(...Array.from({ length }, () => this.below(256)));
  }
}

/** Returns the request of a seed. Its signature contains the time, so its bytes differ from one second to the next. */
export function malformedRequest(seed: number, scenery: Scenery): MalformedRequest {
  // Neighbouring seeds must not produce similar sequences.
  const random = new Random(Math.imul(seed + 1, 0x9e3779b1));
  const draft = new Draft(random, scenery);
  draft.start();
  const ways = random.chance(0.8) ? 1 : 1 + random.below(3);
  for (let i = 0; i < ways; i++) {
    const [name, change] = random.pick(CHANGES);
    draft.ways.push(name);
    change(draft);
  }
  let text = draft.finish();
  if (random.chance(0.12)) {
    draft.ways.push("bytes");
    text = scramble(random, text);
  }
  if (random.chance(0.04)) {
    draft.ways.push("cut");
    text = text.slice(0, random.below(text.length));
  }
  const cuts = random.chance(0.2)
    ? [random.below(text.length), random.below(text.length)].sort((a, b) => a - b)
    : [];
  const pieces = [0, ...cuts].map((from, i) => text.slice(from, cuts[i] ?? text.length))
    .filter((piece) => piece !== "");
  const then = random.chance(0.9) ? "wait" : random.pick(["end", "leave"] as const);
  return { seed, ways: draft.ways, pieces, then };
}

/** A request under construction. */
class Draft {
  readonly random: Random;
  readonly scenery: Scenery;
  readonly ways: string[] = [];
  method = "GET";
  path = "/";
  query = "";
  headers: [string, string][] = [];
  body = "";
  /** Value of Content-Length; undefined for the true length, null for no header. */
  length: number | string | null | undefined;
  signing: "header" | "query" | "chunks" | "unsigned" = "header";
  payloadHash = "UNSIGNED-PAYLOAD";
  now = new Date();
  /** Mutations after signing. */
  readonly late: ((text: string) => string)[] = [];

  constructor(random: Random, scenery: Scenery) {
    this.random = random;
    this.scenery = scenery;
  }

  /** Starts with a valid request. */
  start(): void {
    const { random, scenery: { bucket, keys, uploadId, host } } = this;
    const key = random.pick(keys);
    const [method, path, query, body = ""] = random.pick<
      readonly [string, string, string, string?]
    >([
      ["GET", `/${bucket}/${key}`, ""],
      ["GET", `/${bucket}/${key}`, ""],
      ["HEAD", `/${bucket}/${key}`, ""],
      ["PUT", `/${bucket}/${key}`, "", random.bytes(random.pick([0, 1, 100, 5000]))],
      ["PUT", `/${bucket}/${key}`, "", "x".repeat(random.pick([1000, 70_000, 300_000]))],
      ["DELETE", `/${bucket}/${key}`, ""],
      ["GET", "/", ""],
      ["GET", `/${bucket}`, ""],
      ["GET", `/${bucket}`, "list-type=2&prefix=k&delimiter=%2F"],
      ["HEAD", `/${bucket}`, ""],
      ["PUT", `/${bucket}-${random.below(3)}`, ""],
      // Not a bucket that the row before creates: another test covers concurrent requests for one bucket.
      ["DELETE", `/${bucket}-none`, ""],
      ["GET", `/${bucket}`, "location"],
      ["GET", `/${bucket}`, "uploads"],
      ["GET", `/${bucket}`, random.pick(["acl", "policy", "tagging", "versions", "torrent"])],
      ["PUT", `/${bucket}`, random.pick(["acl", "policy", "tagging", "versioning"]), "<a/>"],
      ["POST", `/${bucket}`, "delete", deleteDocument([key, "nothing"])],
      ["POST", `/${bucket}/${key}`, "uploads"],
      ["PUT", `/${bucket}/upload`, `partNumber=1&uploadId=${uploadId}`, "part"],
      ["GET", `/${bucket}/upload`, `uploadId=${uploadId}`],
      ["POST", `/${bucket}/upload`, `uploadId=${uploadId}`, COMPLETE],
      ["DELETE", `/${bucket}/upload`, `uploadId=${uploadId}x`],
      ["GET", `${CONTROL}${bucket}`, ""],
      ["POST", `${CONTROL}${bucket}`, "", TAG_REQUEST],
      ["DELETE", `${CONTROL}${bucket}`, "tagKeys=a&tagKeys=b"],
      ["POST", "/", "", CALLER],
      ["GET", "/", CALLER],
    ]);
    Object.assign(this, { method, path, query, body });
    this.headers = [["Host", host]];
    if (path.startsWith(CONTROL)) this.headers.push(["x-amz-account-id", "000000000000"]);
    if (body === CALLER) this.headers.push(["content-type", "application/x-www-form-urlencoded"]);
    if (method === "PUT" && random.chance(0.1)) {
      this.headers.push(["x-amz-copy-source", `/${bucket}/${random.pick(keys)}`]);
      this.body = "";
    }
  }

  set(name: string, value: string): void {
    this.headers = [...this.headers.filter(([other]) => other.toLowerCase() !== name), [
      name,
      value,
    ]];
  }

  finish(): string {
    if (this.query === "delete" && this.random.chance(0.9)) {
      this.set("Content-MD5", createHash("md5").update(this.body, "latin1").digest("base64"));
    }
    const length = this.length === undefined ? this.body.length : this.length;
    const hasBody = this.body !== "" || this.method === "PUT" || this.method === "POST";
    if (length !== null && (hasBody || this.length !== undefined)) {
      this.headers.push(["Content-Length", String(length)]);
    }
    const request = this.#wire();
    let text: string;
    switch (this.signing) {
      case "header": {
        const { headers } = sign(request, this);
        text = formatRequest({ ...request, headers });
        break;
      }
      case "chunks": {
        const signed = sign(request, this);
        let previous = signed.signature;
        let body = "";
        const chunks = this.body === "" ? [""] : [this.body, ""];
        for (const chunk of chunks) {
          previous = signChunk(signed, previous, chunk);
          body += `${chunk.length.toString(16)};chunk-signature=${previous}\r\n${chunk}`;
          body += chunk === "" ? "" : "\r\n";
        }
        text = formatRequest({ ...request, headers: signed.headers, body: `${body}\r\n` });
        break;
      }
      case "query":
        text = formatRequest({ ...request, query: presign(request, this) });
        break;
      case "unsigned":
        text = formatRequest(request);
    }
    return this.late.reduce((text, change) => change(text), text);
  }

  #wire(): WireRequest {
    const { method, path, query, headers, body } = this;
    return { method, path, query, headers, body };
  }
}

type Change = readonly [name: string, change: (draft: Draft) => void];

const COMPLETE = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" +
  '<ETag>"00000000000000000000000000000000"</ETag></Part></CompleteMultipartUpload>';

function deleteDocument(keys: readonly string[]): string {
  const objects = keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("");
  return `<Delete>${objects}</Delete>`;
}

/** Values that may trip up any parser. */
export const JUNK = [
  "",
  " ",
  "0",
  "-1",
  "1e3",
  "0x10",
  "007",
  "99999999999999999999",
  "9007199254740993",
  "NaN",
  "null",
  "true",
  "__proto__",
  "constructor",
  "toString",
  "%00",
  "\x00",
  "\x80\xff",
  "Ã©",
  "a,b;c=d",
  '"',
  "'",
  "<a>&b;",
  "../..",
  "*",
  ">",
  "$JS.API.>",
  "a b",
  "\t",
  "x".repeat(300),
  "x".repeat(9000),
] as const;

/** The path of a bucket's tags in S3 Control, a document for it, and a question to STS. */
const CONTROL = "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3A";
const TAG_REQUEST =
  "<TagResourceRequest><Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags></TagResourceRequest>";
const CALLER = "Action=GetCallerIdentity&Version=2011-06-15";

const PATHS = [
  "*",
  "",
  "photos/key",
  "//",
  "///photos",
  "/photos//",
  "/photos/.",
  "/photos/..",
  "/photos/../k0",
  "/photos/%2e%2e/k0",
  "/../photos/k0",
  "/%",
  "/%zz",
  "/%00",
  "/photos/%00",
  "/photos/%ff",
  "/photos/%c3%28",
  "/photos/%ED%A0%80",
  "/photos/\xe9",
  "/photos/\xc3\xa9",
  "/photos/a b",
  "/photos/\ta",
  "/photos/a\\b",
  "/photos/k0#fragment",
  "/v20180820/tags/%",
  "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3A..",
  "/v20180820/jobs",
  "/photos%2fk0",
  "/PHOTOS/k0",
  "/ab/k0",
  "/192.168.0.1/k0",
  "/a..b/k0",
  "/-ab/k0",
  "/xn--abc/k0",
  "/photos.>/k0",
  "/photos*/k0",
  "/$O.photos/k0",
  "/__proto__/k0",
  "/photos/__proto__",
  "/photos/>",
  "/photos/*",
  "http://other:9/photos/../k0",
  "http:///photos/k0",
  "https://[::1/photos",
  `/${"b".repeat(64)}/k0`,
  `/photos/${"k".repeat(1024)}`,
  `/photos/${"k".repeat(1025)}`,
  `/photos/${"%C3%A9".repeat(513)}`,
  `/photos/${"a/".repeat(500)}`,
  `/${"a".repeat(70_000)}`,
] as const;

const QUERIES = [
  "&&&",
  "=",
  "%",
  "a=%zz",
  "a=%ff",
  "%ff=a",
  "list-type=3",
  "list-type=2&continuation-token=junk",
  "list-type=2&continuation-token=",
  "list-type=2&start-after=%00",
  "list-type=2&prefix=%ff",
  "marker=%F0%9F%92%A9&delimiter=%00",
  "encoding-type=foo",
  "versionId=x",
  "versionId=null",
  "partNumber=1",
  "uploads&uploadId=a",
  "uploadId=%2E%2E",
  "uploadId=*",
  "uploadId=%3E",
  "uploadId=a.b.c",
  "partNumber=1&uploadId=x",
  "delete&uploads&acl&policy",
  "key-marker=a&upload-id-marker=b&uploads",
  "response-content-type=a%0d%0aX-Injected:%20yes",
  "response-content-disposition=%C3%A9%00%7f",
  "response-expires=%E2%82%AC",
  "response-cache-control=%0a",
  "X-Amz-Algorithm=AWS4-HMAC-SHA256",
  "X-Amz-Signature=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=b",
  "AWSAccessKeyId=ann&Signature=x&Expires=1",
  "AWSAccessKeyId=ann&Signature=x&Expires=99999999999999",
  "max-keys=0",
  "__proto__=1&constructor=2",
  "x=".repeat(20) + "&".repeat(2000),
  Array.from({ length: 800 }, (_, i) => `a${i}=${i}`).join("&"),
] as const;

const NUMBERS = ["max-keys", "partNumber", "max-parts", "part-number-marker", "max-uploads"];

const HOSTS = [
  "",
  "a/b?c",
  "a b",
  "a@b",
  "a#b",
  "[::1]",
  "[::1",
  "photos.localhost",
  ".",
  "..",
  "\xff",
  "a".repeat(5000),
  "host:99999",
  "host:x",
  "127.0.0.1:1,2",
] as const;

/** Names of headers that the gateway or the runtime parses. */
export const PARSED = [
  "range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
  "date",
  "expect",
  "content-md5",
  "content-type",
  "content-encoding",
  "content-length",
  "transfer-encoding",
  "connection",
  "upgrade",
  "cache-control",
  "expires",
  "x-amz-date",
  "x-amz-content-sha256",
  "x-amz-decoded-content-length",
  "x-amz-trailer",
  "x-amz-tagging",
  "x-amz-tagging-directive",
  "x-amz-metadata-directive",
  "x-amz-copy-source",
  "x-amz-copy-source-range",
  "x-amz-copy-source-if-match",
  "x-amz-copy-source-if-modified-since",
  "x-amz-storage-class",
  "x-amz-acl",
  "x-amz-grant-read",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-customer-algorithm",
  "x-amz-website-redirect-location",
  "x-amz-object-lock-mode",
  "x-amz-object-lock-retain-until-date",
  "x-amz-object-lock-legal-hold",
  "x-amz-bucket-object-lock-enabled",
  "x-amz-object-ownership",
  "x-amz-expected-bucket-owner",
  "x-amz-account-id",
  "x-amz-security-token",
  "x-amz-request-payer",
  "x-amz-mfa",
  "x-amz-checksum-mode",
  "x-amz-checksum-algorithm",
  "x-amz-sdk-checksum-algorithm",
  "x-amz-checksum-type",
  "x-amz-checksum-crc32",
  "x-amz-checksum-crc32c",
  "x-amz-checksum-crc64nvme",
  "x-amz-checksum-sha1",
  "x-amz-checksum-sha256",
  "x-amz-mp-object-size",
  "x-amz-object-attributes",
  "x-amz-max-parts",
  "x-amz-if-match-size",
  "x-amz-meta-",
  "x-amz-meta-a",
  "x-amz-meta-__proto__",
  "x-amz-",
  "access-control-request-method",
  "origin",
] as const;

const VALUES: Readonly<Record<string, readonly string[]>> = {
  "range": [
    "bytes=0-",
    "bytes=5-1",
    "bytes=-0",
    "bytes=-5",
    "bytes=99999999-",
    "bytes=0-0,2-3",
    "bytes=0-99999999999999999999",
    "bytes=a-b",
    "bytes 0-1",
    "items=0-1",
    "bytes=--1",
    `bytes=${"0-1,".repeat(500)}`,
  ],
  "if-match": ['""', "*", '"a", "b"', 'W/"a"', '"', "*,*", `"${"a".repeat(4000)}"`],
  "if-none-match": ["*", '"*"', '"a', "*, *"],
  "if-modified-since": ["Sat, 31 Feb 2099 00:00:00 GMT", "0", "Thu, 01 Jan 1970 00:00:00 GMT"],
  "expect": ["100-continue", "200-ok"],
  "transfer-encoding": ["chunked", "gzip", "gzip, chunked", "chunked, chunked", "identity"],
  "content-encoding": ["aws-chunked", "aws-chunked,gzip", "gzip,aws-chunked"],
  "connection": ["close", "upgrade", "keep-alive, Upgrade", "x-amz-date"],
  "upgrade": ["websocket", "h2c"],
  "x-amz-copy-source": [
    "photos",
    "/photos/",
    "photos/k0?versionId=x",
    "photos/%zz",
    "photos/%ff",
    "/photos/..%2f..",
    "nobody/k0",
    "photos/nothing",
    "arn:aws:s3:::photos/k0",
    "photos/k0?versionId=null",
  ],
  "x-amz-copy-source-range": ["bytes=0-1", "bytes=5-1", "bytes=0-", "bytes=0-99999999999"],
  "x-amz-tagging": ["a=b&a=c", "=", "a", "a=%ff", `a=${"b".repeat(300)}`, "a=1&".repeat(11)],
  "x-amz-trailer": ["x-amz-checksum-crc32", "x-amz-checksum-md6", "a,b,c", ","],
  "x-amz-checksum-algorithm": ["CRC32", "MD5", "crc32c"],
  "x-amz-sdk-checksum-algorithm": ["CRC32", "SHA999"],
  "x-amz-content-sha256": [
    "0".repeat(64),
    "e3b0c442",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
  ],
  "content-md5": ["1B2M2Y8AsgTpgAmY7PhCfg==", "AAAA", "====", "not base64"],
  "x-amz-meta-a": ["\xe9", "=?UTF-8?Q?=C3=A9?=", "=?UTF-8?B?////?=", "x".repeat(2100)],
};

const CHANGES: readonly Change[] = [
  ["nothing", () => {}],
  ["method", (draft) => {
    const methods = ["get", "FOO", "G ET", "", "PATCH", "TRACE", "CONNECT", "OPTIONS", "PRI", "*"];
    draft.method = draft.random.pick([...methods, "A".repeat(300), "GET\x00", "G\xc9T", "POST"]);
  }],
  ["target", (draft) => void (draft.path = draft.random.pick(PATHS))],
  ["target", (draft) => void (draft.path += draft.random.pick(JUNK))],
  ["query", (draft) => void (draft.query = draft.random.pick(QUERIES))],
  ["query number", (draft) => {
    const { random } = draft;
    draft.query += `&${random.pick(NUMBERS)}=${random.pick(JUNK)}`;
  }],
  ["version", (draft) => {
    const version = draft.random.pick(["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "", "http"]);
    draft.late.push((text) => text.replace("HTTP/1.1", version));
  }],
  ["host", (draft) => draft.set("host", draft.random.pick(HOSTS))],
  ["no host", (draft) => {
    draft.headers = draft.headers.filter(([name]) => name.toLowerCase() !== "host");
  }],
  ["two hosts", (draft) => void draft.headers.push(["host", "other"])],
  ["header", junkHeader],
  ["header", junkHeader],
  ["header", junkHeader],
  ["header unsigned", (draft) => {
    // Set after signing, so that the signature does not cover it.
    const { random } = draft;
    const [name, value] = [random.pick(PARSED), junkValue(random)];
    draft.late.push((text) => text.replace("\r\n", `\r\n${name}: ${value}\r\n`));
  }],
  ["header twice", (draft) => {
    const name = draft.random.pick(PARSED);
    for (let i = 0; i < 2; i++) draft.headers.push([name, valueOf(draft.random, name)]);
  }],
  ["many headers", (draft) => {
    const count = draft.random.pick([50, 120, 130, 500]);
    for (let i = 0; i < count; i++) draft.headers.push([`x-amz-meta-${i}`, "v"]);
  }],
  ["large header", (draft) => {
    draft.headers.push(["x-amz-meta-large", "v".repeat(draft.random.pick([2048, 9000, 70_000]))]);
  }],
  ["header syntax", (draft) => {
    const line = draft.random.pick([
      "no colon",
      ": empty name",
      "space : before",
      "x-a: folded\r\n more",
      " starts: with space",
      "nul: a\x00b",
      "cr: a\rb",
      "b\xe9d: name",
      "bell: \x07",
      "(x): y",
    ]);
    draft.late.push((text) => text.replace("\r\n", `\r\n${line}\r\n`));
  }],
  ["line ends", (draft) => {
    const end = draft.random.pick(["\n", "\r", "\r\r\n", "\n\r"]);
    draft.late.push((text) => {
      const blank = text.indexOf("\r\n\r\n");
      return text.slice(0, blank + 4).replaceAll("\r\n", end) + text.slice(blank + 4);
    });
  }],
  ["content-length", (draft) => {
    const { random } = draft;
    draft.length = random.pick([
      ...[-1, 1, 100].map((more) => Math.max(draft.body.length + more, 0)),
      0,
      6 * 1024 ** 3,
      ...JUNK,
      "+1",
      "1, 1",
      "5 5",
    ]);
  }],
  ["two content-lengths", (draft) => {
    draft.headers.push(["Content-Length", draft.random.pick(["0", "1", "5"])]);
  }],
  ["no content-length", (draft) => void (draft.length = null)],
  ["length and chunked", (draft) => void draft.headers.push(["Transfer-Encoding", "chunked"])],
  ["chunked", (draft) => {
    draft.length = null;
    draft.headers.push(["Transfer-Encoding", "chunked"]);
    const { random, body } = draft;
    const size = body.length.toString(16);
    draft.body = random.pick([
      `${size}\r\n${body}\r\n0\r\n\r\n`,
      `${size};ext="a;b"\r\n${body}\r\n0\r\ntrailer: x\r\n\r\n`,
      `${size}\r\n${body}\r\n0\r\nbad trailer\r\n\r\n`,
      `${size}\r\n${body}\r\n0\r\n${"t: x\r\n".repeat(5000)}\r\n`,
      `${size}\r\n${body}`,
      `${size}\n${body}\n0\n\n`,
      `${size}\r\n${body}XX0\r\n\r\n`,
      `-1\r\n${body}\r\n0\r\n\r\n`,
      `ffffffffffffffffff\r\n${body}`,
      `7fffffffffffffff\r\n${body}`,
      `zz\r\n${body}\r\n0\r\n\r\n`,
      `\r\n\r\n${body}`,
      `1;${"x".repeat(20_000)}\r\na\r\n0\r\n\r\n`,
      `0${size}\r\n${body}\r\n00\r\n\r\n`,
      "1\r\na\r\n".repeat(2000),
      `${"1\r\na\r\n".repeat(2000)}0\r\n\r\n`,
    ]);
  }],
  ["aws-chunked", awsChunked],
  ["aws-chunked", awsChunked],
  ["aws-chunked signed", (draft) => {
    const { random, body } = draft;
    draft.method = "PUT";
    draft.path = `/${draft.scenery.bucket}/${random.pick(draft.scenery.keys)}`;
    draft.query = "";
    draft.signing = "chunks";
    draft.payloadHash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    const decoded = random.chance(0.7) ? body.length : random.pick([0, 1, body.length + 1]);
    draft.headers.push(["x-amz-decoded-content-length", String(decoded)]);
    // The framing, with 85 characters of signature per chunk.
    const framed = body === "" ? 86 + 2 : body.length + body.length.toString(16).length + 85 + 4 +
      86 + 4;
    draft.length = random.chance(0.8) ? framed : framed + random.pick([-1, 1, 1000]);
    if (random.chance(0.7)) {
      draft.late.push((text) => {
        const at = text.indexOf("\r\n\r\n") + 4;
        return text.slice(0, at) + scramble(random, text.slice(at));
      });
    }
  }],
  ["presigned", (draft) => {
    draft.signing = "query";
    const { random } = draft;
    if (random.chance(0.3)) return;
    const name = random.pick([
      "X-Amz-Algorithm",
      "X-Amz-Credential",
      "X-Amz-Date",
      "X-Amz-Expires",
      "X-Amz-SignedHeaders",
      "X-Amz-Signature",
    ]);
    const values = ["0", "604801", "-1", "host%3Bhost", "ann%2F", "ann%2F20200101%2F%2F%2F", "%ff"];
    const value = random.pick([...JUNK, ...values]);
    draft.late.push((text) =>
      random.chance(0.5)
        ? text.replace(new RegExp(`${name}=[^& ]*`), `${name}=${value}`)
        : text.replace("X-Amz-Algorithm=", `${name}=${value}&X-Amz-Algorithm=`)
    );
  }],
  ["authorization", (draft) => {
    const { random } = draft;
    const forms = [
      "",
      "AWS4-HMAC-SHA256",
      "AWS4-HMAC-SHA256 ",
      "AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=",
      "AWS4-HMAC-SHA256 Credential=ann/20240101/us-east-1/s3/aws4_request",
      "AWS4-HMAC-SHA256 Credential=a/b/c/d/e/f/g, SignedHeaders=host, Signature=0",
      "AWS4-HMAC-SHA256 Credential=ann/20240101/../s3/x, SignedHeaders=;;;, Signature=zz",
      `AWS4-HMAC-SHA256 ${"a=b,".repeat(3000)}`,
      "AWS4-ECDSA-P256-SHA256 Credential=ann/20240101/s3/aws4_request, Signature=00",
      "AWS ann:c2lnbmF0dXJl",
      "AWS :",
      "AWS ann",
      "Basic YW5uOnNlY3JldA==",
      "Bearer \xff",
    ];
    draft.late.push((text) =>
      text.replace(/(authorization: )([^\r]*)/, (_, name: string, value: string) => {
        const changed = random.chance(0.5) ? random.pick(forms) : scramble(random, value);
        return name + changed;
      })
    );
  }],
  ["other time", (draft) => {
    const hours = draft.random.pick([-24 * 365 * 60, -1, -0.3, 0.3, 1, 24 * 365 * 7000]);
    draft.now = new Date(Date.now() + hours * 3_600_000);
  }],
  ["payload hash", (draft) => {
    const { random } = draft;
    draft.payloadHash = random.pick([...VALUES["x-amz-content-sha256"] ?? [], ...JUNK]);
    if (random.chance(0.5)) {
      draft.headers.push(["x-amz-decoded-content-length", String(draft.body.length)]);
    }
  }],
  ["unsigned", (draft) => void (draft.signing = "unsigned")],
  ["xml", junkXml],
  ["xml", junkXml],
  ["xml", junkXml],
  ["second request", (draft) => {
    const second = draft.random.pick(["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01", "\r\n"]);
    draft.late.push((text) => draft.random.chance(0.5) ? text + second : second + text);
  }],
];

function junkValue(random: Random): string {
  return random.chance(0.9) ? random.pick(JUNK) : random.bytes(random.below(40));
}

/** Returns a value of a header, likely one that its parser knows. */
export function valueOf(random: Random, name: string): string {
  const known = VALUES[name];
  return known !== undefined && random.chance(0.6) ? random.pick(known) : junkValue(random);
}

function junkHeader(draft: Draft): void {
  const name = draft.random.pick(PARSED);
  draft.set(name, valueOf(draft.random, name));
}

function awsChunked(draft: Draft): void {
  const { random, scenery } = draft;
  draft.method = "PUT";
  draft.path = `/${scenery.bucket}/${random.pick(scenery.keys)}`;
  draft.query = "";
  draft.payloadHash = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
  const body = "y".repeat(random.pick([0, 1, 5000, 300_000]));
  const size = body.length.toString(16);
  const first = body === "" ? "" : `${size}\r\n${body}\r\n`;
  draft.headers.push([
    "x-amz-decoded-content-length",
    random.chance(0.8) ? String(body.length) : random.pick([...JUNK, String(body.length + 1)]),
  ]);
  if (random.chance(0.5)) draft.headers.push(["x-amz-trailer", "x-amz-checksum-crc32"]);
  draft.body = random.pick([
    `${first}0\r\n\r\n`,
    `${first}0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n`,
    `${first}0\r\nx-amz-checksum-crc32: junk\r\n\r\n`,
    `${first}0\r\n${"a:b\r\n".repeat(5000)}\r\n`,
    `${first}0\r\n: \r\n\r\n`,
    `${first}0\r\n`,
    `${first}`,
    `${first}\r\n`,
    `${first}0;chunk-signature=${"0".repeat(64)}\r\n\r\n`,
    `${size}\n${body}\n0\n\n`,
    `ffffffffffff\r\n${body}`,
    `fffffffffffff\r\n${body}`,
    `-1\r\n${body}`,
    `${"0".repeat(2000)}\r\n\r\n`,
    `${first}0\r\n\r\nmore`,
    `\r\n${body}`,
    "",
    random.bytes(200),
  ]);
}

function junkXml(draft: Draft): void {
  const { random, scenery: { bucket, keys, uploadId } } = draft;
  const [method, path, query, body] = random.pick(
    [
      ["POST", `/${bucket}`, "delete", deleteDocument(keys.slice(0, 2))],
      ["POST", `/${bucket}/upload`, `uploadId=${uploadId}`, COMPLETE],
      [
        "PUT",
        `/${bucket}-0`,
        "",
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>" +
        "</CreateBucketConfiguration>",
      ],
    ] as const,
  );
  const entities = Array.from(
    { length: 12 },
    (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`,
  );
  const deep = random.pick([100, 10_000, 100_000]);
  draft.method = method;
  draft.path = path;
  draft.query = query;
  draft.body = random.pick([
    () => `<!DOCTYPE a [<!ENTITY e0 "x">${entities.join("")}]>${body.replace("k0", "&e12;")}`,
    () => `<!DOCTYPE a SYSTEM "file:///etc/passwd">${body}`,
    () => `<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]><Delete>&x;</Delete>`,
    () => "<a>".repeat(deep),
    () => "<a>".repeat(deep) + "</a>".repeat(deep),
    () => `<Delete>${"<Object>".repeat(deep)}`,
    () => `<Delete>${"<Object><Key>a</Key></Object>".repeat(1001)}</Delete>`,
    () => `<Delete>${"<Object></Object>".repeat(10)}</Delete>`,
    () => `<Delete><Object><Key>${"k".repeat(5000)}</Key></Object></Delete>`,
    () => `<Delete><Object><Key>a</Key><Key>b</Key></Object><Quiet>maybe</Quiet></Delete>`,
    () => `<Delete><Object><Key>a</Key><VersionId>x</VersionId></Object></Delete>`,
    () => `<Delete><Object><Key>&#0;&#x110000;&#xD800;</Key></Object></Delete>`,
    () => `<Delete><Object><Key>&#999999999999;</Key></Object></Delete>`,
    () => `<Delete><Object><Key>&nothing;</Key></Object></Delete>`,
    () => `<Delete><__proto__><Key>a</Key></__proto__><constructor/></Delete>`,
    () => `<CompleteMultipartUpload>${"<Part/>".repeat(10_001)}</CompleteMultipartUpload>`,
    () => COMPLETE.replace("<PartNumber>1<", `<PartNumber>${random.pick(JUNK)}<`),
    () => COMPLETE.replace("0000", random.pick(JUNK)),
    () => body.replaceAll("<", `<${random.pick(["x:", "\x00", "1", "é"])}`),
    () => body.replace(">", ` a="1" a="2" ${"b='c' ".repeat(1000)}>`),
    () => body.replaceAll(">", ` xmlns="${random.pick(JUNK)}">`),
    () => `<?xml version="1.0" encoding="UTF-16"?>${body}`,
    () => `\xef\xbb\xbf${body}`,
    () => `\xff\xfe${[...body].join("\x00")}`,
    () => `<![CDATA[${body}]]>`,
    () => body.replace("</", `<![CDATA[${random.bytes(20)}]]></`),
    () => `<!--${"-".repeat(random.below(5))}${body}`,
    () => `<?php ${body}`,
    () => body.slice(0, random.below(body.length)),
    () => body + body,
    () => scramble(random, body),
    () => scramble(random, body),
    () => random.bytes(100),
    () => " ".repeat(100_000),
    () => "",
    () => random.chance(0.05) ? `<Delete>${" ".repeat(8.5 * 1024 * 1024)}</Delete>` : "<Delete/>",
  ])();
}

/** Mutates some bytes: replaces, inserts, removes or duplicates them. */
export function scramble(random: Random, text: string): string {
  let changed = text;
  for (let i = 1 + random.below(4); i > 0; i--) {
    const at = random.below(changed.length + 1);
    const [before, after] = [changed.slice(0, at), changed.slice(at)];
    const length = 1 + random.below(8);
    changed = random.pick([
      () => before + random.bytes(1) + after.slice(1),
      () => before + random.bytes(length) + after,
      () => before + after.slice(length),
      () => before + after.slice(0, length) + after,
      () => before + "\r\n" + after,
    ])();
  }
  return changed;
}
