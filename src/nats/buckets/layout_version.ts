/**
 * The layout's version of a bucket: a gateway refuses a bucket with a layout that a newer gateway wrote.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import { textOf } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import { formatLayoutVersion, parseLayoutVersion } from "../layout/bucket_documents.ts";
import { type StoreName, streamOf } from "../layout/names.ts";
import { LAYOUT_VERSION, records } from "../layout/subjects.ts";
import type { ReportUnreadable } from "./unreadable.ts";

/** The record that states the layout's version. */
export const LAYOUT_RECORD = formatLayoutVersion(LAYOUT_VERSION);

/**
 * Refuses a bucket whose layout has another version, or one that cannot be read: a newer gateway may have written it.
 *
 * @throws S3Error `InternalError`
 */
export async function checkLayoutVersion(
  requests: Requests,
  bucket: BucketName,
  store: StoreName,
  report: ReportUnreadable | undefined,
): Promise<void> {
  const subject = records.bucket(store, "layout");
  const record = await requests.leaderGet(streamOf(store), { last_by_subj: subject });
  if (record === undefined) return; // its creator crashed before writing it, so the version is ours
  const version = parseLayoutVersion(textOf(record.data));
  if (version.kind === "value" && version.value === LAYOUT_VERSION) return;
  if (version.kind === "unreadable") report?.(bucket, "bucket", subject, version.reason);
  const found = version.kind === "value" ? version.value : "that cannot be read";
  throw new S3Error("InternalError", { BucketName: bucket }, {
    message: `The bucket has layout version ${found}; this gateway knows ${LAYOUT_VERSION}.`,
  });
}
