/**
 * Reads of an object as it was at a time: GetObject and HeadObject with `x-nats-s3-as-of`.
 *
 * Amazon has no such header. Signatures must cover it, because without it a link to an object would lead to all its versions.
 * @module
 */

import { AS_OF, parseAsOf } from "../../s3/as_of.ts";
import { S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { VerifiedRequest } from "../../s3/verified_request.ts";
import { deleteMarkerError } from "../../s3/version_id.ts";
import type { Store } from "../../store/store.ts";
import { type ObjectRead, parseObjectRead } from "./object.ts";

/** A read, perhaps of how the object was. */
export type TimedRead = ObjectRead & {
  /** Undefined for now, or for the version that is named. */
  readonly asOf?: Date | undefined;
};

/**
 * Parses a GetObject or HeadObject request.
 *
 * @throws S3Error as {@linkcode parseObjectRead} does; `InvalidArgument` for a malformed time
 */
export function parseTimedRead(request: VerifiedRequest): TimedRead {
  const read = parseObjectRead(request);
  const text = request.headers.get(AS_OF);
  return text === null ? read : { ...read, asOf: parseAsOf(text, read.versionId) };
}

/**
 * Returns a read of the version that was current at the time.
 *
 * @throws S3Error `NoSuchKey` if there was none, with the headers of the delete marker that was current; `NoSuchVersion` if
 * the versions that are left do not tell; `InvalidBucketState` in a bucket that never had versioning; `InvalidArgument` for a
 * time in the future
 */
export async function lookBack(
  store: Pick<Store, "versionAsOf">,
  { bucket, key }: { readonly bucket: BucketName; readonly key: ObjectKey },
  { asOf, ...read }: TimedRead & { readonly asOf: Date },
): Promise<ObjectRead> {
  const found = await store.versionAsOf(bucket, key, asOf);
  switch (found.kind) {
    case "version":
      return { ...read, versionId: found.versionId };
    case "marker":
      throw deleteMarkerError(key, { id: found.versionId, modified: found.modified }, false);
    case "absent":
      throw new S3Error("NoSuchKey", { Key: key });
    case "unknown":
      throw new S3Error("NoSuchVersion", { Key: key }, {
        message: `How the object was at that time is not known: ${found.reason}.`,
      });
  }
}

/** Tells whether a read is of how the object was. */
export function isTimed(read: TimedRead): read is TimedRead & { readonly asOf: Date } {
  return read.asOf !== undefined;
}
