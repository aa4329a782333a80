/**
 * Correctly signed requests for every operation that AWS documents, each derived from one number.
 *
 * Everything else is odd: keys, parameters, headers, documents and checksums. The gateway gets past authentication, so
 * that the parsers and operations behind it see the rest. See `malformed_requests.ts` for requests that are no HTTP.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { OPERATIONS } from "../../src/operations/table.ts";
import type { Operation } from "../../src/operations/operation.ts";
import { formatPublicRead } from "../../src/s3/policy.ts";
import {
  JUNK,
  type MalformedRequest,
  PARSED,
  Random,
  type Scenery,
  scramble,
  valueOf,
} from "./malformed_requests.ts";
import {
  formatRequest,
  presign,
  sign,
  signChunk,
  signTrailer,
  type WireRequest,
} from "./wire_request.ts";

/** A correctly signed request. */
export type RoutedRequest = MalformedRequest & {
  /** The operation that it was made for; a junk parameter may lead it to another one. */
  readonly operation: string;
};

/** Returns the request of a seed. Its signature contains the time, so its bytes differ from one second to the next. */
export function routedRequest(seed: number, scenery: Scenery): RoutedRequest {
  // Neighbouring seeds must not produce similar sequences.
  const random = new Random(Math.imul(seed + 1, 0x85ebca6b));
  const operation = random.pick(random.chance(0.7) ? SUPPORTED : OPERATIONS);
  const path = pathOf(random, operation, scenery);
  const pairs = queryOf(random, operation, scenery);
  const headers = headersOf(random, operation, scenery);
  const body = bodyOf(random, operation, scenery);
  if (operation.name === "DeleteObjects" && !headers.has("content-md5")) {
    headers.set("content-md5", createHash("md5").update(body, "latin1").digest("base64"));
  }
  const canonical: WireRequest = {
    method: operation.method,
    path,
    query: pairs.map((pair) => pair.join("=")).join("&"),
    headers: [["Host", scenery.host], ...headers],
    body,
  };
  const [way, text] = random.pick(waysOf(random, operation, canonical));
  return {
    seed,
    operation: operation.name,
    ways: [operation.name, way],
    pieces: [text],
    then: "wait",
    isSigned: true,
  };
}

const SUPPORTED = OPERATIONS.filter(({ unsupported }) => unsupported !== true);

/** Keys that a parser, a subject or a document might take for something else. */
const KEYS = [
  "a b",
  "a+b",
  "é",
  "日本/語",
  "😀",
  "//",
  "a//b",
  "/a",
  "a/",
  ".",
  "..",
  "a/../b",
  "a/./b",
  "%",
  "%2F",
  "?",
  "#",
  "a=b&c",
  ">",
  "*",
  "$O.photos",
  "__proto__",
  " ",
  "\n",
  "\u0001",
  "\u2028",
  "<a>&amp;",
  "]]>",
  "k".repeat(1024),
  "é".repeat(512),
  "k".repeat(1025),
] as const;

/** Names of parameters that operations read, and some that they do not. */
const PARAMETERS = [
  "bucket-region",
  "continuation-token",
  "delimiter",
  "encoding-type",
  "fetch-owner",
  "key-marker",
  "list-type",
  "marker",
  "max-buckets",
  "max-keys",
  "max-parts",
  "max-uploads",
  "part-number-marker",
  "partNumber",
  "prefix",
  "response-cache-control",
  "response-content-disposition",
  "response-content-type",
  "response-expires",
  "response-nothing",
  "start-after",
  "upload-id-marker",
  "uploadId",
  "versionId",
  "version-id-marker",
  "x-amz-acl",
  "x-id",
] as const;

const PARAMETER_VALUES = [
  ...["1", "2", "1000", "url", "/", "k", "true", "null", "a/b", "é", "😀", "\n", "k".repeat(1024)],
] as const;

/** Headers that frame or sign a request, which the ways to sign set themselves. */
const OWN: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "x-amz-",
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-decoded-content-length",
  "x-amz-meta-",
  "x-amz-trailer",
]);

