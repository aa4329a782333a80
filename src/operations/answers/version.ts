/**
 * The response headers that name a version.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
 * @module
 */

import type { Deleted, WrittenVersion } from "../../store/objects.ts";

/** Returns the header of a version; none in a bucket that never had versioning. */
export function versionHeader(
  { versionId }: Partial<WrittenVersion>,
): Readonly<Record<string, string>> {
  return versionId === undefined ? NONE : { "x-amz-version-id": versionId };
}

const NONE: Readonly<Record<string, string>> = {};

/** Returns the headers of a deletion. */
export function deletionHeaders(deleted: Deleted): Readonly<Record<string, string>> {
  const headers = versionHeader(deleted);
  return deleted.isMarker ? { ...headers, "x-amz-delete-marker": "true" } : headers;
}
