/**
 * The aws-chunked framing of uploads whose chunks are signed, or which end with trailing headers.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * and https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 *
 * ```text
 * 10000;chunk-signature=<hex>\r\n        the size in hex; the signature if chunks are signed
 * <65536 bytes>\r\n
 * 0;chunk-signature=<hex>\r\n
 * x-amz-checksum-crc32c:sOO8/Q==\r\n     trailing headers, if announced
 * x-amz-trailer-signature:<hex>\r\n      if chunks are signed
 * \r\n
 * ```
 *
 * - A chunk is hashed as it streams. Its bytes are passed on as they arrive, except that its last bytes wait until the
 *   signature was verified. Memory is constant regardless of the size of a chunk, and a reader that reaches the end has
 *   read only signed bytes. A reader that cannot undo its work must not act before the end.
 * - AWS refuses chunks of less than 8 KiB, except the last (`InvalidChunkSizeError`); the gateway accepts them.
 * - minio-go ends trailing headers with a bare line feed, and sends one more empty line before the trailer's signature or
 *   at the end. The gateway accepts both.
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { isSameText } from "../crypto/timing_safe_equal.ts";
import { S3Error } from "../s3/errors.ts";
import type { ByteReader } from "../streams/byte_reader.ts";
import { type ChunkSigning, sign } from "./sigv4.ts";

/** Maximum length of a line before a chunk, in bytes. */
const MAX_LINE = 1024;
/** Maximum size of trailing headers, in bytes. */
const MAX_TRAILERS = 16 * 1024;
const TRAILER_SIGNATURE = "x-amz-trailer-signature";
const EMPTY_SHA256 = createHash("sha256").digest("hex");

/** The framing that an upload's headers announce. */
export type AwsChunkedOptions = {
  /** Length without the framing, in bytes. */
  readonly decodedLength: number;
  /** The beginning of the chain of signatures; undefined if chunks are not signed. */
  readonly signing: ChunkSigning | undefined;
  /** Lower-case names of the trailing headers, none of which may be missing; undefined if there is no trailer. */
  readonly announced: readonly string[] | undefined;
};

/**
 * Yields the bytes of an upload without its framing.
 *
 * @param source Read to its end unless an error is thrown.
 * @param trailers Receives the trailing headers; they are complete at the end.
 * @throws S3Error `SignatureDoesNotMatch`, `IncompleteBody`, `InvalidRequest`, `MalformedTrailerError`
 */
export async function* decodeAwsChunked(
  source: ByteReader,
  { decodedLength, signing, announced }: AwsChunkedOptions,
  trailers: Map<string, string>,
): AsyncGenerator<Uint8Array, void, void> {
  const chain = signing && new SignatureChain(signing);
  let left = decodedLength;

  for (;;) {
    const { size, signature } = parseChunkLine(await readLine(source), signing !== undefined);
    if (size > left) throw wrongLength(decodedLength, decodedLength - left + size);
    left -= size;
    const hash = chain && createHash("sha256");
    if (size === 0) {
      chain?.checkChunk(hash, signature);
      break;
    }

    let unread = size;
    while (unread > 0) {
      const piece = await source.read(unread);
      if (piece === undefined) throw incomplete();
      unread -= piece.length;
      hash?.update(piece);
      if (unread === 0) {
        if (await readLine(source) !== "\r\n") throw malformed("a chunk does not end with CRLF");
        chain?.checkChunk(hash, signature);
      }
      yield piece;
    }
  }
  if (left > 0) throw wrongLength(decodedLength, decodedLength - left);

  const end = await readEnd(source);
  if (announced === undefined) {
    if (end !== "\r\n") throw malformed("something follows the last chunk");
  } else {
    parseTrailers(end, announced, chain, trailers);
  }
}

/** A chain of signatures: each covers the one before it. */
class SignatureChain {
  readonly #signing: ChunkSigning;
  #previous: string;

  constructor(signing: ChunkSigning) {
    this.#signing = signing;
    this.#previous = signing.seed;
  }

  checkChunk(hash: Hash | undefined, signature: string): void {
    const digest = hash?.digest("hex") ?? EMPTY_SHA256;
    this.#check("AWS4-HMAC-SHA256-PAYLOAD", `${EMPTY_SHA256}\n${digest}`, signature);
  }

