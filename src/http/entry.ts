/**
 * Chooses the door through which a request enters, before authentication asks who is calling.
 * @module
 */

import type { S3Request } from "../s3/request.ts";
import { isSubResource } from "../s3/subresources.ts";

/**
 * The doors: S3's operations; preflights, which browsers send unsigned; and forms (PostObject), which carry their
 * signature in their body.
 */
export type Door = "s3" | "preflight" | "form";

/** Chooses the door of a request. */
export function chooseDoor(
  { method, target, query, headers }: Pick<S3Request, "method" | "target" | "query" | "headers">,
): Door {
  if (method === "OPTIONS") return "preflight";
  if (method !== "POST" || target.on !== "bucket" || headers.has("authorization")) return "s3";
  const isForm = headers.get("content-type")?.toLowerCase().startsWith("multipart/form-data");
  return isForm === true && ![...query.keys()].some(isSubResource) ? "form" : "s3";
}
