/**
 * Names, bytes and inputs with which the contract calls a store.
 * @module
 */

import { Buffer } from "node:buffer";
import type { ChecksumAlgorithm, ChecksumType } from "../../src/s3/checksum_algorithms.ts";
import type { WritePrecondition } from "../../src/s3/conditions.ts";
import type { ObjectProperties } from "../../src/s3/metadata.ts";
import type { BucketName, ObjectKey, PartNumber } from "../../src/s3/names.ts";
import type { ContentInput, Received } from "../../src/store/content.ts";
import type { ListQuery } from "../../src/store/listings.ts";
import type { LockInput, ObjectInput } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import type { CompletedPart, CompleteInput, PartInfo } from "../../src/store/uploads.ts";

/** Bytes. */
export const KIB = 1024;
/** Bytes; small, so that tests move few bytes. */
export const MIN_PART_SIZE = 64 * KIB;
/** The owner of everything that the contract writes. */
export const OWNER = "alice";
/** The bucket that each test is given. */
export const bucket = "contract" as BucketName;
/** The properties of an object that was written without headers. */
export const plain: ObjectProperties = {
  system: { contentType: "application/octet-stream" },
  user: {},
  tags: {},
};
const noSignal = new AbortController().signal;

/** Returns a text as a key. */
export function key(text: string): ObjectKey {
  return text as ObjectKey;
}

/** Returns a number as a part number. */
export function part(number: number): PartNumber {
  return number as PartNumber;
}

/** Returns the query of a listing; of the whole bucket by default. */
export function query(given: Partial<ListQuery> = {}): ListQuery {
  return { prefix: "", delimiter: "", after: "", limit: 1000, ...given };
}

/** Options of a body. */
export type ContentOptions = {
  readonly size?: number | undefined;
  /** Size of the body's pieces, in bytes. */
  readonly piece?: number;
  readonly algorithm?: ChecksumAlgorithm | undefined;
  readonly verify?: (received: Received) => void;
};

/** Returns a body with its true size, unless the options state another one. */
export function content(data: Uint8Array | string, options: ContentOptions = {}): ContentInput {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  const { piece = 64 * KIB, algorithm, verify = (): void => {} } = options;
  return {
    stream: streamOf(bytes, piece),
    size: "size" in options ? options.size : bytes.length,
    algorithm,
    verify,
  };
}

function streamOf(bytes: Uint8Array, piece: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at += piece));
      else controller.close();
    },
  });
}

/** Options of an object. */
export type PutOptions = ContentOptions & {
  readonly properties?: ObjectProperties;
  readonly precondition?: WritePrecondition;
  readonly lock?: LockInput;
};

/** Returns the input of PutObject. */
export function objectInput(data: Uint8Array | string, options: PutOptions = {}): ObjectInput {
  const { properties = plain, precondition = {}, lock } = options;
  return {
    content: content(data, options),
    properties,
    owner: OWNER,
    precondition,
    lock,
    signal: noSignal,
  };
}

/** Returns the input of UploadPart. */
export function partInput(
  data: Uint8Array | string,
  options: ContentOptions = {},
): { content: ContentInput; signal: AbortSignal } {
  return { content: content(data, options), signal: noSignal };
}

/** Returns the input of CreateMultipartUpload. */
export function uploadInput(
  given: {
    readonly properties?: ObjectProperties;
    readonly algorithm?: ChecksumAlgorithm;
    readonly checksumType?: ChecksumType;
    readonly lock?: LockInput;
  } = {},
): Parameters<Store["createUpload"]>[2] {
  const { properties = plain, algorithm, checksumType, lock } = given;
  return { properties, owner: OWNER, algorithm, checksumType, lock };
}

/** Returns the input of CompleteMultipartUpload; it states checksums if it is given an algorithm. */
export function completion(
  parts: readonly PartInfo[],
  algorithm?: ChecksumAlgorithm,
): CompleteInput {
  return {
    parts: parts.map(({ number, etag, checksum }): CompletedPart => ({
      number,
      etag,
      checksum: algorithm === undefined || checksum === undefined
        ? undefined
        : { algorithm, value: checksum },
    })),
    precondition: {},
    checksum: undefined,
    size: undefined,
  };
}

/** Returns bytes without a period, so that no swap of chunks goes unnoticed. */
export function pattern(size: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = seed + 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}
