/**
 * Chooses the door through which a request enters, before authentication asks who is calling.
 * @module
 */

import type { S3Request } from "../s3/request.ts";

/** The doors: S3's operations, and preflights, which browsers send unsigned. */
export type Door = "s3" | "preflight";

/** Chooses the door of a request. */
export function chooseDoor({ method }: Pick<S3Request, "method">): Door {
  return method === "OPTIONS" ? "preflight" : "s3";
}
