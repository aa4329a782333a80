/**
 * Who is calling STS or IAM? Their requests are signed with SigV4 as those of S3 are, but for the service `sts` or `iam`, and
 * their bodies are signed without a header that states the hash. IAM has only one region, and STS answers there always.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html and, for the errors,
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 * @module
 */

import { isS3Error, S3Error } from "../s3/errors.ts";
import type { S3Request } from "../s3/request.ts";
import type { AuthenticateOptions } from "./authenticate.ts";
import { claimedService } from "./credential_scope.ts";
import { identityOf } from "./credentials.ts";
import { ANONYMOUS, type Identity } from "./identity.ts";
import { isPresigned, verifyPresigned } from "./presigned.ts";
import { formatAmzDate, parseAmzDate } from "./request_time.ts";
import { isSigV4Header, type Verifier, verifyHeader } from "./sigv4.ts";
import { createSigningKeys } from "./signing_keys.ts";

/** The services whose APIs have their parameters in a form or a query. */
export type QueryService = "sts" | "iam";

/** The region in which IAM is signed for, whatever the region of the gateway. */
const GLOBAL_REGION = "us-east-1";

/**
 * Returns the caller of a request to STS or IAM.
 *
 * @param payloadHash SHA-256 of the body, in lower-case hex.
 * It rejects with an S3Error that has a code of these services: `IncompleteSignature`, `InvalidClientTokenId`,
 * `SignatureDoesNotMatch`; with `ServiceUnavailable` if nobody can say whose key it is.
 */
export type AuthenticateQuery = (
  request: S3Request,
  payloadHash: string,
  service: QueryService,
) => Promise<Identity>;

/** Creates the step. */
export function createAuthenticateQuery(
  { credentials, region, locations = [], clockSkew, now }: Omit<AuthenticateOptions, "sigv2">,
): AuthenticateQuery {
  const signingKeys = createSigningKeys();
  const accepted = { region, locations: [...locations, GLOBAL_REGION] };
  return async (request, payloadHash, service) => {
    await credentials.refresh();
    const other = { service, payloadHash };
    const verifier = { credentials, ...accepted, clockSkew, signingKeys, now: now(), other };
    try {
      return authenticate(request, verifier, service);
    } catch (cause) {
      throw isS3Error(cause) ? inWordsOfSts(cause, verifier) : cause;
    }
  };
}

function authenticate(
  request: S3Request,
  verifier: Verifier,
  expected: QueryService,
): Identity {
  const { headers, query } = request;
  const authorization = headers.get("authorization");
  const presigned = isPresigned(query);
  if (authorization === null && !presigned) return ANONYMOUS;
  if (headers.has("x-amz-security-token") || query.has("X-Amz-Security-Token")) {
    throw new S3Error("InvalidToken");
  }
  if (authorization !== null && (presigned || !isSigV4Header(authorization))) {
    throw new S3Error("IncompleteSignature");
  }
  const service = claimedService(request);
  if (service !== undefined && service !== expected) {
    throw mismatch(`Credential should be scoped to correct service: '${expected}'.`);
  }
  const verify = presigned ? verifyPresigned : verifyHeader;
  return identityOf(verify(request, verifier).accessKeyId, verifier.credentials);
}

/** Returns the error that STS and IAM send where S3 would send this one. */
function inWordsOfSts(error: S3Error, verifier: Verifier): S3Error {
  const { code, fields, message } = error;
  const options = { cause: error };
  switch (code) {
    case "InvalidAccessKeyId":
    case "InvalidToken":
      return new S3Error("InvalidClientTokenId", {}, options);
    case "SignatureDoesNotMatch":
      return fields.StringToSign === undefined ? error : mismatch(MISMATCH, error);
    case "RequestTimeTooSkewed":
      return mismatch(describeSkew(String(fields.RequestTime), verifier), error);
    case "AccessDenied": // a header that is not signed, or a presigned URL outside its life
      return Object.keys(fields).length > 0
        ? mismatch(message, error)
        : new S3Error("IncompleteSignature", {}, { message, ...options });
    case "AuthorizationHeaderMalformed":
    case "AuthorizationQueryParametersError":
      return fields.Region === undefined
        ? new S3Error("IncompleteSignature", {}, { message, ...options })
        : mismatch(`Credential should be scoped to a valid region, such as '${fields.Region}'.`);
    default:
      return error;
  }
}

const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

function mismatch(message: string, cause?: S3Error): S3Error {
  return new S3Error("SignatureDoesNotMatch", {}, { message, cause });
}

/** @param signed When the request was signed, as `20240501T100000Z`. */
function describeSkew(signed: string, { now, clockSkew }: Verifier): string {
  const isLate = (parseAmzDate(signed) ?? now) < now;
  const limit = formatAmzDate(new Date(now.getTime() + (isLate ? -clockSkew : clockSkew)));
  const [time, minutes] = [formatAmzDate(now), clockSkew / 60_000];
  return isLate
    ? `Signature expired: ${signed} is now earlier than ${limit} (${time} - ${minutes} min.)`
    : `Signature not yet current: ${signed} is still later than ${limit} (${time} + ${minutes} min.)`;
}
