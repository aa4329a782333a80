/**
 * How a body is framed, as its headers announce it, and which announcements go together.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 *
 * | `x-amz-content-sha256`               | framing                             | `x-amz-trailer`          |
 * | ------------------------------------ | ----------------------------------- | ------------------------ |
 * | a hash                               | none                                | refused                  |
 * | `UNSIGNED-PAYLOAD`, or not sent      | aws-chunked if `content-encoding` names it and the decoded length is sent | only with that framing |
 * | `STREAMING-AWS4-HMAC-SHA256-PAYLOAD` | aws-chunked, signed                 | refused, unless the header has the checksum that it names |
 * | `STREAMING-…-TRAILER`                | aws-chunked                         | one checksum             |
 *
 * `x-amz-decoded-content-length` is required with the framing; without it, it must be the length of the body.
 * @module
 */

import { CHECKSUM_ALGORITHMS } from "../s3/checksum_algorithms.ts";
import { checksumHeader, severalChecksums } from "../s3/checksum_headers.ts";
import { S3Error } from "../s3/errors.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";

/** The framing of a body. */
export type BodyFraming = {
  /** Whether the body is in aws-chunked framing, and whether its chunks are signed. */
  readonly isChunked: boolean;
  readonly isSigned: boolean;
  /** Length of the body as it is sent, framing included, in bytes; undefined if it is unknown. */
  readonly sent: number | undefined;
  /** Length without the framing, in bytes; undefined if it is unknown. */
  readonly decoded: number | undefined;
  /** Lower-case hex; undefined if the client stated no hash. */
  readonly sha256: string | undefined;
  /** Lower-case names of the trailing headers; undefined if no trailer may follow. */
  readonly trailer: readonly string[] | undefined;
};

/** Values of `x-amz-content-sha256` other than a hash, and the framing that each announces. */
const FORMS = {
  "UNSIGNED-PAYLOAD": { isChunked: false, isSigned: false, hasTrailer: false },
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER": { isChunked: true, isSigned: false, hasTrailer: true },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": { isChunked: true, isSigned: true, hasTrailer: false },
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": {
    isChunked: true,
    isSigned: true,
    hasTrailer: true,
  },
} as const;

/** The trailing headers that AWS knows. */
const TRAILERS: ReadonlySet<string> = new Set(CHECKSUM_ALGORITHMS.map(checksumHeader));

/**
 * Reads the framing of a body.
 *
 * @param contentSha256 Value of `x-amz-content-sha256`; `UNSIGNED-PAYLOAD` if the client sent none.
 * @throws S3Error `InvalidArgument`, `InvalidRequest`, `MissingContentLength`, `MalformedTrailerError`; `NotImplemented`
 * for a transfer coding
 */
export function parseFraming(headers: RequestHeaders, contentSha256: string): BodyFraming {
  refuseTransferCodings(headers.get("transfer-encoding"));
  const isHash = /^[0-9a-f]{64}$/i.test(contentSha256);
  const form = isHash
    ? FORMS["UNSIGNED-PAYLOAD"]
    : Object.hasOwn(FORMS, contentSha256)
    ? FORMS[contentSha256 as keyof typeof FORMS]
    : undefined;
  if (form === undefined) throw unknownForm(contentSha256);

  const decoded = headers.get("x-amz-decoded-content-length");
  // A request without a form of its own, such as SigV2, announces its framing by its encoding.
  const isChunked = form.isChunked || !isHash && decoded !== null &&
      /(?:^|,)\s*aws-chunked\s*(?:,|$)/i.test(headers.get("content-encoding") ?? "");
  const announced = parseTrailerNames(headers.get("x-amz-trailer"));
  const mayHaveTrailer = form.hasTrailer || isChunked && !form.isChunked;
  const [name] = announced;
  // The Java SDK 2 announces a trailer, sends the checksum in the header instead, and no trailer.
  const isInHeader = form.isSigned && name !== undefined && headers.has(name);
  if (name !== undefined && !mayHaveTrailer && !isInHeader) {
    throw new S3Error("MalformedTrailerError");
  }

  const sent = parseContentLength(headers.get("content-length"));
  const stated = parseLength(decoded);
  const size = isChunked ? stated : sent ?? stated;
  // As on AWS, a malformed length is a missing one.
  if (isChunked && size === undefined) throw new S3Error("MissingContentLength");
  if (!isChunked && decoded !== null && stated !== size) {
    throw new S3Error("InvalidRequest", {}, {
      message:
        "x-amz-decoded-content-length does not match the length of a body that is not in aws-chunked framing.",
    });
  }
  return {
    isChunked,
    isSigned: form.isSigned,
    sent,
    decoded: size,
    sha256: isHash ? contentSha256.toLowerCase() : undefined,
    trailer: mayHaveTrailer ? announced : undefined,
  };
}

/** Returns the error for a value of `x-amz-content-sha256` that is neither a hash nor a form. */
export function unknownForm(contentSha256: string): S3Error {
  return new S3Error("InvalidArgument", {
    ArgumentName: "x-amz-content-sha256",
    ArgumentValue: contentSha256,
  }, {
    message: `x-amz-content-sha256 must be ${
      Object.keys(FORMS).join(", ")
    }, or a valid sha256 value.`,
  });
}

/** Refuses transfer codings, which would be stored as if they were the object. AWS refuses `chunked`, too. */
function refuseTransferCodings(codings: string | null): void {
  if (codings === null || codings.trim().toLowerCase() === "chunked") return;
  throw new S3Error("NotImplemented", { Header: "Transfer-Encoding" }, {
    message: "A header you provided implies functionality that is not implemented",
  });
}

function parseTrailerNames(text: string | null): readonly string[] {
  if (text === null) return [];
  const names = text.toLowerCase().split(",").map((name) => name.trim())
    .filter((name) => name !== "");
  if (new Set(names).size > 1) {
    throw severalChecksums();
  }
  const [name] = names;
  if (name === undefined) return [];
  if (TRAILERS.has(name)) return [name];
  throw new S3Error("InvalidRequest", {}, {
    message: "The value specified in the x-amz-trailer header is not supported",
  });
}

function parseContentLength(text: string | null): number | undefined {
  const length = parseLength(text);
  if (length !== undefined || text === null) return length;
  throw new S3Error("InvalidArgument", { ArgumentName: "content-length", ArgumentValue: text }, {
    message: "content-length must be a number of bytes",
  });
}

/** Parses a number of bytes; returns undefined for none and for anything else. */
function parseLength(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
