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
 */
export function crcInWorker(self: WorkerScope): void {
  // A CRC is two halves of 32 bits, because numbers have no more bits. Row t of a table is for a byte with t bytes behind it.
  const low = new Uint32Array(8 * 256);
  const high = new Uint32Array(8 * 256);
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

  const update = (crc: { high: number; low: number }, bytes: Uint8Array): void => {
    let { high: hi, low: lo } = crc;
    const at = (table: Uint32Array, row: number, byte: number): number =>
      table[row * 256 + (byte & 255)] as number;
    const byte = (i: number): number => bytes[i] as number;
    const whole = bytes.length - bytes.length % 8;
    for (let i = 0; i < whole; i += 8) {
      const a = lo ^ (byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24);
      const b = hi ^ (byte(i + 4) | byte(i + 5) << 8 | byte(i + 6) << 16 | byte(i + 7) << 24);
      lo = at(low, 7, a) ^ at(low, 6, a >>> 8) ^ at(low, 5, a >>> 16) ^ at(low, 4, a >>> 24) ^
        at(low, 3, b) ^ at(low, 2, b >>> 8) ^ at(low, 1, b >>> 16) ^ at(low, 0, b >>> 24);
      hi = at(high, 7, a) ^ at(high, 6, a >>> 8) ^ at(high, 5, a >>> 16) ^ at(high, 4, a >>> 24) ^
        at(high, 3, b) ^ at(high, 2, b >>> 8) ^ at(high, 1, b >>> 16) ^ at(high, 0, b >>> 24);
    }
    for (let i = whole; i < bytes.length; i++) {
      const index = lo ^ byte(i);
      lo = ((lo >>> 8) | (hi << 24)) ^ at(low, 0, index);
      hi = (hi >>> 8) ^ at(high, 0, index);
    }
    crc.high = hi;
    crc.low = lo;
  };
  const hex = (half: number): string => (~half >>> 0).toString(16).padStart(8, "0");

  const crcs = new Map<number, { high: number; low: number }>();
  let memory: Uint8Array = new Uint8Array();
  self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
    if (data.kind === "memory") {
      memory = new Uint8Array(data.memory);
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
      update(crc, memory.subarray(data.from, data.to));
      self.postMessage({ kind: "free", from: data.from });
    } else {
      crcs.delete(id);
      self.postMessage({ kind: "digests", id, digests: { crc64: hex(crc.high) + hex(crc.low) } });
    }
  };
}
