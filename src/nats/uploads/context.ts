/**
 * State that the upload room owns.
 * @module
 */

import type { ObjectsContext } from "../objects/context.ts";

/** State of the upload room. */
export type UploadsContext = ObjectsContext & {
  /** Smallest size of a part in bytes, except the last one. */
  readonly minPartSize: number;
};
