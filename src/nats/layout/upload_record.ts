/**
 * The record of a multipart upload, `S3.upload.<id>`: JSON that states what the upload will become, and after its end
 * what it became.
 * @module
 */

import type { ChecksumAlgorithm, ChecksumType } from "../../s3/checksum.ts";
import type { ObjectProperties } from "../../s3/metadata.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { ObjectInfo } from "../../store/store.ts";

/** The content of an upload's record. */
export type UploadRecord = {
  readonly state: "open" | "done" | "aborted";
  readonly key: ObjectKey;
  readonly initiated: string;
  readonly owner: string;
  readonly properties: ObjectProperties;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  /** The object that a Complete made: the response when a client repeats it. */
  readonly result?: Pick<ObjectInfo, "size" | "etag" | "checksum"> & { readonly modified: string };
};

/** Returns the JSON of an upload's record. */
export function formatUploadRecord(record: UploadRecord): string {
  return JSON.stringify(record);
}

/** Reads an upload's record; returns undefined for a text that is not JSON. */
export function parseUploadRecord(text: string): UploadRecord | undefined {
  try {
    return JSON.parse(text) as UploadRecord;
  } catch {
    return undefined; // a native client wrote it
  }
}
