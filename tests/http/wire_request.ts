/**
 * HTTP/1.1 requests as sent over the wire and signed by hand, because `fetch` refuses to send some of them.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";

/** The key pair that signs requests. */
export const PAIR = { accessKeyId: "ann", secretAccessKey: "secret" } as const;
/** The key pair as the gateway's environment contains it. */
export const CREDENTIALS_ENV = {
  NATS_S3_CREDENTIALS: JSON.stringify({
    credentials: [{ accessKey: PAIR.accessKeyId, secretKey: PAIR.secretAccessKey }],
  }),
};

/** A request; all text is latin1, one character per byte. */
export type WireRequest = {
  readonly method: string;
  readonly path: string;
  /** The query, without the question mark. */
  readonly query: string;
  /** Headers in the order of the wire, including `Host`; `sign` covers `Host` and `x-amz-*`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
};

/** Options of {@linkcode sign}. */
export type Signing = {
  readonly now?: Date;
  readonly region?: string;
  /** Value of `x-amz-content-sha256`. */
  readonly payloadHash?: string;
};

/** A signature, and the input for signing chunks. */
export type Signed = {
  readonly headers: WireRequest["headers"];
  readonly signature: string;
  readonly timestamp: string;
  readonly scope: string;
  readonly key: Uint8Array;
};

/** Returns the request's headers together with those that sign it, by SigV4. */
export function sign(request: WireRequest, signing: Signing = {}): Signed {
  const { now = new Date(), region = "us-east-1", payloadHash = "UNSIGNED-PAYLOAD" } = signing;
  const timestamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${timestamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const headers = [
    ...request.headers,
    ["x-amz-date", timestamp],
    ["x-amz-content-sha256", payloadHash],
  ] as const;
  const values = new Map<string, string>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const earlier = values.get(lower);
    const folded = value.trim().replaceAll(/ +/g, " ");
    values.set(lower, earlier === undefined ? folded : `${earlier},${folded}`);
  }
  const names = [...values.keys()].filter((name) => name === "host" || name.startsWith("x-amz-"))
    .sort();
  const canonical = [
    request.method,
    request.path,
    canonicalQuery(request.query),
    ...names.map((name) => `${name}:${values.get(name)}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
  let key: Uint8Array = Buffer.from(`AWS4${PAIR.secretAccessKey}`);
  for (const part of scope.split("/")) key = hmac(key, part);
  const text = ["AWS4-HMAC-SHA256", timestamp, scope, sha256(canonical)].join("\n");
  const signature = hmac(key, text).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${PAIR.accessKeyId}/${scope}, SignedHeaders=${
    names.join(";")
  }, Signature=${signature}`;
  return {
    headers: [...headers, ["authorization", authorization]],
    signature,
    timestamp,
    scope,
    key,
  };
}

/** Returns a query that signs a request for an hour, without headers. */
export function presign(request: WireRequest, { now = new Date() }: Signing = {}): string {
  const timestamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${timestamp.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const host = request.headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "";
  const query = canonicalQuery([
    request.query,
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`${PAIR.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${timestamp}`,
    "X-Amz-Expires=3600",
    "X-Amz-SignedHeaders=host",
  ].join("&"));
  const canonical = [
    request.method,
    request.path,
    query,
    `host:${host}`,
    "",
    "host",
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  let key: Uint8Array = Buffer.from(`AWS4${PAIR.secretAccessKey}`);
  for (const part of scope.split("/")) key = hmac(key, part);
  const text = ["AWS4-HMAC-SHA256", timestamp, scope, sha256(canonical)].join("\n");
  return `${query}&X-Amz-Signature=${hmac(key, text).toString("hex")}`;
}

/** Returns the signature of an aws-chunk, given the signature of the chunk or request before it. */
export function signChunk(
  { key, timestamp, scope }: Signed,
  previous: string,
  chunk: string,
): string {
  return hmac(
    key,
    ["AWS4-HMAC-SHA256-PAYLOAD", timestamp, scope, previous, sha256(""), sha256(chunk)].join("\n"),
  ).toString("hex");
}

/** Returns the signature of the trailing headers, given the signature of the last chunk. */
export function signTrailer(
  { key, timestamp, scope }: Signed,
  previous: string,
  trailer: string,
): string {
  return hmac(
    key,
    ["AWS4-HMAC-SHA256-TRAILER", timestamp, scope, previous, sha256(trailer)].join("\n"),
  ).toString("hex");
}

/** Sorts an encoded query by name, then by value. */
function canonicalQuery(query: string): string {
  const pairs = query.split("&").filter((pair) => pair !== "").map((pair) => {
    const [name = "", value = ""] = pair.split("=", 2);
    return { name, value };
  });
  const compare = (a: string, b: string): number => a < b ? -1 : Number(a > b);
  return pairs.sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`).join("&");
}

/** Formats a request as text. */
export function formatRequest({ method, path, query, headers, body }: WireRequest): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${method} ${path}${query === "" ? "" : `?${query}`} HTTP/1.1\r\n${lines}\r\n${body}`;
}

/** Signs a request in its headers, and formats it as text. */
export function signedText(request: WireRequest, signing?: Signing): string {
  return formatRequest({ ...request, headers: sign(request, signing).headers });
}

/** Converts latin1 text to bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

function sha256(text: string): string {
  return createHash("sha256").update(text, "latin1").digest("hex");
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text, "latin1").digest();
}
