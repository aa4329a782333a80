/**
 * The memory of request documents that are being received, together and for each user.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";

/** Bytes of all documents together, and of one user's when others wait. */
const TOTAL = 32 * 1024 * 1024;
const SHARE = TOTAL / 2;

/** Counts the bytes of documents from their arrival until they were read. */
export class DocumentBudget {
  #used = 0;
  readonly #users = new Map<string, number>();

  /** Bytes that are counted now. */
  get used(): number {
    return this.#used;
  }

  /**
   * Counts bytes that arrived.
   *
   * @throws S3Error `SlowDown` if there are too many: the user sends less at a time, or later
   */
  take(user: string, bytes: number): void {
    const had = this.#users.get(user) ?? 0;
    if (this.#used + bytes > TOTAL || had + bytes > SHARE) throw new S3Error("SlowDown");
    this.#used += bytes;
    this.#users.set(user, had + bytes);
  }

  /** Forgets bytes that were counted. */
  give(user: string, bytes: number): void {
    this.#used -= bytes;
    const left = (this.#users.get(user) ?? 0) - bytes;
    if (left > 0) this.#users.set(user, left);
    else this.#users.delete(user);
  }
}
