/**
 * The workers that hash bodies, and the memory that the main thread shares with them: one for MD5 and SHA-256, and, once a
 * body needs it, one for CRC-64/NVME.
 *
 * Workers made from a `data:` URL need no permission. Copying bytes into shared memory avoids garbage of their size.
 * Once a worker has failed, the hashes of all bodies under way are lost: every pending and later call of their
 * digesters is rejected, and none of them waits forever.
 * @module
 */

import type { Digester, Digests } from "./digests.ts";
import { crcInWorker, type FromWorker, hashInWorker, type ToWorker } from "./hashing_threads.ts";

/** Bytes and number of slots in the memory that the workers share. */
const SLOT = 256 * 1024;
const SLOTS = 16;

const HASHES = `import { createHash } from "node:crypto";\n(${hashInWorker})(self, createHash);`;
const CRC64 = `(${crcInWorker})(self);`;

/** Digests that are on their way: the parts that have arrived, and how many are missing. */
type Pending = PromiseWithResolvers<Digests> & { digests: Partial<Digests>; missing: number };

/** Hashes many bodies at the same time. */
export class HashingWorker {
  readonly #shared = new SharedArrayBuffer(SLOT * SLOTS);
  readonly #memory = new Uint8Array(this.#shared);
  readonly #hashes: Worker;
  #crc64: Worker | undefined;
  /** Offsets of the free slots, and the callers that wait for one. */
  readonly #free: number[] = [];
  readonly #line: PromiseWithResolvers<number>[] = [];
  /** For each slot, the number of workers that still read it. */
  readonly #readers = new Uint8Array(SLOTS);
  readonly #waiting = new Map<number, Pending>();
  #next = 0;
  #hasWorked = false;
  #failure: Error | undefined;

  /** Starts a worker. Throws if the runtime has none. */
  constructor() {
    this.#hashes = this.#start(HASHES);
    for (let slot = 0; slot < SLOTS; slot++) this.#free.push(slot * SLOT);
  }

  /** Whether the workers have stopped, so that they hash nothing any more. */
  get hasStopped(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether a worker has ever hashed bytes. */
  get hasWorked(): boolean {
    return this.#hasWorked;
  }

  /** Creates a digester for one body. */
  createDigester(withCrc64: boolean): Digester {
    const id = this.#next++;
    const workers = [this.#hashes];
    if (withCrc64) workers.push(this.#crc64 ??= this.#start(CRC64));
    const send = (message: ToWorker): void => {
      for (const worker of workers) worker.postMessage(message);
    };
    return {
      hasCrc64: withCrc64,
      update: async (bytes) => {
        for (let at = 0; at < bytes.length; at += SLOT) {
          const from = this.#free.pop() ?? await this.#nextSlot();
          const piece = bytes.subarray(at, at + SLOT);
          this.#memory.set(piece, from);
          this.#readers[from / SLOT] = workers.length;
          send({ kind: "bytes", id, from, to: from + piece.length });
        }
      },
      digest: () => {
        if (this.#failure !== undefined) return Promise.reject(this.#failure);
        const waiting = Promise.withResolvers<Digests>();
        this.#waiting.set(id, { ...waiting, digests: {}, missing: workers.length });
        send({ kind: "digest", id });
        return waiting.promise;
      },
      drop: () => send({ kind: "drop", id }),
    };
  }

  /** Ends the workers and rejects every call of their digesters that is pending or comes later. */
  stop(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#hashes.terminate();
    this.#crc64?.terminate();
    this.#free.length = 0; // so that later updates join the line, which rejects them
    for (const { reject } of this.#line.splice(0)) reject(reason);
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #start(source: string): Worker {
    const worker = new Worker(`data:application/javascript,${encodeURIComponent(source)}`, {
      type: "module",
    });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.stop(new Error(`The hashing worker failed: ${event.message}`));
    };
    const message: ToWorker = { kind: "memory", memory: this.#shared };
    worker.postMessage(message);
    return worker;
  }

  #nextSlot(): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const turn = Promise.withResolvers<number>();
    this.#line.push(turn);
    return turn.promise;
  }

  #receive(message: FromWorker): void {
    if (this.#failure !== undefined) return; // it was sent before the worker stopped
    this.#hasWorked = true;
    if (message.kind === "free") this.#giveBack(message.from);
    else this.#complete(message.id, message.digests);
  }

  #giveBack(from: number): void {
    const slot = from / SLOT;
    const readers = (this.#readers[slot] ?? 0) - 1;
    this.#readers[slot] = readers;
    if (readers > 0) return;
    const next = this.#line.shift();
    if (next === undefined) this.#free.push(from);
    else next.resolve(from);
  }

  #complete(id: number, digests: Partial<Digests>): void {
    const pending = this.#waiting.get(id);
    if (pending === undefined) return;
    Object.assign(pending.digests, digests);
    if (--pending.missing > 0) return;
    this.#waiting.delete(id);
    pending.resolve(pending.digests as Digests);
  }
}
