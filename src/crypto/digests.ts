/**
 * MD5 and SHA-256 of a body, computed as it passes: inline for small bodies, beside the main thread for large ones.
 *
 * Hashing is most of what storing a body costs. A worker made of a `data:` URL needs no permission; where there are no
 * workers, everything is computed inline.
 * @module
 */

import { createHash, hash } from "node:crypto";

/** Lower-case hex. */
export type Digests = { readonly md5: string; readonly sha256: string };

/** Computes the digests of one body. */
export interface Digester {
  /** Takes the next bytes, which must not change until it resolves. */
  update(bytes: Uint8Array): Promise<void> | undefined;
  /** Ends it. */
  digest(): Promise<Digests> | Digests;
  /** Ends it without a result. */
  drop(): void;
}

/** The digests of bytes that are all there. */
export function digestsOf(bytes: Uint8Array): Digests {
  return { md5: hash("md5", bytes, "hex"), sha256: hash("sha256", bytes, "hex") };
}

/** From this many bytes on a body is worth the way to the worker. */
const WORTH_A_WORKER = 1024 * 1024;
/** Memory shared with the worker: bytes are copied into a free slot, so that no message makes garbage of their size. */
const SLOT = 256 * 1024;
const SLOTS = 16;

type ToWorker =
  | { readonly kind: "memory"; readonly memory: SharedArrayBuffer }
  | { readonly kind: "bytes"; readonly id: number; readonly from: number; readonly to: number }
  | { readonly kind: "digest" | "drop"; readonly id: number };

type FromWorker =
  | { readonly kind: "free"; readonly from: number }
  | { readonly kind: "digests"; readonly id: number; readonly digests: Digests };

/** Makes digesters, and holds the worker that some of them share. */
export class DigestPool implements Disposable {
  #worker: Worker | undefined;
  #hasWorkers = typeof Worker === "function";
  #next = 0;
  #memory: Uint8Array = new Uint8Array();
  /** Where free slots begin, and who waits for one. */
  readonly #free: number[] = [];
  readonly #line: ((slot: number) => void)[] = [];
  readonly #waiting = new Map<number, PromiseWithResolvers<Digests>>();

  /** @param size Length of the body in bytes, where it is known. */
  create(size: number | undefined): Digester {
    if (size !== undefined && size < WORTH_A_WORKER) return inlineDigester();
    const worker = this.#worker ?? this.#start();
    return worker === undefined ? inlineDigester() : this.#digesterOn(worker);
  }

  /** Ends the worker; digests that are not ready are rejected. */
  [Symbol.dispose](): void {
    this.#stop(new Error("The gateway ends"));
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
    // Their bytes go nowhere, and their digests are rejected.
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

/** What runs in the worker. It is put there by its source text, so it uses nothing but its parameters. */
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
