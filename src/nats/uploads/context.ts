/**
 * State that the upload room owns.
 * @module
 */

import type { ObjectsContext } from "../objects/context.ts";

/** State of the upload room. */
export type UploadsContext = ObjectsContext & {
  /** Smallest size in bytes of a part that is not the last. */
  readonly minPartSize: number;
};