  /** @param canonical The trailing headers as `name:value\n`. */
  checkTrailer(canonical: string, signature: string): void {
    const digest = createHash("sha256").update(canonical, "latin1").digest("hex");
    this.#check("AWS4-HMAC-SHA256-TRAILER", digest, signature);
  }

  #check(algorithm: string, digests: string, signature: string): void {
    const { key, timestamp, scope } = this.#signing;
    const text = `${algorithm}\n${timestamp}\n${scope}\n${this.#previous}\n${digests}`;
    if (!isSameText(sign(key, text), signature)) {
      throw new S3Error("SignatureDoesNotMatch", {
        StringToSign: text,
        SignatureProvided: signature,
      });
    }
    this.#previous = signature;
  }
}

async function readLine(source: ByteReader): Promise<string> {
  const line = await source.readLine(MAX_LINE);
  if (line.endsWith("\n")) return line;
  throw line.length < MAX_LINE ? incomplete() : malformed("the line before a chunk is too long");
}

function parseChunkLine(line: string, isSigned: boolean): { size: number; signature: string } {
  const match = isSigned
    ? /^([0-9a-fA-F]{1,12});chunk-signature=([0-9a-f]{64})\r\n$/.exec(line)
    : /^([0-9a-fA-F]{1,12})(?:;[^\r\n]*)?()\r\n$/.exec(line);
  if (match === null) throw malformed("the line before a chunk cannot be parsed");
  const [, size = "", signature = ""] = match;
  return { size: Number.parseInt(size, 16), signature };
}

/** Reads the rest of the body, which is short in a well-formed one. */
async function readEnd(source: ByteReader): Promise<string> {
  let end = "";
  for (;;) {
    const line = await source.readLine(MAX_TRAILERS);
    if (line === "") break;
    end += line;
    if (end.length > MAX_TRAILERS) throw new S3Error("MalformedTrailerError");
  }
  // Without the empty line, a part of the trailer may be missing.
  if (!/(?:^|\n)\r?\n$/.test(end)) throw incomplete();
  return end;
}

function parseTrailers(
  text: string,
  announced: readonly string[],
  chain: SignatureChain | undefined,
  trailers: Map<string, string>,
): void {
  const found = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line === "") continue;
    const { name, value } = parseTrailer(line);
    if (found.has(name)) throw new S3Error("MalformedTrailerError");
    found.set(name, value);
  }

  if (chain !== undefined) {
    const signature = found.get(TRAILER_SIGNATURE);
    if (signature === undefined) throw new S3Error("MalformedTrailerError");
    found.delete(TRAILER_SIGNATURE);
    const canonical = [...found].sort(([a], [b]) => a < b ? -1 : 1)
      .map(([name, value]) => `${name}:${value}\n`);
    chain.checkTrailer(canonical.join(""), signature);
  }
  if (found.size !== announced.length || !announced.every((name) => found.has(name))) {
    throw new S3Error("MalformedTrailerError");
  }
  for (const [name, value] of found) trailers.set(name, value);
}

/**
 * Splits `name: value` and lowers the case of the name.
 *
 * It works by hand because a regular expression that trims both ends backtracks: 1,200 blanks before a carriage return
 * took more than a second.
 */
function parseTrailer(line: string): { name: string; value: string } {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0));
  // Two readers of a trailer could disagree about a carriage return that does not end a line.
  if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(name) || line.includes("\r")) {
    throw new S3Error("MalformedTrailerError");
  }
  return { name: name.toLowerCase(), value: trimBlanks(line.slice(colon + 1)) };
}

/** Trims blanks and tabs; `trim()` would also remove the byte A0, which ends many characters in UTF-8. */
function trimBlanks(text: string): string {
  const isBlank = (place: number): boolean => text[place] === " " || text[place] === "\t";
  let [start, end] = [0, text.length];
  while (start < end && isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}

function incomplete(): S3Error {
  return new S3Error("IncompleteBody");
}

/** Returns the error for chunks that are together shorter or longer than announced. */
function wrongLength(expected: number, provided: number): S3Error {
  return new S3Error("IncompleteBody", {
    NumberBytesExpected: expected,
    NumberBytesProvided: provided,
  }, {
    message: "You did not provide the number of bytes specified by the Content-Length HTTP header",
  });
}

function malformed(reason: string): S3Error {
  return new S3Error("InvalidRequest", {}, {
    message: `The aws-chunked framing of the body is not valid: ${reason}`,
  });
}
