/**
 * Limits by which JetStream itself removes messages. A bucket of such a stream cannot keep versions.
 *
 * Such a stream gets no versioning. Operators of NATS may set a limit later, and then nothing but a report is left to do.
 * @module
 */

import type { BucketName } from "../../s3/names.ts";

/** Tells whether JetStream itself removes messages of a stream. */
export function forgets(
  { max_age, max_msgs, max_msgs_per_subject, discard }: Readonly<Record<string, unknown>>,
): boolean {
  const isLimit = (value: unknown): boolean => typeof value === "number" && value > 0;
  return isLimit(max_age) || isLimit(max_msgs) || isLimit(max_msgs_per_subject) ||
    (discard !== undefined && discard !== "new");
}

type WarningLog = {
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
};

/** The buckets with versions from which JetStream removes messages, as this gateway last saw them. */
export class ForgetfulBuckets {
  readonly #log: WarningLog;
  readonly #buckets = new Set<BucketName>();

  constructor(log: WarningLog) {
    this.#log = log;
  }

  /** The number of buckets. */
  get count(): number {
    return this.#buckets.size;
  }

  /** Notes what a bucket is now. The log gets a bucket each time that it becomes forgetful. */
  note(bucket: BucketName, isForgetful: boolean): void {
    if (!isForgetful) this.#buckets.delete(bucket);
    else if (!this.#buckets.has(bucket)) {
      this.#buckets.add(bucket);
      this.#log.warn("JetStream removes versions by itself", { bucket });
    }
  }
}
