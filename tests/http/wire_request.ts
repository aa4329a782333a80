/**
 * HTTP/1.1 requests as they go over the wire, signed by hand: for what `fetch` refuses to send.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";

/** The pair that requests are signed with. */
export const PAIR = { accessKeyId: "ann", secretAccessKey: "secret" } as const;
/** It, as the gateway's environment has it. */
export const CREDENTIALS_ENV = {
  NATS_S3_CREDENTIALS: JSON.stringify({
    credentials: [{ accessKey: PAIR.accessKeyId, secretKey: PAIR.secretAccessKey }],
  }),
};

/** Text is latin1 throughout: one character a byte. */
export type WireRequest = {
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** `Host` too; written in this order, and signed unless `sign` is told otherwise. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
};

/** How to sign. */
export type Signing = {
  readonly now?: Date;
  readonly region?: string;
  /** What `x-amz-content-sha256` says. */
  readonly payloadHash?: string;
};

/** A signature, and what signatures of chunks follow from. */
export type Signed = {
  readonly headers: WireRequest["headers"];
  readonly signature: string;
  readonly timestamp: string;
  readonly scope: string;
  readonly key: Uint8Array;
};

/** The request's headers and those that sign it, with SigV4. */
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
    request.query.split("&").filter((pair) => pair !== "")
      .map((pair) => pair.includes("=") ? pair : `${pair}=`).sort().join("&"),
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

/** The query that signs a request for an hour, in place of headers. */
export function presign(request: WireRequest, { now = new Date() }: Signing = {}): string {
  const timestamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${timestamp.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const host = request.headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "";
  const query = [
    ...request.query.split("&").filter((pair) => pair !== "")
      .map((pair) => pair.includes("=") ? pair : `${pair}=`),
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`${PAIR.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${timestamp}`,
    "X-Amz-Expires=3600",
    "X-Amz-SignedHeaders=host",
  ].sort().join("&");
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

/** Signature of an aws-chunk that follows another's, or the request's. */
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

/** The request as text. */
export function formatRequest({ method, path, query, headers, body }: WireRequest): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${method} ${path}${query === "" ? "" : `?${query}`} HTTP/1.1\r\n${lines}\r\n${body}`;
}

/** A request with its headers signed, as text. */
export function signedText(request: WireRequest, signing?: Signing): string {
  return formatRequest({ ...request, headers: sign(request, signing).headers });
}

/** Latin1 text as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

function sha256(text: string): string {
  return createHash("sha256").update(text, "latin1").digest("hex");
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text, "latin1").digest();
}
