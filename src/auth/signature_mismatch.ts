/**
 * The refusal of a wrong signature.
 * @module
 */

import { Buffer } from "node:buffer";
import { S3Error } from "../s3/errors.ts";

/** What was compared. All of it came from the client or follows from what it sent, but for the secret, which is not here. */
export type Mismatch = {
  readonly accessKeyId: string;
  readonly signature: string;
  /** Latin1 text, as signed. */
  readonly stringToSign: string;
  /** Latin1 text, as signed; SigV4 alone has one. */
  readonly canonicalRequest?: string;
};

/** `SignatureDoesNotMatch` with what AWS tells, so that a client's author can find the difference. */
export function signatureDoesNotMatch(
  { accessKeyId, signature, stringToSign, canonicalRequest }: Mismatch,
): S3Error {
  return new S3Error("SignatureDoesNotMatch", {
    AWSAccessKeyId: accessKeyId,
    StringToSign: asUtf8(stringToSign),
    SignatureProvided: signature,
    StringToSignBytes: hexBytes(stringToSign),
    ...(canonicalRequest === undefined ? {} : {
      CanonicalRequest: asUtf8(canonicalRequest),
      CanonicalRequestBytes: hexBytes(canonicalRequest),
    }),
  });
}

function asUtf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString();
}

/** `47 45 54` */
function hexBytes(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("hex").replace(/..(?!$)/g, "$& ");
}
