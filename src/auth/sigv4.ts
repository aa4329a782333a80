/**
 * AWS Signature Version 4, in the Authorization header.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * - Every `x-amz-*` header and `host` must be signed, as AWS demands. `content-type` need not be, although AWS's page says
 *   so: AWS accepts it unsigned, and minio-go never signs it.
 * - An unknown access key takes the same path with a dummy secret, so neither a response nor its time tells which part of
 *   the credentials is wrong before the signature has been computed.
 * - SignedHeaders must not name a header twice: each name costs its header's whole value, so a request of 58 KB would
 *   make canonical text of 420 MB.
 * @module
 */

import { BoundedCache } from "../collections/bounded_cache.ts";
import { hmacOfText, sha256OfText } from "../crypto/sha256.ts";
import { isSameText } from "../crypto/timing_safe_equal.ts";
import { S3Error } from "../s3/errors.ts";
import type { S3Request } from "../s3/request.ts";
import {
  canonicalHeaders,
  canonicalQuery,
  canonicalRequest,
  canonicalUri,
} from "./canonical_request.ts";
import {
  type AcceptedRegions,
  accepts,
  type Complaint,
  type Credential,
  formatScope,
  parseCredential,
  SERVICE,
} from "./credential_scope.ts";
import type { Credentials } from "./credentials.ts";
import { checkRequestTime, readRequestTime } from "./request_time.ts";
import { signatureDoesNotMatch } from "./signature_mismatch.ts";
import { checkSignedHeaders, parseSignedHeaders } from "./signed_headers.ts";
import type { SigningKeys } from "./signing_keys.ts";

/** The only algorithm. */
export const ALGORITHM = "AWS4-HMAC-SHA256";

/** Signs for unknown access keys; the gateway refuses even a request that matches it. */
const DUMMY_SECRETS = ["0000000000000000000000000000000000000000"];

/** The facts against which signatures are checked. */
export type Verifier = AcceptedRegions & {
  readonly credentials: Credentials;
  /** Milliseconds that a client's clock may be off. */
  readonly clockSkew: number;
  readonly now: Date;
  readonly signingKeys: SigningKeys;
  /** Set for another service than S3, which signs the hash of the body whether a header states it or not. */
  readonly other?: { readonly service: string; readonly payloadHash: string };
};