/** Percent-encodes text as SigV4 does. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function pathOf(random: Random, { name, on }: Operation, { bucket, keys }: Scenery): string {
  if (on === "service") return "/";
  // Not a bucket that others use or make.
  if (name === "DeleteBucket") return `/${bucket}-none`;
  if (name === "CreateBucket") return `/${bucket}-${random.below(3)}`;
  const chosen = random.chance(0.95) ? bucket : "nobody";
  if (on === "bucket") return random.chance(0.9) ? `/${chosen}` : `/${chosen}/`;
  if (name === "UploadPart" || name === "ListParts") return `/${chosen}/upload`;
  const key = random.chance(0.6) ? random.pick(keys) : random.pick(KEYS);
  return `/${chosen}/${encode(key).replaceAll("%2F", "/")}`;
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** Returns the parameters of an operation and some others, encoded. */
function queryOf(random: Random, { name, query = [] }: Operation, { uploadId }: Scenery): Pairs {
  // An upload that others use must last.
  const uploads = name === "AbortMultipartUpload" ? [`${uploadId}x`, ""] : [uploadId, "x", ""];
  const values: Readonly<Record<string, readonly string[]>> = {
    uploadId: uploads,
    partNumber: ["1", "2", "10000", "0", "10001", "-1", "a"],
  };
  const required = query.map((text): [string, string] => {
    const [name = "", value] = text.split("=");
    return [name, encode(value ?? random.pick(values[name] ?? [""]))];
  });
  const more = Array.from({ length: random.pick([0, 0, 1, 2, 5]) }, (): [string, string] => {
    const junk = random.chance(0.7) ? random.pick(PARAMETER_VALUES) : random.pick(JUNK);
    return [random.pick(PARAMETERS), random.chance(0.03) ? "%FF" : encode(junk)];
  });
  const sent = [...required, ...more.filter(([name]) => !required.some(([own]) => own === name))];
  const long = sent.reduce((sum, [name, value]) => sum + name.length + value.length, 0) > 20_000;
  return long ? required : sent;
}

function headersOf(random: Random, { name, headers = [] }: Operation, { bucket, keys }: Scenery) {
  const found = new Map<string, string>();
  const source = `/${bucket}/${random.pick(keys)}`;
  for (const header of headers) found.set(header, source);
  if (name === "RenameObject") found.set("x-amz-rename-source", source);
  if (random.chance(0.1)) {
    const count = random.pick([1, 20, 80]);
    for (let i = 0; i < count; i++) found.set(`x-amz-meta-${i}`, "v");
  }
  for (let i = random.pick([0, 1, 1, 2, 5]); i > 0; i--) {
    const header = random.pick(PARSED);
    if (OWN.has(header) || found.has(header)) continue;
    // Without controls, which are not HTTP, and without the byte A0, which some signers trim.
    // deno-lint-ignore no-control-regex
    found.set(header, valueOf(random, header).replaceAll(/[\x00-\x1f\x7f\xa0]/g, ""));
  }
  return found;
}

const ROOTS: Readonly<Record<string, (keys: readonly string[]) => string>> = {
  DeleteObjects: (keys) =>
    `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`,
  CompleteMultipartUpload: () =>
    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" +
    `<ETag>"${"0".repeat(32)}"</ETag></Part></CompleteMultipartUpload>`,
  CreateBucket: () =>
    "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>" +
    "</CreateBucketConfiguration>",
  PutBucketCors: () =>
    "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>" +
    "<AllowedHeader>*</AllowedHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>",
  PutBucketWebsite: () =>
    "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>",
  PutBucketPolicy: () => formatPublicRead("bucket"),
};

