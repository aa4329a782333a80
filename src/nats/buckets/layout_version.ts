/**
 * The version of a bucket's layout: the record `S3.bucket.layout`. A gateway leaves a bucket of a newer version alone.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import { textOf } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import { type StoreName, streamOf } from "../layout/names.ts";
import { LAYOUT_VERSION, records } from "../layout/subjects.ts";

/** The record that states the layout's version. */
export const LAYOUT_RECORD = JSON.stringify({ version: LAYOUT_VERSION });

/**
 * Refuses a bucket whose layout this gateway does not know, because a newer gateway wrote it.
 *
 * @throws S3Error `InternalError`
 */
export async function checkLayoutVersion(
  requests: Requests,
  bucket: BucketName,
  store: StoreName,
): Promise<void> {
  const record = await requests.leaderGet(streamOf(store), {
    last_by_subj: records.bucket(store, "layout"),
  });
  if (record === undefined) return; // its creator crashed before writing it, so the version is ours
  const version = parseVersion(textOf(record.data));
  if (version === LAYOUT_VERSION) return;
  throw new S3Error("InternalError", { BucketName: bucket }, {
    message: `The bucket has layout version ${version}; this gateway knows ${LAYOUT_VERSION}.`,
  });
}

/** Returns the version that a record states; undefined if it is unreadable. */
function parseVersion(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly version?: unknown } | null)?.version;
  } catch {
    return undefined;
  }
}
