/**
 * From the body as it was sent to the payload that was meant: its framing taken off, its length and signatures checked.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 * @module
 */

import { isS3Error, S3Error } from "../s3/errors.ts";
import type { Payload } from "../s3/payload.ts";
import type { S3Request } from "../s3/request.ts";
import { ByteReader } from "../streams/byte_reader.ts";
import { decodeAwsChunked } from "./aws_chunked.ts";
import type { ChunkSigning } from "./sigv4.ts";

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
 * @param contentSha256 Value of `x-amz-content-sha256`; `UNSIGNED-PAYLOAD` where the client did not say.
 * @param signing What chunk signatures follow from; undefined for SigV2, which has none.
 * @throws S3Error `InvalidArgument`, `MissingContentLength`, `MalformedTrailerError`. The stream itself errors with
 * `IncompleteBody`, and as {@linkcode decodeAwsChunked} says.
 */
export function createPayload(
  request: S3Request,
  contentSha256: string,
  signing: ChunkSigning | undefined,
): Payload {
  const { headers } = request;
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

  const sent = parseLength(headers, "content-length") ?? (request.body === null ? 0 : undefined);
  if (!isChunked) {
    return {
      stream: createStream(request.body, sent, (source) => readPlain(source, sent)),
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
  return {
    stream: createStream(request.body, sent, (source) => {
      return decodeAwsChunked(source, options, trailers);
    }),
    size,
    sha256: undefined,
    trailers,
  };
}

function parseTrailerNames(headers: Headers): readonly string[] {
  const names = (headers.get("x-amz-trailer") ?? "").toLowerCase().split(",")
    .map((name) => name.trim()).filter((name) => name !== "");
  return [...new Set(names)];
}

function parseLength(headers: Headers, name: string): number | undefined {
  const text = headers.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: text }, {
      message: `${name} must be a number of bytes`,
    });
  }
  return Number(text);
}

/** The body as it was sent, of exactly the length that was promised. */
async function* readPlain(
  source: ByteReader,
  size: number | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  let length = 0;
  for (;;) {
    const piece = await source.read(Infinity);
    if (piece === undefined) break;
    length += piece.length;
    if (size !== undefined && length > size) throw new S3Error("IncompleteBody");
    yield piece;
  }
  if (size !== undefined && length < size) throw new S3Error("IncompleteBody");
}

/** Pulls from the body only when somebody reads, and gives it up with an error or when nobody does any more. */
function createStream(
  body: ReadableStream<Uint8Array> | null,
  expected: number | undefined,
  read: (source: ByteReader) => AsyncGenerator<Uint8Array, void, void>,
): ReadableStream<Uint8Array> {
  const source = new ByteReader(body, expected);
  const pieces = read(source);
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      try {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        // What the runtime throws when a client goes away is the client's fault as well.
        const error = isS3Error(cause) ? cause : new S3Error("IncompleteBody", {}, { cause });
        await source.cancel(error).catch(() => {});
        throw error;
      }
    },
    // Not pieces.return(), which would wait for a read that may never end.
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
}