function bodyOf(random: Random, { name, method }: Operation, { keys }: Scenery): string {
  if (method !== "PUT" && method !== "POST") return random.chance(0.03) ? "unexpected" : "";
  const rootOf = ROOTS[name];
  if (rootOf === undefined) {
    if (name !== "PutObject" && name !== "UploadPart") return random.pick(["", "", "<a/>"]);
    return random.bytes(random.pick([0, 1, 100, 5000])) + "x".repeat(random.pick([0, 70_000]));
  }
  if (name === "CreateBucket" && random.chance(0.7)) return "";
  const odd = [...keys, "a&amp;b", "&#10;", "]]&gt;", " ", "k".repeat(1025)];
  const document = rootOf(Array.from({ length: 1 + random.below(5) }, () => random.pick(odd)));
  const text = random.pick([
    () => document,
    () => document,
    () => document.replaceAll("><", "> \r\n<"),
    () => document.replace("><", `>${"<!---->".repeat(5000)}<`),
    () => document.replace("><", `>${"<![CDATA[]]>".repeat(5000)}<`),
    () => document.replace("><", `>${" ".repeat(300_000)}<`),
    () => document.replace("><", `>${"<a/>".repeat(random.pick([10, 30_000]))}<`),
    () =>
      document.replace(
        ">",
        ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/" ${
          "a='b' ".repeat(random.pick([0, 1, 500]))
        }>`,
      ),
    () => document.replace(/>[^<]+</, `>${random.pick(JUNK)}<`),
    () => "<!--".repeat(40_000),
    () => `<${"a".repeat(100_000)}`,
    () => "&".repeat(100_000),
    () => scramble(random, document),
    () => random.bytes(200),
    () => "",
  ])();
  // A document is sent in UTF-8.
  return random.chance(0.8) ? Buffer.from(text).toString("latin1") : text;
}

type Way = readonly [way: string, text: string];

/** Returns the request in the ways in which it can be signed. */
function waysOf(random: Random, { name, method }: Operation, request: WireRequest): readonly Way[] {
  const { body, headers } = request;
  const hasBody = body !== "" || method === "PUT" || method === "POST";
  const length = (size: number): WireRequest["headers"] =>
    hasBody ? [["Content-Length", String(size)]] : [];
  const plain = { ...request, headers: [...headers, ...length(body.length)] };
  const digest = createHash("sha256").update(body, "latin1").digest("hex");
  const payloadHash = random.pick(["UNSIGNED-PAYLOAD", digest, digest, "0".repeat(64)]);
  const { headers: inHeaders } = sign(plain, { payloadHash });
  const ways: Way[] = [["header", formatRequest(asSent(random, { ...plain, headers: inHeaders }))]];

  // A presigned URL signs no header, so it carries those that must be signed in its query.
  const hoisted = headers.filter(([name]) => name.startsWith("x-amz-"));
  const rest = plain.headers.filter(([name]) => !name.startsWith("x-amz-"));
  const query = [request.query, ...hoisted.map(([name, value]) => `${name}=${encode(value)}`)]
    .filter((text) => text !== "").join("&");
  if (query.length < 20_000) {
    const presigned = { ...request, query, headers: rest };
    ways.push(["query", formatRequest({ ...presigned, query: presign(presigned) })]);
  }
  if (name === "PutObject" || name === "UploadPart") {
    for (const isSigned of [false, true]) {
      for (const hasTrailer of isSigned ? [false, true] : [true]) {
        ways.push(chunked(random, request, { isSigned, hasTrailer }));
      }
    }
  }
  return ways;
}

function chunked(
  random: Random,
  request: WireRequest,
  { isSigned, hasTrailer }: { readonly isSigned: boolean; readonly hasTrailer: boolean },
): Way {
  const { body } = request;
  const form = `STREAMING-${isSigned ? "AWS4-HMAC-SHA256" : "UNSIGNED"}-PAYLOAD${
    hasTrailer ? "-TRAILER" : ""
  }`;
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(Buffer.from(random.chance(0.9) ? body : `${body}x`, "latin1")));
  const trailer = `x-amz-checksum-crc32:${sum.toString("base64")}`;
  const at = random.below(body.length + 1);
  const chunks = [body.slice(0, at), body.slice(at)].filter((chunk) => chunk !== "").concat("");

  const frame = (signatureOf: (chunk: string) => string, endOf: () => string): string =>
    chunks.map((chunk) =>
      `${chunk.length.toString(16)}${signatureOf(chunk)}\r\n${chunk}${chunk === "" ? "" : "\r\n"}`
    ).join("") + endOf();
  const zeros = "0".repeat(64);
  const trailers = (signature: string): string =>
    hasTrailer
      ? `${trailer}\r\n${isSigned ? `x-amz-trailer-signature:${signature}\r\n` : ""}\r\n`
      : "\r\n";
  const size = frame(
    () => isSigned ? `;chunk-signature=${zeros}` : "",
    () => trailers(zeros),
  ).length;

  const own = new Set(["x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm"]);
  const signed = sign({
    ...request,
    headers: [
      // A second checksum or encoding would contradict the trailer.
      ...request.headers.filter(([name]) => !own.has(name)),
      ["x-amz-decoded-content-length", String(body.length)],
      ...(hasTrailer ? [["x-amz-trailer", "x-amz-checksum-crc32"] as const] : []),
      ["Content-Length", String(size)],
    ],
  }, { payloadHash: form });
  let previous = signed.signature;
  const framed = frame(
    (chunk) => isSigned ? `;chunk-signature=${previous = signChunk(signed, previous, chunk)}` : "",
    () => trailers(signTrailer(signed, previous, `${trailer}\n`)),
  );
  return [
    form,
    formatRequest(asSent(random, { ...request, headers: signed.headers, body: framed })),
  ];
}

/** Writes the signed path and query in another way, as proxies and clients do: order and encoding are not signed. */
function asSent(random: Random, request: WireRequest): WireRequest {
  if (random.chance(0.7)) return request;
  const pairs = request.query.split("&").filter((pair) => pair !== "");
  const shuffled = pairs.toSorted(() => random.next() - 0.5).map((pair) =>
    overEncode(random, pair)
  );
  return { ...request, path: overEncode(random, request.path), query: shuffled.join("&") };
}

/** Percent-encodes one letter that need not be encoded. */
function overEncode(random: Random, text: string): string {
  const letters = [...text.matchAll(/(?<!%.?)[a-z]/g)].map(({ index }) => index);
  if (letters.length === 0) return text;
  const at = random.pick(letters);
  return `${text.slice(0, at)}%${text.charCodeAt(at).toString(16)}${text.slice(at + 1)}`;
}
