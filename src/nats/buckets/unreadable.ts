/**
 * Reports of records that cannot be read. Any native client may have written them, so they are skipped, never deleted by
 * themselves, and never stop the work on other records.
 * @module
 */

import { BoundedCache } from "../../collections/bounded_cache.ts";
import type { BucketName } from "../../s3/names.ts";
import type { RecordKind } from "../layout/subjects.ts";

/** What cannot be read: object info, a record of a kind below `S3.`, the subject of chunks, or a record of users. */
export type UnreadableKind = "info" | "chunks" | "users" | RecordKind;

/**
 * Reports a record that cannot be read. It returns at once and never throws.
 *
 * @param reason What is wrong with the record, if that is known.
 */
export type ReportUnreadable = (
  bucket: BucketName,
  kind: UnreadableKind,
  subject: string,
  reason?: string,
) => void;

/** Called each time that a record cannot be read. */
export type UnreadableObserver = (kind: UnreadableKind) => void;

/** Number of pairs of bucket and kind that are remembered as logged. */
const MAX_LOGGED = 10_000;
/** Most characters of a subject in the log. */
const MAX_SUBJECT = 512;

/** Creates the function that logs the first unreadable record of each bucket and kind, and counts all of them. */
export function createUnreadableReports(
  log: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void },
  observe: UnreadableObserver | undefined,
): ReportUnreadable {
  const logged = new BoundedCache<true>(MAX_LOGGED);
  return (bucket, kind, subject, reason) => {
    observe?.(kind);
    const pair = `${kind} ${bucket}`;
    if (logged.get(pair) !== undefined) return;
    logged.set(pair, true, 1);
    const fields = { bucket, kind, subject: subject.slice(0, MAX_SUBJECT) };
    log.warn("record cannot be read", reason === undefined ? fields : { ...fields, reason });
  };
}
