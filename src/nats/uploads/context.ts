/**
 * State that the upload room owns.
 * @module
 */

import { MIN_PART_SIZE } from "../../s3/multipart.ts";
import type { ObjectsContext } from "../objects/context.ts";

/** State of the upload room. */
export type UploadsContext = ObjectsContext & {
  /** Smallest size of a part in bytes, except the last one. */
  readonly minPartSize: number;
};

/** Options of the upload room. */
export type UploadsOptions = {
  /** Smallest size in bytes of a part that is not the last; S3's 5 MiB by default. */
  readonly minPartSize?: number;
};

/** Adds the state of the upload room to that of the object room. */
export function createUploadsContext(
  objects: ObjectsContext,
  { minPartSize = MIN_PART_SIZE }: UploadsOptions,
): UploadsContext {
  return { ...objects, minPartSize };
}
