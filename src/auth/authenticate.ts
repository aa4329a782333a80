/**
 * The pipeline's second step: who is calling?
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 *
 * The gateway accepts SigV4 in the header or the query of a request, and SigV2 as far as its configuration allows it.
 * S3 Control has no SigV2, which would leave its parameters unsigned, and no change by a sub-resource that it does not sign
 * has it either. A request without a signature is anonymous. There are no session tokens.
 * @module
 */

import { AS_OF } from "../s3/as_of.ts";
import { S3Error } from "../s3/errors.ts";
import { regionOfUnsigned } from "../s3/region.ts";
import type { S3Request } from "../s3/request.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";
import { isUnsignedBySigV2 } from "../s3/subresources.ts";
import type { VerifiedRequest } from "../s3/verified_request.ts";
import { createPayload } from "./body.ts";
import type { AcceptedRegions, Credential } from "./credential_scope.ts";
import { type Credentials, identityOf } from "./credentials.ts";
import { withHoistedHeaders, withoutHoistedChecksums } from "./hoisted_headers.ts";
import { ANONYMOUS, type Identity } from "./identity.ts";
import { isPresigned, verifyPresigned } from "./presigned.ts";
import {
  isSigV2Header,
  isSigV2Presigned,
  SIGV2_HOISTED,
  type SigV2Mode,
  verifySigV2Header,
  verifySigV2Presigned,
} from "./sigv2.ts";
import { type ChunkSigning, isSigV4Header, type Verifier, verifyHeader } from "./sigv4.ts";
import { createSigningKeys } from "./signing_keys.ts";

/** The payload hash of a signature that does not cover the payload. */
const UNSIGNED = "UNSIGNED-PAYLOAD";

/** Options of {@linkcode createAuthenticate}. */
export type AuthenticateOptions = AcceptedRegions & {
  readonly credentials: Credentials;
  /** Milliseconds that a client's clock may be off. */
  readonly clockSkew: number;
  readonly sigv2: SigV2Mode;
  readonly now: () => Date;
};

/** The caller, and the request that the caller is known to have sent. */
export type Authenticated = { readonly identity: Identity; readonly verified: VerifiedRequest };

/** The step itself. The body of the verified request is checked as it streams, so reading it can still fail. */
export type Authenticate = (request: S3Request) => Promise<Authenticated>;

/**
 * Creates the step.
 *
 * It rejects with an S3Error: `InvalidArgument` for a request that is signed in two ways, `AccessDenied` for an unsigned
 * one whose body is framed wrongly, and the errors of the several ways to sign.
 */
export function createAuthenticate(
  { credentials, region, locations = [], clockSkew, sigv2, now }: AuthenticateOptions,
): Authenticate {
  const signingKeys = createSigningKeys();
  const verify = (request: S3Request): Authenticated => {
    const verifier = { credentials, region, locations, clockSkew, signingKeys, now: now() };
    return authenticate(request, verifier, sigv2);
  };
  return (request) => {
    const wait = isSigned(request) ? credentials.refresh() : undefined;
    return wait === undefined ? Promise.try(verify, request) : wait.then(() => verify(request));
  };
}

/** Returns whether a request names an access key. */
function isSigned({ headers, query }: S3Request): boolean {
  return headers.has("authorization") || isPresigned(query) || isSigV2Presigned(query);
}

function authenticate(
  request: S3Request,
  verifier: Verifier,
  sigv2: SigV2Mode,
): Authenticated {
  const { query, headers } = request;
  // SigV2 names no region.
  const region = regionOfUnsigned(verifier.region);
  const authorization = headers.get("authorization");
  const ways = Number(authorization !== null) + Number(isPresigned(query)) +
    Number(isSigV2Presigned(query));
  if (ways > 1) {
    throw new S3Error("InvalidArgument", {
      ArgumentName: "Authorization",
      ArgumentValue: authorization ?? "",
    }, {
      message: "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, " +
        "Signature query string parameter or the Authorization header should be specified",
    });
  }
  if (headers.has("x-amz-security-token") || query.has("X-Amz-Security-Token")) {
    throw new S3Error("InvalidToken");
  }

  if (isPresigned(query)) {
    const signer = verifyPresigned(request, verifier);
    const all = withoutHoistedChecksums(withHoistedHeaders(headers, query, [AS_OF]), headers);
    return user(request, all, signer, verifier);
  }
  if (isSigV2Presigned(query)) {
    if (sigv2 === "off" || !isForSigV2(request)) throw unsupported();
    const all = withHoistedHeaders(headers, query, SIGV2_HOISTED);
    const accessKeyId = verifySigV2Presigned(request, all, verifier);
    const signer = { accessKeyId, region, payloadHash: UNSIGNED, signing: undefined };
    return user(request, withoutHoistedChecksums(all, headers), signer, verifier);
  }
  if (authorization === null) return anonymous(request, region);
  if (isSigV4Header(authorization)) {
    return user(request, headers, verifyHeader(request, verifier), verifier);
  }
  if (isSigV2Header(authorization)) {
    if (sigv2 !== "on" || !isForSigV2(request)) throw unsupported();
    const accessKeyId = verifySigV2Header(request, verifier);
    return user(request, headers, {
      accessKeyId,
      region,
      payloadHash: UNSIGNED,
      signing: undefined,
    }, verifier);
  }
  throw new S3Error("InvalidArgument", {
    ArgumentName: "Authorization",
    ArgumentValue: authorization,
  }, { message: "Unsupported Authorization Type" });
}

function user(
  request: S3Request,
  headers: RequestHeaders,
  { accessKeyId, region, payloadHash, signing }: Credential & {
    readonly payloadHash: string;
    readonly signing: ChunkSigning | undefined;
  },
  { credentials }: Verifier,
): Authenticated {
  const { body, ...rest } = request;
  const payload = createPayload(headers, body, payloadHash, signing);
  return {
    identity: identityOf(accessKeyId, credentials),
    verified: { ...rest, headers, region, payload },
  };
}

/** Denies a wrongly framed body like any other unsigned request: its caller must not learn more than that. */
function anonymous(request: S3Request, region: string): Authenticated {
  const { body, ...rest } = request;
  const payloadHash = rest.headers.get("x-amz-content-sha256") ?? UNSIGNED;
  try {
    const payload = createPayload(rest.headers, body, payloadHash, undefined);
    return { identity: ANONYMOUS, verified: { ...rest, region, payload } };
  } catch (cause) {
    throw new S3Error("AccessDenied", {}, { cause });
  }
}

/**
 * Returns whether SigV2 may sign a request. It signs no path of S3 Control, no look back, and no sub-resource that came after
 * it: anybody could add one to a signed request and so make another one of it.
 */
function isForSigV2({ method, target, query, headers }: S3Request): boolean {
  if (target.on === "account" || headers.has(AS_OF)) return false;
  if (method === "GET" || method === "HEAD") return true;
  for (const name of query.keys()) if (isUnsignedBySigV2(name)) return false;
  return true;
}

function unsupported(): S3Error {
  return new S3Error("InvalidRequest", {}, {
    message: "The authorization mechanism you have provided is not supported. " +
      "Please use AWS4-HMAC-SHA256.",
  });
}
