/**
 * A worker that hashes bodies, and the memory that the main thread shares with it.
 *
 * A worker made from a `data:` URL needs no permission. Copying bytes into shared memory avoids garbage of their size.
 * Once the worker has failed, the hashes of all bodies under way are lost: every pending and later call of their
 * digesters is rejected, and none of them waits forever.
 * @module
 */

import type { createHash } from "node:crypto";
import type { Digester, Digests } from "./digests.ts";

/** Bytes and number of slots in the memory that the worker shares. */
const SLOT = 256 * 1024;
const SLOTS = 16;

type ToWorker =
  | { readonly kind: "memory"; readonly memory: SharedArrayBuffer }
  | { readonly kind: "bytes"; readonly id: number; readonly from: number; readonly to: number }
  | { readonly kind: "digest" | "drop"; readonly id: number };

type FromWorker =
  | { readonly kind: "free"; readonly from: number }
  | { readonly kind: "digests"; readonly id: number; readonly digests: Digests };

/** Hashes many bodies at the same time. */
export class HashingWorker {
  readonly #worker: Worker;
  readonly #memory: Uint8Array;
  /** Offsets of the free slots, and the callers that wait for one. */
  readonly #free: number[] = [];
  readonly #line: PromiseWithResolvers<number>[] = [];
  readonly #waiting = new Map<number, PromiseWithResolvers<Digests>>();
  #next = 0;
  #hasWorked = false;
  #failure: Error | undefined;

  /** Starts the worker. Throws if the runtime has none. */
  constructor() {
    const source =
      `import { createHash } from "node:crypto";\n(${hashInWorker})(self, createHash);`;
    this.#worker = new Worker(`data:application/javascript,${encodeURIComponent(source)}`, {
      type: "module",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.stop(new Error(`The hashing worker failed: ${event.message}`));
    };
    const memory = new SharedArrayBuffer(SLOT * SLOTS);
    this.#memory = new Uint8Array(memory);
    for (let slot = 0; slot < SLOTS; slot++) this.#free.push(slot * SLOT);
    this.#send({ kind: "memory", memory });
  }

  /** Whether the worker has stopped, so that it hashes nothing any more. */
  get hasStopped(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether the worker has ever hashed bytes. */
  get hasWorked(): boolean {
    return this.#hasWorked;
  }

  /** Creates a digester for one body. */
  createDigester(): Digester {
    const id = this.#next++;
    return {
      update: async (bytes) => {
        for (let at = 0; at < bytes.length; at += SLOT) {
          const from = this.#free.pop() ?? await this.#nextSlot();
          const piece = bytes.subarray(at, at + SLOT);
          this.#memory.set(piece, from);
          this.#send({ kind: "bytes", id, from, to: from + piece.length });
        }
      },
      digest: () => {
        if (this.#failure !== undefined) return Promise.reject(this.#failure);
        const waiting = Promise.withResolvers<Digests>();
        this.#waiting.set(id, waiting);
        this.#send({ kind: "digest", id });
        return waiting.promise;
      },
      drop: () => this.#send({ kind: "drop", id }),
    };
  }

  /** Ends the worker and rejects every call of its digesters that is pending or comes later. */
  stop(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#worker.terminate();
    this.#free.length = 0; // so that later updates join the line, which rejects them
    for (const { reject } of this.#line.splice(0)) reject(reason);
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
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
    if (message.kind === "free") {
      const next = this.#line.shift();
      if (next === undefined) this.#free.push(message.from);
      else next.resolve(message.from);
    } else {
      this.#waiting.get(message.id)?.resolve(message.digests);
      this.#waiting.delete(message.id);
    }
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

/** Hashes in the worker, which receives this function as source text. It may use only its parameters. */
function hashInWorker(
  self: { onmessage: unknown; postMessage(message: FromWorker): void },
  create: typeof createHash,
): void {
  const hashes = new Map<
    number,
    { md5: ReturnType<typeof create>; sha256: ReturnType<typeof create> }
  >();
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
