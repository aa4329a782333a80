/**
 * Lines of a server access log that become one object.
 * @module
 */

import type { LogTarget } from "../s3/logging.ts";
import type { BucketName, ObjectKey } from "../s3/names.ts";

/** Memory of a line besides its characters, in bytes. */
const OVERHEAD = 128;

/** Lines of one bucket for one object. */
export type LogBatch = {
  readonly source: BucketName;
  readonly target: LogTarget;
  /** When its first request arrived; with {@linkcode LogTarget.format} `event`, all arrived on that day. */
  readonly event: Date;
  readonly lines: string[];
  /** When the first line was added, in monotonic time. */
  readonly since: number;
  /** Bytes of memory. */
  size: number;
  /** Set by the first attempt to store it. */
  key: ObjectKey | undefined;
};

/** A line that joins a batch. */
export type LogEntry = {
  readonly source: BucketName;
  readonly target: LogTarget;
  readonly line: string;
  /** When the request arrived. */
  readonly time: Date;
};

/** Returns the bytes of memory that a line takes. */
export function sizeOfLine(line: string): number {
  return line.length + OVERHEAD;
}

/** Batches that further lines may join. */
export class OpenBatches {
  readonly #batches = new Map<string, LogBatch>();

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#batches.size === 0;
  }

  /** Adds a line and returns its batch. */
  add({ source, target, line, time }: LogEntry, now: number): LogBatch {
    const { bucket, prefix, format } = target;
    const day = format === "event" ? time.toISOString().slice(0, 10) : "";
    const id = [source, bucket, day, format, prefix].join(" "); // only the prefix may have blanks
    let batch = this.#batches.get(id);
    if (batch === undefined) {
      batch = { source, target, event: time, lines: [], since: now, size: 0, key: undefined };
      this.#batches.set(id, batch);
    }
    batch.lines.push(line);
    batch.size += sizeOfLine(line);
    return batch;
  }

  /** Removes and returns the batches that a condition selects. */
  take(isDue: (batch: LogBatch) => boolean): readonly LogBatch[] {
    const due: LogBatch[] = [];
    for (const [id, batch] of this.#batches) {
      if (!isDue(batch)) continue;
      this.#batches.delete(id);
      due.push(batch);
    }
    return due;
  }
}
