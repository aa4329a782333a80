/**
 * Bytes → chunk messages. A body is cut into chunks, which are hashed and published under one subject, several at a time.
 * @module
 */

import { Buffer } from "node:buffer";
import { digestsOf } from "../../crypto/digests.ts";
import { createChecksumHasher } from "../../s3/checksum_algorithms.ts";
import { S3Error } from "../../s3/errors.ts";
import type { ContentInput, Received } from "../../store/content.ts";
import { sourceOf, whileReading } from "../../streams/byte_source.ts";
import { checkMaxPayload } from "../jetstream/max_payload.ts";
import type { ObjectsContext } from "./context.ts";
import { Cutter } from "./cutter.ts";

/** Bytes of one body that may be published and not yet be acknowledged. */
export const WRITE_WINDOW = 2 * 1024 * 1024;
/** Bytes that the server adds to a message that is read: subject and headers. */
const MESSAGE_OVERHEAD = 16 * 1024;

/** A chunk group that JetStream has acknowledged. */
export type WrittenChunks = {
  readonly received: Received;
  /** Bytes of every chunk except the last. */
  readonly chunkSize: number;
  /** Stream sequence of each chunk, ascending. */
  readonly sequences: readonly number[];
};

/** The fields of a context that writing needs. */
export type WriterNeeds = Pick<
  ObjectsContext,
  "requests" | "unacknowledged" | "digests" | "chunkSize"
>;

/**
 * Publishes a body and returns when every chunk is acknowledged. If it throws, some chunks may be stored, and the caller
 * purges them.
 *
 * @param signal Ends the write and cancels the body.
 * @throws S3Error `IncompleteBody` if the body does not have its declared length. Errors of the body and of JetStream pass
 * as they are.
 */
export async function writeChunks(
  needs: WriterNeeds,
  subject: string,
  content: ContentInput,
  signal: AbortSignal | undefined,
): Promise<WrittenChunks> {
  const { maxPayload } = needs.requests;
  const chunkSize = Math.min(needs.chunkSize, maxPayload - MESSAGE_OVERHEAD);
  const source = sourceOf(content.stream);
  return await whileReading(source, signal, async () => {
    checkMaxPayload(maxPayload);
    const cutter = new Cutter(source, chunkSize, content.size);
    const isSmall = content.size !== undefined && content.size > 0 && content.size <= chunkSize;
    const write = isSmall ? writeOne : writeMany;
    return { ...await write(needs, subject, cutter, content), chunkSize };
  });
}

type Written = Omit<WrittenChunks, "chunkSize">;

/** Writes a body that makes one chunk. */
async function writeOne(
  { requests, unacknowledged }: WriterNeeds,
  subject: string,
  cutter: Cutter,
  { size = 0, algorithm }: ContentInput,
): Promise<Written> {
  const chunk = await cutter.next();
  if (chunk?.length !== size) throw new S3Error("IncompleteBody");
  await unacknowledged.take(size);
  let isStored = false;
  const publishing = requests.publish(subject, chunk);
  publishing.catch(() => {}); // it is awaited at the end in any case
  try {
    const digests = digestsOf(chunk);
    const checksum = algorithm && await createChecksumHasher(algorithm);
    checksum?.update(chunk);
    // Reading on checks the end of the framing, if the body is framed.
    if (await cutter.next() !== undefined) throw new S3Error("IncompleteBody");
    const received = { size, ...digests, checksum: checksum?.digest() };
    const sequences = [await publishing];
    isStored = true;
    return { received, sequences };
  } catch (cause) {
    await publishing.catch(() => {}); // the chunk must have landed before the caller purges it
    throw cause;
  } finally {
    unacknowledged.give(size);
    // Without an acknowledgement the connection may still hold the bytes, to send them.
    if (isStored) cutter.release(chunk);
  }
}

/** A chunk that is published and not yet acknowledged. */
type InFlight = {
  readonly chunk: Uint8Array;
  /** Bytes, kept beside the chunk, which has none once its memory is freed. */
  readonly length: number;
  readonly acknowledged: Promise<number>;
};

/** Writes a body that makes several chunks or none, or whose length is unknown. */
async function writeMany(
  { requests, unacknowledged, digests }: WriterNeeds,
  subject: string,
  cutter: Cutter,
  content: ContentInput,
): Promise<Written> {
  const { algorithm } = content;
  const digester = digests.create(content.size, algorithm === "CRC64NVME");
  const checksum = algorithm && !digester.hasCrc64
    ? await createChecksumHasher(algorithm)
    : undefined;
  const sequences: number[] = [];
  const window: InFlight[] = [];
  let inFlight = 0;
  let size = 0;

  const oldest = async (): Promise<void> => {
    const first = window.shift();
    if (first === undefined) return;
    sequences.push(await first.acknowledged);
    inFlight -= first.length;
    cutter.release(first.chunk);
  };

  try {
    for (let chunk = await cutter.next(); chunk !== undefined; chunk = await cutter.next()) {
      const { length } = chunk;
      if (length === 0) throw new TypeError(`A chunk of "${subject}" is empty or was freed`);
      size += length;
      if (content.size !== undefined && size > content.size) throw new S3Error("IncompleteBody");
      await unacknowledged.take(length);
      const acknowledged = requests.publish(subject, chunk)
        .finally(() => unacknowledged.give(length));
      acknowledged.catch(() => {}); // it is awaited in its turn, or after an earlier one has failed
      window.push({ chunk, length, acknowledged });
      inFlight += length;
      checksum?.update(chunk);
      await digester.update(chunk);
      while (inFlight > WRITE_WINDOW) await oldest();
    }
    if (content.size !== undefined && size < content.size) throw new S3Error("IncompleteBody");
    while (window.length > 0) await oldest();
  } catch (cause) {
    digester.drop();
    // Chunks on their way must have landed before the caller purges them.
    await Promise.allSettled(window.map(({ acknowledged }) => acknowledged));
    throw cause;
  }
  const { md5, sha256, crc64 } = await digester.digest();
  const sum = crc64 === undefined
    ? checksum?.digest()
    : Buffer.from(crc64, "hex").toString("base64");
  return { received: { size, md5, sha256, checksum: sum }, sequences };
}
