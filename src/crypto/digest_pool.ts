/**
 * Digests of bodies, computed while the bodies pass: inline for small bodies, in a worker for large ones.
 *
 * Hashing is the largest part of the cost of storing a body. A worker that fails takes the bodies with it that it was
 * hashing, and is replaced. Without workers, everything is computed inline.
 * @module
 */

import { createInlineDigester, type Digester } from "./digests.ts";
import { HashingWorker } from "./hashing_worker.ts";

/** Bytes. For a body of this size, moving it to the worker is worthwhile. */
const WORTH_A_WORKER = 1024 * 1024;

/** Creates digesters and owns the worker that the digesters of large bodies share. */
export class DigestPool implements Disposable {
  #worker: HashingWorker | undefined;
  #hasWorkers = typeof Worker === "function";

  /**
   * Creates a digester for one body.
   *
   * @param size Length of the body in bytes, if known.
   * @param wantsCrc64 Whether a worker is to compute CRC-64/NVME, too. Nothing computes it inline.
   */
  create(size: number | undefined, wantsCrc64 = false): Digester {
    if (size !== undefined && size < WORTH_A_WORKER) return createInlineDigester();
    return this.#runningWorker()?.createDigester(wantsCrc64) ?? createInlineDigester();
  }

  /** Ends the worker and rejects the digests that are not ready. */
  [Symbol.dispose](): void {
    this.#hasWorkers = false;
    this.#worker?.stop(new Error("The gateway is stopping"));
    this.#worker = undefined;
  }

  /** Returns the worker, or a new one in the place of one that failed; undefined if workers do not work here. */
  #runningWorker(): HashingWorker | undefined {
    if (this.#worker?.hasStopped === true) {
      this.#hasWorkers &&= this.#worker.hasWorked;
      this.#worker = undefined;
    }
    if (this.#worker !== undefined || !this.#hasWorkers) return this.#worker;
    try {
      return this.#worker = new HashingWorker();
    } catch {
      this.#hasWorkers = false;
      return undefined;
    }
  }
}
