/**
 * Turns a request's body into its payload: removes the framing, and checks length and signatures.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 * @module
 */

import { isS3Error, S3Error } from "../s3/errors.ts";
import type { Payload } from "../s3/payload.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";
import { ByteReader } from "../streams/byte_reader.ts";
import { type ByteSource, sourceOfPiece } from "../streams/byte_source.ts";
import { decodeAwsChunked } from "./aws_chunked.ts";
import type { ChunkSigning } from "./sigv4.ts";

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

const NO_TRAILERS: ReadonlyMap<string, string> = new Map();

/**
 * Creates the payload of a request.
 *
 * @param headers Headers of the request, including those in the query of a presigned URL.
 * @param contentSha256 Value of `x-amz-content-sha256`; `UNSIGNED-PAYLOAD` if the client sent none.
 * @param signing The beginning of the chain of chunk signatures; undefined for SigV2, which has none.
 * @throws S3Error `InvalidArgument`, `MissingContentLength`, `MalformedTrailerError`. Reading it throws
 * `IncompleteBody` and the errors of {@linkcode decodeAwsChunked}.
 */
export function createPayload(
  headers: RequestHeaders,
  body: ReadableStream<Uint8Array> | null,
  contentSha256: string,
  signing: ChunkSigning | undefined,
): Payload {
  const isHash = /^[0-9a-f]{64}$/i.test(contentSha256);
  const form = isHash
    ? FORMS["UNSIGNED-PAYLOAD"]
    : Object.hasOwn(FORMS, contentSha256)
    ? FORMS[contentSha256 as keyof typeof FORMS]
    : undefined;
  if (form === undefined || form.isSigned && signing === undefined) {
    throw new S3Error("InvalidArgument", {
      ArgumentName: "x-amz-content-sha256",
      ArgumentValue: contentSha256,
    }, {
      message: `x-amz-content-sha256 must be ${
        Object.keys(FORMS).join(", ")
      }, or a valid sha256 value.`,
    });
  }

  // A request without a form of its own, such as SigV2, announces its framing by its encoding.
  const isChunked = form.isChunked || !isHash && headers.has("x-amz-decoded-content-length") &&
      /(?:^|,)\s*aws-chunked\s*(?:,|$)/i.test(headers.get("content-encoding") ?? "");
  const announced = parseTrailerNames(headers);
  if (announced.length > 0 && !form.hasTrailer && (form.isChunked || !isChunked)) {
    throw new S3Error("MalformedTrailerError");
  }

  const sent = contentLength(headers) ?? (body === null ? 0 : undefined);
  if (!isChunked) {
    return {
      source: body === null && sent === 0
        ? sourceOfPiece(null)
        : createSource(new ByteReader(body, sent), plainReader(sent)),
      size: sent,
      sha256: isHash ? contentSha256.toLowerCase() : undefined,
      trailers: NO_TRAILERS,
    };
  }

  // As on AWS, a malformed length is a missing one.
  const size = parseLength(headers.get("x-amz-decoded-content-length"));
  if (size === undefined) throw new S3Error("MissingContentLength");
  const trailers = new Map<string, string>();
  const options = {
    decodedLength: size,
    signing: form.isSigned ? signing : undefined,
    announced: form.hasTrailer || !form.isChunked ? announced : undefined,
  };
  const reader = new ByteReader(body, sent);
  const pieces = decodeAwsChunked(reader, options, trailers);
  return {
    source: createSource(reader, async () => {
      const { done, value } = await pieces.next();
      return done === true ? undefined : value;
    }),
    size,
    sha256: undefined,
    trailers,
  };
}

function parseTrailerNames(headers: RequestHeaders): readonly string[] {
  const names = (headers.get("x-amz-trailer") ?? "").toLowerCase().split(",")
    .map((name) => name.trim()).filter((name) => name !== "");
  return [...new Set(names)];
}

function contentLength(headers: RequestHeaders): number | undefined {
  const text = headers.get("content-length");
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

/** Reads an unframed body, which must have exactly the stated length. */
function plainReader(
  size: number | undefined,
): (reader: ByteReader) => Promise<Uint8Array | undefined> {
  let length = 0;
  return async (reader) => {
    const piece = await reader.read(Infinity);
    length += piece?.length ?? 0;
    if (size !== undefined && (piece === undefined ? length < size : length > size)) {
      throw new S3Error("IncompleteBody");
    }
    return piece;
  };
}

/** Creates a source that reads the body on demand, and cancels it after an error or when the source is cancelled. */
function createSource(
  reader: ByteReader,
  next: (reader: ByteReader) => Promise<Uint8Array | undefined>,
): ByteSource {
  let failed: Error | undefined;
  let cancelled = false;
  return {
    async read() {
      if (failed !== undefined) throw failed;
      try {
        return await next(reader);
      } catch (cause) {
        if (cancelled) return undefined;
        // The runtime throws an error of its own when the client disconnects, which is the client's fault also.
        failed = isS3Error(cause) ? cause : new S3Error("IncompleteBody", {}, { cause });
        await reader.cancel(failed).catch(() => {});
        throw failed;
      }
    },
    cancel(reason) {
      cancelled = true;
      return reader.cancel(reason);
    },
  };
}
