/**
 * The memory of request documents that are being received, together and for each client.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";

/** Bytes of all documents together, and of those of one client. */
const TOTAL = 32 * 1024 * 1024;
const SHARE = TOTAL / 2;

/** Counts the bytes of documents from their arrival until they were read. */
export class DocumentBudget {
  #used = 0;
  readonly #clients = new Map<string, number>();

  /** Bytes that are counted now. */
  get used(): number {
    return this.#used;
  }

  /**
   * Counts bytes that arrived.
   *
   * @throws S3Error `SlowDown` if there are too many: the client sends less at a time, or later
   */
  take(client: string, bytes: number): void {
    const had = this.#clients.get(client) ?? 0;
    if (this.#used + bytes > TOTAL || had + bytes > SHARE) throw new S3Error("SlowDown");
    this.#used += bytes;
    this.#clients.set(client, had + bytes);
  }

  /** Forgets bytes that were counted. */
  give(client: string, bytes: number): void {
    this.#used -= bytes;
    const left = (this.#clients.get(client) ?? 0) - bytes;
    if (left > 0) this.#clients.set(client, left);
    else this.#clients.delete(client);
  }
}
