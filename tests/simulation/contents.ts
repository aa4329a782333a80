/**
 * The contents of objects: each is written once, so its ETag tells who wrote it.
 * @module
 */

import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import type { ByteSource } from "../../src/streams/byte_source.ts";
import type { ContentInput } from "../../src/store/content.ts";
import { pause } from "../../src/world/world.ts";
import { someBytes } from "../nats/store_on_server.ts";

/** Bytes that a client writes. */
export type Content = { readonly etag: string; readonly bytes: Uint8Array };

/** All contents of a simulation. */
export class Contents {
  readonly #byETag = new Map<string, Uint8Array>();
  #serial = 0;

  /** Makes a content that no other equals, of at least 8 bytes. */
  make(size: number): Content {
    const serial = ++this.#serial;
    const bytes = someBytes(Math.max(size, 8), serial);
    new DataView(bytes.buffer).setUint32(0, serial);
    const etag = createHash("md5").update(bytes).digest("hex");
    this.#byETag.set(etag, bytes);
    return { etag, bytes };
  }

  /** Adds the content of an object in parts, or one that natives name otherwise. */
  add(etag: string, bytes: Uint8Array): void {
    this.#byETag.set(etag, bytes);
  }

  /** Returns the bytes of an ETag. */
  of(etag: string): Uint8Array | undefined {
    return this.#byETag.get(etag);
  }

  /**
   * Explains what is wrong with bytes that a reader got of an object; undefined if nothing is.
   *
   * @param isWhole The reader came to the end.
   */
  explain(
    etag: string,
    read: Uint8Array,
    [start, end]: readonly [start: number, end: number],
    isWhole: boolean,
  ): string | undefined {
    const written = this.#byETag.get(etag);
    if (written === undefined) return `nobody wrote the ETag ${etag}`;
    const expected = written.subarray(start, end);
    if (isWhole && read.length !== expected.length) {
      return `${read.length} bytes of ${etag} arrived instead of ${expected.length}`;
    }
    const isSame = Buffer.compare(expected.subarray(0, read.length), read) === 0;
    return isSame ? undefined : `the bytes are not those of ${etag}`;
  }
}

/**
 * Returns a content as a store is given it.
 *
 * @param slowness Milliseconds between two pieces.
 */
export function contentInput({ bytes }: Content, piece: number, slowness: number): ContentInput {
  let at = 0;
  const stream: ByteSource = {
    async read() {
      if (at >= bytes.length) return undefined;
      if (slowness > 0 && at > 0) await pause(slowness);
      const next = bytes.slice(at, at + piece); // the store may free what it is given
      at += piece;
      return next;
    },
    cancel() {
      at = bytes.length;
      return Promise.resolve();
    },
  };
  return { stream, size: bytes.length, algorithm: undefined, verify() {} };
}
