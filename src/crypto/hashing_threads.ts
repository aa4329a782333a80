/**
 * The programs of the hashing workers. A worker receives its program as source text, so each function may use only its
 * parameters, and no imports: a worker made from a `data:` URL could import packages, but would fetch them where the
 * gateway runs as a bundle.
 * @module
 */

import type { createHash } from "node:crypto";
import type { Digests } from "./digests.ts";

/** Messages to a worker. */
export type ToWorker =
  | { readonly kind: "memory"; readonly memory: SharedArrayBuffer }
  | { readonly kind: "bytes"; readonly id: number; readonly from: number; readonly to: number }
  | { readonly kind: "digest" | "drop"; readonly id: number };

/** Messages of a worker. */
export type FromWorker =
  | { readonly kind: "free"; readonly from: number }
  | { readonly kind: "digests"; readonly id: number; readonly digests: Partial<Digests> };

/** The part of a worker's global scope that its program uses. */
export type WorkerScope = { onmessage: unknown; postMessage(message: FromWorker): void };

/** Computes MD5 and SHA-256. */
export function hashInWorker(self: WorkerScope, create: typeof createHash): void {
  type Hash = ReturnType<typeof create>;
  const hashes = new Map<number, { readonly md5: Hash; readonly sha256: Hash }>();
  let memory: Uint8Array = new Uint8Array();
  self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
    if (data.kind === "memory") {
      memory = new Uint8Array(data.memory);
      return;
    }
    const { kind, id } = data;
    if (kind === "drop") {
      hashes.delete(id);
      return;
    }
    let entry = hashes.get(id);
    if (entry === undefined) {
      entry = { md5: create("md5"), sha256: create("sha256") };
      hashes.set(id, entry);
    }
    if (kind === "bytes") {
      const bytes = memory.subarray(data.from, data.to);
      entry.md5.update(bytes);
      entry.sha256.update(bytes);
      self.postMessage({ kind: "free", from: data.from });
    } else {
      hashes.delete(id);
      const digests = { md5: entry.md5.digest("hex"), sha256: entry.sha256.digest("hex") };
      self.postMessage({ kind: "digests", id, digests });
    }
  };
}

/**
 * Computes CRC-64/NVME, eight bytes at a time with a table for each ("slicing by 8").
 * See https://reveng.sourceforge.io/crc-catalogue/all.htm#crc.cat.crc-64-nvme
 *
 * The pieces in the shared memory begin at multiples of eight bytes. Words are little-endian, as on every processor that the
 * runtime supports.
 */
export function crcInWorker(self: WorkerScope): void {
  type Crc = { high: number; low: number };
  // A CRC is two halves of 32 bits, because numbers have no more bits. Row t of a table is for a byte with t bytes behind it.
  const low = new Int32Array(8 * 256);
  const high = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let [hi, lo] = [0, byte];
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = (lo & 1) === 1;
      lo = (lo >>> 1) | (hi << 31);
      hi = hi >>> 1;
      if (isOdd) [hi, lo] = [hi ^ 0x9a6c9329, lo ^ 0xac4bc9b5]; // the reflected polynomial
    }
    high[byte] = hi;
    low[byte] = lo;
  }
  for (let i = 256; i < 8 * 256; i++) {
    const [hi = 0, lo = 0] = [high[i - 256], low[i - 256]];
    high[i] = (hi >>> 8) ^ (high[lo & 255] ?? 0);
    low[i] = ((lo >>> 8) | (hi << 24)) ^ (low[lo & 255] ?? 0);
  }

  const at = (table: Int32Array, index: number): number => table[index] as number;
  const updateWords = (crc: Crc, words: Int32Array): void => {
    let { high: hi, low: lo } = crc;
    for (let i = 0; i < words.length; i += 2) {
      lo ^= at(words, i);
      hi ^= at(words, i + 1);
      const a = 1792 + (lo & 255);
      const b = 1536 + ((lo >>> 8) & 255);
      const c = 1280 + ((lo >>> 16) & 255);
      const d = 1024 + (lo >>> 24);
      const e = 768 + (hi & 255);
      const f = 512 + ((hi >>> 8) & 255);
      const g = 256 + ((hi >>> 16) & 255);
      const h = hi >>> 24;
      lo = at(low, a) ^ at(low, b) ^ at(low, c) ^ at(low, d) ^ at(low, e) ^ at(low, f) ^
        at(low, g) ^ at(low, h);
      hi = at(high, a) ^ at(high, b) ^ at(high, c) ^ at(high, d) ^ at(high, e) ^ at(high, f) ^
        at(high, g) ^ at(high, h);
    }
    crc.high = hi;
    crc.low = lo;
  };
  const updateBytes = (crc: Crc, bytes: Uint8Array): void => {
    for (const byte of bytes) {
      const index = (crc.low ^ byte) & 255;
      const { high: hi, low: lo } = crc;
      crc.low = ((lo >>> 8) | (hi << 24)) ^ at(low, index);
      crc.high = (hi >>> 8) ^ at(high, index);
    }
  };
  const hex = (half: number): string => (~half >>> 0).toString(16).padStart(8, "0");

  const crcs = new Map<number, Crc>();
  let memory: ArrayBufferLike = new ArrayBuffer();
  self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
    if (data.kind === "memory") {
      memory = data.memory;
      return;
    }
    const { kind, id } = data;
    if (kind === "drop") {
      crcs.delete(id);
      return;
    }
    let crc = crcs.get(id);
    if (crc === undefined) {
      crc = { high: -1, low: -1 };
      crcs.set(id, crc);
    }
    if (kind === "bytes") {
      const { from, to } = data;
      const whole = to - (to - from) % 8;
      updateWords(crc, new Int32Array(memory, from, (whole - from) / 4));
      updateBytes(crc, new Uint8Array(memory, whole, to - whole));
      self.postMessage({ kind: "free", from });
    } else {
      crcs.delete(id);
      self.postMessage({ kind: "digests", id, digests: { crc64: hex(crc.high) + hex(crc.low) } });
    }
  };
}
