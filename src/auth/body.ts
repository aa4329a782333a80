/**
 * From the body as it was sent to the payload that was meant: its framing taken off, its length and signatures checked.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 * @module
 */

import { isS3Error, S3Error } from "../s3/errors.ts";
import type { Payload } from "../s3/payload.ts";
import { ByteReader } from "../streams/byte_reader.ts";
import { type ByteSource, sourceOfPiece } from "../streams/byte_source.ts";
import { decodeAwsChunked } from "./aws_chunked.ts";
import type { ChunkSigning } from "./sigv4.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";

/** What `x-amz-content-sha256` may say besides a hash, and what it says about the framing. */
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
 * The payload of a request.
 *
 * @param headers With those that a presigned URL carries.
 * @param contentSha256 Value of `x-amz-content-sha256`; `UNSIGNED-PAYLOAD` where the client did not say.
 * @param signing What chunk signatures follow from; undefined for SigV2, which has none.
 * @throws S3Error `InvalidArgument`, `MissingContentLength`, `MalformedTrailerError`. Reading it throws
 * `IncompleteBody`, and as {@linkcode decodeAwsChunked} says.
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

  // What has no form of its own, such as SigV2, says by its encoding that it is framed.
  const isChunked = form.isChunked || !isHash && headers.has("x-amz-decoded-content-length") &&
      /(?:^|,)\s*aws-chunked\s*(?:,|$)/i.test(headers.get("content-encoding") ?? "");
  const announced = parseTrailerNames(headers);
  if (announced.length > 0 && !form.hasTrailer && (form.isChunked || !isChunked)) {
    throw new S3Error("MalformedTrailerError");
  }

  const sent = parseLength(headers, "content-length") ?? (body === null ? 0 : undefined);
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

  const size = parseLength(headers, "x-amz-decoded-content-length");
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

function parseLength(headers: RequestHeaders, name: string): number | undefined {
  const text = headers.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: text }, {
      message: `${name} must be a number of bytes`,
    });
  }
  return Number(text);
}

/** Reads a body as it was sent, of exactly the length that was promised. */
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

/** Reads from the body only when somebody reads, and gives it up with an error or when nobody does any more. */
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
        // What the runtime throws when a client goes away is the client's fault as well.
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