/** The signature of a request, as its Authorization header or its query states it. */
export type Claim = Credential & {
  /** When the request was signed: `20130524T000000Z`. */
  readonly timestamp: string;
  /** Lower-case names, in the client's order. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
};

/** The beginning of the chain of signatures of chunks and trailers. */
export type ChunkSigning = {
  readonly key: Uint8Array;
  /** `20130524T000000Z` */
  readonly timestamp: string;
  readonly scope: string;
  /** The request's own signature, which the first chunk's follows. */
  readonly seed: string;
};

/**
 * Returns the text that a request's signature covers.
 *
 * @param canonical Latin1 text of {@linkcode canonicalRequest}.
 */
export function stringToSign(timestamp: string, scope: string, canonical: string): string {
  return `${ALGORITHM}\n${timestamp}\n${scope}\n${sha256OfText(canonical)}`;
}

/** Returns the signature of a latin1 text, in lower-case hex. */
export function sign(key: Uint8Array, text: string): string {
  return hmacOfText(key, text);
}

/** Returns whether an Authorization header is of SigV4. */
export function isSigV4Header(authorization: string): boolean {
  return authorization.startsWith(ALGORITHM);
}

/**
 * Checks the signature in the Authorization header.
 *
 * @throws S3Error `AuthorizationHeaderMalformed`, `AccessDenied`, `RequestTimeTooSkewed`, `InvalidRequest`,
 * `InvalidAccessKeyId`, `SignatureDoesNotMatch`
 */
export function verifyHeader(
  request: S3Request,
  verifier: Verifier,
): Credential & { payloadHash: string; signing: ChunkSigning } {
  const { headers } = request;
  const authorization = headers.get("authorization") ?? "";
  const end = authorization.lastIndexOf(SIGNATURE) + SIGNATURE.length;
  const signature = authorization.slice(end);
  const service = verifier.other?.service ?? SERVICE;
  const beginning = `${service} ${verifier.region} ${authorization.slice(0, end)}`;
  // All requests of one client on one day have the same beginning.
  const known = /^[0-9a-f]{64}$/.test(signature) ? beginnings.get(beginning) : undefined;

  const parts = known ?? parseAuthorization(authorization);
  const { date, timestamp } = readRequestTime(headers);
  const day = timestamp.slice(0, 8);
  const { accessKeyId, region } = known?.day === day && accepts(verifier, known.region)
    ? known
    : parseCredential(parts.Credential, date, verifier, headerMalformed, service);
  const payloadHash = verifier.other?.payloadHash ?? headers.get("x-amz-content-sha256");
  if (payloadHash === null) {
    throw new S3Error("InvalidRequest", {}, {
      message: "Missing required header for this request: x-amz-content-sha256",
    });
  }
  const signedHeaders = known?.signedHeaders ??
    parseSignedHeaders(parts.SignedHeaders, headerMalformed);
  checkSignedHeaders(signedHeaders, headers);
  checkRequestTime(date, verifier.now, verifier.clockSkew);

  const claim = {
    accessKeyId,
    region,
    timestamp,
    signedHeaders,
    signature: known ? signature : parts.Signature,
  };
  const signing = checkSignature(request, claim, undefined, payloadHash, verifier);
  const isKept = known === undefined && beginning.length <= MAX_BEGINNING;
  if (isKept && parts.Signature === signature) {
    const entry = { ...parts, day, accessKeyId, region, signedHeaders };
    beginnings.set(beginning, entry, beginning.length);
  }
  return { accessKeyId, region, payloadHash, signing };
}

const SIGNATURE = "Signature=";

/** Longest beginning that is remembered, and the length of all of them, in characters. */
const MAX_BEGINNING = 2048;
const MAX_BEGINNINGS = 1024 * 1024;
/** The parsed beginnings of the Authorization headers of verified requests, by service, region and text. */
const beginnings = new BoundedCache<
  ReturnType<typeof parseAuthorization> & Credential & {
    readonly day: string;
    readonly signedHeaders: readonly string[];
  }
>(MAX_BEGINNINGS);

const COMPONENTS = ["Credential", "SignedHeaders", "Signature"] as const;

/** Parses `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, in any order, with or without blanks. */
function parseAuthorization(text: string): Record<typeof COMPONENTS[number], string> {
  const found = new Map<string, string>();
  const list = text.slice(ALGORITHM.length).split(",");
  for (const component of list) {
    const equals = component.indexOf("=");
    found.set(component.slice(0, Math.max(equals, 0)).trim(), component.slice(equals + 1).trim());
  }
  if (list.length !== COMPONENTS.length || !/^[ \t]/.test(text.slice(ALGORITHM.length))) {
    throw headerMalformed(
      "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    );
  }
  const [Credential, SignedHeaders, Signature] = COMPONENTS.map((name) => {
    const value = found.get(name);
    if (value === undefined || value === "") throw headerMalformed(`missing ${name}.`);
    return value;
  }) as [string, string, string];
  return { Credential, SignedHeaders, Signature };
}

const headerMalformed: Complaint = (reason, fields) =>
  new S3Error("AuthorizationHeaderMalformed", fields, {
    message: `The authorization header is malformed; ${reason}`,
  });

/**
 * Compares the signature with ours for each valid secret.
 *
 * @param except Query parameter that holds the signature and so cannot be signed; undefined for a header.
 * @param payloadHash As it was signed.
 * @throws S3Error `InvalidAccessKeyId`, `SignatureDoesNotMatch`
 */
export function checkSignature(
  request: S3Request,
  claim: Claim,
  except: string | undefined,
  payloadHash: string,
  { credentials, signingKeys, other }: Verifier,
): ChunkSigning {
  const { accessKeyId, region, timestamp, signedHeaders, signature } = claim;
  // Before the canonical texts, which are the expensive part.
  const secrets = credentials.find(accessKeyId)?.secrets;
  const day = timestamp.slice(0, 8);
  const scope = formatScope(day, region, other?.service);
  const { method, host } = request;
  const uri = canonicalUri(request.rawPath, request.target.on === "account");
  const query = canonicalQuery(request.rawQuery, except);

  const canonicalOf = (headers: string): string =>
    canonicalRequest({ method, uri, query, headers, signedHeaders, payloadHash });
  const joined = canonicalHeaders(signedHeaders, request.headers, host);
  const canonical = canonicalOf(joined);
  const texts = [stringToSign(timestamp, scope, canonical)];
  if (joined.includes(", ")) {
    const repeated = canonicalHeaders(signedHeaders, request.headers, host, ",");
    texts.push(stringToSign(timestamp, scope, canonicalOf(repeated)));
  }

  let key: Uint8Array | undefined;
  for (const secret of secrets ?? DUMMY_SECRETS) {
    const candidate = signingKeys(secret, day, region, other?.service);
    for (const text of texts) if (isSameText(sign(candidate, text), signature)) key = candidate;
  }
  if (secrets === undefined) {
    throw new S3Error("InvalidAccessKeyId", { AWSAccessKeyId: accessKeyId });
  }
  if (key === undefined) {
    throw signatureDoesNotMatch({
      accessKeyId,
      signature,
      stringToSign: stringToSign(timestamp, scope, canonical),
      canonicalRequest: canonical,
    });
  }
  return { key, timestamp, scope, seed: signature };
}
