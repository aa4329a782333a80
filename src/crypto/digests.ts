/**
 * MD5 and SHA-256 of a body, computed while it passes: inline for small bodies, in a worker for large ones.
 *
 * Hashing is the largest part of the cost of storing a body. A worker made from a `data:` URL needs no permission.
 * Without workers, everything is computed inline.
 * @module
 */

import { createHash, hash } from "node:crypto";

/** The digests of one body, in lower-case hex. */
export type Digests = { readonly md5: string; readonly sha256: string };

/** Computes the digests of one body. */
export interface Digester {
  /** Hashes the next bytes, which must not change until the returned promise resolves. */
  update(bytes: Uint8Array): Promise<void> | undefined;
  /** Returns the digests and ends the digester. */
  digest(): Promise<Digests> | Digests;
  /** Ends the digester without a result. */
  drop(): void;
}

/** Returns the digests of a complete body. */
export function digestsOf(bytes: Uint8Array): Digests {
  return { md5: hash("md5", bytes, "hex"), sha256: hash("sha256", bytes, "hex") };
}

/** Bytes. For a body of this size, moving it to the worker is worthwhile. */
const WORTH_A_WORKER = 1024 * 1024;
/** Bytes and number of slots in the memory that the worker shares. Copying bytes there avoids garbage of their size. */
const SLOT = 256 * 1024;
const SLOTS = 16;

type ToWorker =
  | { readonly kind: "memory"; readonly memory: SharedArrayBuffer }
  | { readonly kind: "bytes"; readonly id: number; readonly from: number; readonly to: number }
  | { readonly kind: "digest" | "drop"; readonly id: number };

type FromWorker =
  | { readonly kind: "free"; readonly from: number }
  | { readonly kind: "digests"; readonly id: number; readonly digests: Digests };

/** Creates digesters and owns the worker that the digesters of large bodies share. */
export class DigestPool implements Disposable {
  #worker: Worker | undefined;
  #hasWorkers = typeof Worker === "function";
  #next = 0;
  #memory: Uint8Array = new Uint8Array();
  /** Offsets of the free slots, and the callers that wait for one. */
  readonly #free: number[] = [];
  readonly #line: ((slot: number) => void)[] = [];
  readonly #waiting = new Map<number, PromiseWithResolvers<Digests>>();

  /**
   * Creates a digester for one body.
   *
   * @param size Length of the body in bytes, if known.
   */
  create(size: number | undefined): Digester {
    if (size !== undefined && size < WORTH_A_WORKER) return inlineDigester();
    const worker = this.#worker ?? this.#start();
    return worker === undefined ? inlineDigester() : this.#digesterOn(worker);
  }

  /** Ends the worker and rejects the digests that are not ready. */
  [Symbol.dispose](): void {
    this.#stop(new Error("The gateway is stopping"));
  }

  #digesterOn(worker: Worker): Digester {
    const id = this.#next++;
    const send = (message: ToWorker): void => worker.postMessage(message);
    return {
      update: async (bytes) => {
        for (let at = 0; at < bytes.length; at += SLOT) {
          const from = this.#free.pop() ??
            await new Promise<number>((take) => this.#line.push(take));
          const piece = bytes.subarray(at, at + SLOT);
          this.#memory.set(piece, from);
          send({ kind: "bytes", id, from, to: from + piece.length });
        }
      },
      digest: () => {
        const waiting = Promise.withResolvers<Digests>();
        this.#waiting.set(id, waiting);
        send({ kind: "digest", id });
        return waiting.promise;
      },
      drop: () => send({ kind: "drop", id }),
    };
  }

  #start(): Worker | undefined {
    if (!this.#hasWorkers) return undefined;
    try {
      const source =
        `import { createHash } from "node:crypto";\n(${hashInWorker})(self, createHash);`;
      const worker = new Worker(`data:application/javascript,${encodeURIComponent(source)}`, {
        type: "module",
      });
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
      worker.onerror = (event) => {
        event.preventDefault();
        this.#hasWorkers = false;
        this.#stop(new Error(`The hashing worker failed: ${event.message}`));
      };
      const memory = new SharedArrayBuffer(SLOT * SLOTS);
      this.#memory = new Uint8Array(memory);
      for (let slot = 0; slot < SLOTS; slot++) this.#free.push(slot * SLOT);
      worker.postMessage({ kind: "memory", memory } satisfies ToWorker);
      return this.#worker = worker;
    } catch {
      this.#hasWorkers = false;
      return undefined;
    }
  }

  #receive(message: FromWorker): void {
    if (message.kind === "free") {
      const next = this.#line.shift();
      if (next === undefined) this.#free.push(message.from);
      else next(message.from);
    } else {
      this.#waiting.get(message.id)?.resolve(message.digests);
      this.#waiting.delete(message.id);
    }
  }

  #stop(reason: Error): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#free.length = 0;
    // Release the waiting callers: their bytes are lost, but their digests are rejected.
    for (const take of this.#line.splice(0)) take(0);
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}

function inlineDigester(): Digester {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  return {
    update(bytes) {
      md5.update(bytes);
      sha256.update(bytes);
      return undefined;
    },
    digest: () => ({ md5: md5.digest("hex"), sha256: sha256.digest("hex") }),
    drop() {},
  };
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
