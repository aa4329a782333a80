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
import { parseFraming, unknownForm } from "./body_framing.ts";
import type { ChunkSigning } from "./sigv4.ts";

const NO_TRAILERS: ReadonlyMap<string, string> = new Map();

/**
 * Creates the payload of a request.
 *
 * @param headers Headers of the request, including those in the query of a presigned URL.
 * @param contentSha256 Value of `x-amz-content-sha256`; `UNSIGNED-PAYLOAD` if the client sent none.
 * @param signing The beginning of the chain of chunk signatures; undefined for SigV2, which has none.
 * @throws S3Error as {@linkcode parseFraming} does. Reading it throws `IncompleteBody` and the errors of
 * {@linkcode decodeAwsChunked}.
 */
export function createPayload(
  headers: RequestHeaders,
  body: ReadableStream<Uint8Array> | null,
  contentSha256: string,
  signing: ChunkSigning | undefined,
): Payload {
  const framing = parseFraming(headers, contentSha256);
  const { isChunked, isSigned, sha256, trailer } = framing;
  if (isSigned && signing === undefined) throw unknownForm(contentSha256);
  const sent = framing.sent ?? (body === null ? 0 : undefined);
  const size = framing.decoded;
  if (!isChunked || size === undefined) {
    return {
      source: body === null && sent === 0
        ? sourceOfPiece(null)
        : createSource(new ByteReader(body, sent), plainReader(sent ?? size)),
      size: sent ?? size,
      sha256,
      trailers: NO_TRAILERS,
    };
  }

  const trailers = new Map<string, string>();
  const options = {
    decodedLength: size,
    signing: isSigned ? signing : undefined,
    announced: trailer,
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
