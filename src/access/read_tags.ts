/**
 * Reads the tags of an object, because a policy asks for them and the operation does not read it.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { Target } from "../s3/request.ts";
import type { Store } from "../store/store.ts";
import type { ObjectTags } from "./decide.ts";

/**
 * Returns the tags; undefined if there is no object.
 *
 * @throws S3Error what the store throws
 */
export async function readTags(
  store: Pick<Store, "readObject">,
  resource: Target,
): Promise<ObjectTags | undefined> {
  if (resource.on !== "object") return undefined;
  try {
    return (await store.readObject(resource.bucket, resource.key)).properties.tags;
  } catch (cause) {
    if (isS3Error(cause, "NoSuchKey")) return undefined;
    throw cause;
  }
}
