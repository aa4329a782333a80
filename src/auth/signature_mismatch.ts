/**
 * The error for a wrong signature.
 * @module
 */

import { Buffer } from "node:buffer";
import { S3Error } from "../s3/errors.ts";

/** Maximum characters of a field. Anyone who knows an access key id gets this response; real requests are shorter. */
const MAX_FIELD = 16 * 1024;

/** The texts that were compared. They come or follow from the request; the secret is not among them. */
export type Mismatch = {
  readonly accessKeyId: string;
  readonly signature: string;
  /** Latin1 text, as signed. */
  readonly stringToSign: string;
  /** Latin1 text, as signed; only SigV4 has one. */
  readonly canonicalRequest?: string;
};

/**
 * Returns `SignatureDoesNotMatch` with the fields that AWS sends, so that a client's author can find the difference. Of a
 * long text it shows only the beginning.
 */
export function signatureDoesNotMatch(
  { accessKeyId, signature, stringToSign, canonicalRequest }: Mismatch,
): S3Error {
  return new S3Error("SignatureDoesNotMatch", {
    AWSAccessKeyId: accessKeyId,
    StringToSign: asUtf8(stringToSign),
    SignatureProvided: signature.slice(0, MAX_FIELD),
    StringToSignBytes: hexBytes(stringToSign),
    ...(canonicalRequest === undefined ? {} : {
      CanonicalRequest: asUtf8(canonicalRequest),
      CanonicalRequestBytes: hexBytes(canonicalRequest),
    }),
  });
}

function asUtf8(latin1: string): string {
  return Buffer.from(latin1.slice(0, MAX_FIELD), "latin1").toString();
}

/** Formats bytes as `47 45 54`. */
function hexBytes(latin1: string): string {
  const told = latin1.slice(0, Math.floor(MAX_FIELD / 3));
  return Buffer.from(told, "latin1").toString("hex").replace(/..(?!$)/g, "$& ");
}
