/**
 * Reads the tags of an object, because a policy asks for them and the operation does not read it.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { Target } from "../s3/request.ts";
import { readVersionId } from "../s3/version_id.ts";
import type { Store } from "../store/store.ts";
import type { ObjectTags } from "./decide.ts";

/**
 * Returns the tags; undefined if there is no object.
 *
 * @param versionId As stated; undefined for the current version.
 * @throws S3Error what the store throws
 */
export async function readTags(
  store: Pick<Store, "readObject">,
  resource: Target,
  versionId: string | undefined,
): Promise<ObjectTags | undefined> {
  if (resource.on !== "object") return undefined;
  const id = readVersionId(versionId);
  if (versionId !== undefined && id === undefined) return undefined; // the operation refuses it
  try {
    const info = await store.readObject(resource.bucket, resource.key, { versionId: id });
    return info.properties.tags;
  } catch (cause) {
    if (isS3Error(cause, "NoSuchKey", "NoSuchVersion", "MethodNotAllowed")) return undefined;
    throw cause;
  }
}
