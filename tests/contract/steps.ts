/**
 * Calls and assertions that several tests of the contract share.
 * @module
 */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type ChecksumAlgorithm, createChecksumHasher } from "../../src/s3/checksum_algorithms.ts";
import { type ErrorCode, S3Error } from "../../src/s3/errors.ts";
import type { UploadId } from "../../src/s3/names.ts";
import type { ListQuery } from "../../src/store/listings.ts";
import type { ObjectContent, ObjectInfo } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import type { PartInfo } from "../../src/store/uploads.ts";
import {
  bucket,
  key,
  objectInput,
  part,
  partInput,
  type PutOptions,
  query,
  uploadInput,
} from "./inputs.ts";

/** Puts an object. */
export async function put(
  store: Store,
  name: string,
  data: Uint8Array | string,
  options: PutOptions = {},
): Promise<ObjectInfo> {
  return await store.putObject(bucket, key(name), objectInput(data, options));
}

/** Creates an upload and puts these parts, numbered from 1. */
export async function upload(
  store: Store,
  name: string,
  pieces: readonly (Uint8Array | string)[],
  given: Parameters<typeof uploadInput>[0] = {},
): Promise<{ id: UploadId; parts: PartInfo[] }> {
  const id = await store.createUpload(bucket, key(name), uploadInput(given));
  const parts: PartInfo[] = [];
  for (const [i, piece] of pieces.entries()) {
    const input = partInput(piece, { algorithm: given.algorithm });
    parts.push(await store.putPart(bucket, key(name), id, part(i + 1), input));
  }
  return { id, parts };
}

/** Lists objects; the keys are also returned apart. */
export async function list(
  store: Store,
  given: Partial<ListQuery> = {},
): Promise<Awaited<ReturnType<Store["listObjects"]>> & { readonly keys: readonly string[] }> {
  const page = await store.listObjects(bucket, query(given));
  return { ...page, keys: page.objects.map(({ key }) => key) };
}

/** Returns an object's bytes as text. */
export async function text(store: Store, name: string): Promise<string> {
  const { body } = await store.getObject(bucket, key(name), () => "all");
  return await new Response(body).text();
}

/** Asserts that an object has these bytes. A failure does not print megabytes. */
export async function sameBytes({ body }: ObjectContent, expected: Uint8Array): Promise<void> {
  const bytes = new Uint8Array(await new Response(body).arrayBuffer());
  strictEqual(bytes.length, expected.length);
  ok(Buffer.compare(bytes, expected) === 0, "bytes differ");
}

/** Returns the MD5 in lower-case hex. */
export function md5Of(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** Returns the checksum in base64. */
export async function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Promise<string> {
  const hasher = await createChecksumHasher(algorithm);
  hasher.update(bytes);
  return hasher.digest();
}

/** Returns the code of an S3 error; undefined for any other error. */
export function codeOf(cause: unknown): ErrorCode | undefined {
  return cause instanceof S3Error ? cause.code : undefined;
}

/** Asserts that a promise rejects with this code. */
export async function rejectsWith(
  code: ErrorCode,
  promise: Promise<unknown>,
  message?: string,
): Promise<void> {
  await rejects(promise, (cause) => {
    if (!(cause instanceof S3Error)) throw cause;
    strictEqual(cause.code, code, message);
    return true;
  });
}
