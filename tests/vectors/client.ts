/**
 * A signing client, written from AWS's documentation and not from `src/auth`, so that the two do not share mistakes.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import { parseQuery, type S3Request } from "../../src/s3/request.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";

/** The credentials of AWS's examples. */
export const EXAMPLE = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
  /** `20130524T000000Z` */
  now: new Date("2013-05-24T00:00:00Z"),
} as const;
export const TIMESTAMP = "20130524T000000Z";
export const SCOPE = "20130524/us-east-1/s3/aws4_request";
export const EMPTY_SHA256 = createHash("sha256").digest("hex");

/** A request whose headers a test may change. */
export type RequestInTest = S3Request & { readonly headers: Headers };

/** Input of {@linkcode s3Request}; every field is optional. */
export type Asked = {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: ReadableStream<Uint8Array> | null;
  readonly target?: S3Request["target"];
};

/** Creates a request in path style, as the pipeline's first step does. */
export function s3Request(
  {
    method = "GET",
    host = "s3.amazonaws.com",
    path = "/b/k",
    query = "",
    headers,
    body = null,
    ...rest
  }: Asked = {},
): RequestInTest {
  const [bucket = "", ...key] = path.slice(1).split("/");
  return {
    method,
    host,
    scheme: "https",
    address: undefined,
    rawPath: path,
    rawQuery: query,
    query: parseQuery(query),
    headers: new Headers(headers),
    body,
    client: new AbortController(),
    target: rest.target ?? {
      on: "object",
      bucket: bucket as BucketName,
      key: decodeURIComponent(key.join("/")) as ObjectKey,
    },
  };
}

export type Signer = {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly timestamp?: string;
  readonly scope?: string;
  /** Names of headers that are present but not signed. */
  readonly unsigned?: readonly string[];
};

/** Signs a request with an Authorization header; adds `x-amz-date` and `x-amz-content-sha256` if they are missing. */
export function signed(asked: Asked, signer: Signer = {}): RequestInTest {
  const { timestamp = TIMESTAMP, scope = SCOPE, accessKeyId = EXAMPLE.accessKeyId, unsigned } =
    signer;
  const headers = {
    "x-amz-date": timestamp,
    "x-amz-content-sha256": EMPTY_SHA256,
    ...asked.headers,
  };
  const request = s3Request({ ...asked, headers });
  const names = ["host", ...request.headers.keys()].sort()
    .filter((name) => !unsigned?.includes(name));
  const signature = signatureOf(
    request,
    names,
    request.rawQuery,
    headers["x-amz-content-sha256"],
    signer,
  );
  request.headers.set(
    "authorization",
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, ` +
      `Signature=${signature}`,
  );
  return request;
}

/** Signs a request in its query. */
export function presigned(
  asked: Asked,
  { expires = "86400", payloadHash = "UNSIGNED-PAYLOAD", ...signer }:
    & Signer
    & { readonly expires?: string; readonly payloadHash?: string } = {},
): RequestInTest {
  const { timestamp = TIMESTAMP, scope = SCOPE, accessKeyId = EXAMPLE.accessKeyId, unsigned } =
    signer;
  const names = ["host", ...new Headers(asked.headers).keys()].sort()
    .filter((name) => !unsigned?.includes(name));
  const query = [
    ...(asked.query ?? "").split("&").filter(Boolean),
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`${accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${timestamp}`,
    `X-Amz-Expires=${expires}`,
    `X-Amz-SignedHeaders=${encodeURIComponent(names.join(";"))}`,
  ].sort().join("&");
  const request = s3Request({ ...asked, query });
  const signature = signatureOf(request, names, query, payloadHash, signer);
  return s3Request({ ...asked, query: `${query}&X-Amz-Signature=${signature}` });
}

function signatureOf(
  { method, rawPath, host, headers }: S3Request,
  names: readonly string[],
  query: string,
  payloadHash: string,
  signer: Signer,
): string {
  const canonical = [
    method,
    rawPath,
    query,
    ...names.map((name) => `${name}:${name === "host" ? host : headers.get(name)}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
  const { timestamp = TIMESTAMP, scope = SCOPE, secretAccessKey } = signer;
  return hmac(
    keyOf(scope, secretAccessKey),
    `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256(Buffer.from(canonical, "latin1"))}`,
  ).toString("hex");
}

/** Derives the signing key of a scope. */
export function keyOf(scope: string, secretAccessKey: string = EXAMPLE.secretAccessKey): Buffer {
  let key: Buffer = Buffer.from("AWS4" + secretAccessKey);
  for (const word of scope.split("/")) key = hmac(key, word);
  return key;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Options of {@linkcode frame}. */
export type Framing = {
  /** Signature of the request; undefined if chunks are not signed. */
  readonly seed?: string;
  readonly trailers?: Readonly<Record<string, string>>;
};

/** Frames chunks, followed by the empty last one, as aws-chunked. */
export function frame(
  chunks: readonly string[],
  { seed, trailers }: Framing = {},
): Uint8Array<ArrayBuffer> {
  let previous = seed ?? "";
  const sign = (algorithm: string, digests: string): string => {
    const text = `${algorithm}\n${TIMESTAMP}\n${SCOPE}\n${previous}\n${digests}`;
    return previous = hmac(keyOf(SCOPE), text).toString("hex");
  };

  let wire = "";
  for (const chunk of [...chunks, ""]) {
    wire += chunk.length.toString(16);
    if (seed !== undefined) {
      const digests = `${EMPTY_SHA256}\n${sha256(Buffer.from(chunk, "latin1"))}`;
      wire += `;chunk-signature=${sign("AWS4-HMAC-SHA256-PAYLOAD", digests)}`;
    }
    wire += "\r\n" + chunk + (chunk === "" ? "" : "\r\n");
  }
  for (const [name, value] of Object.entries(trailers ?? {})) wire += `${name}:${value}\r\n`;
  if (seed !== undefined && trailers !== undefined) {
    const canonical = Object.entries(trailers).map(([name, value]) => `${name}:${value}\n`).join(
      "",
    );
    const digest = sha256(Buffer.from(canonical, "latin1"));
    wire += `x-amz-trailer-signature:${sign("AWS4-HMAC-SHA256-TRAILER", digest)}\r\n`;
  }
  return new Uint8Array(Buffer.from(wire + "\r\n", "latin1"));
}

/** Returns a byte stream of the pieces, like the runtime's request bodies. */
export function streamOf(
  ...pieces: readonly Uint8Array[]
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const queue = pieces.filter((piece) => piece.length > 0);
  return new ReadableStream({
    type: "bytes",
    pull(controller): void {
      const piece = queue.shift();
      if (piece === undefined) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else {
        controller.enqueue(new Uint8Array(piece));
      }
    },
  });
}
