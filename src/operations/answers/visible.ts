/**
 * What a caller who may read an object sees of its tags and locks.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import type { Target } from "../../s3/request.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import { hasTags } from "../bodies/tags.ts";
import type { Access } from "../operation.ts";

/**
 * Returns an object's info without the facts that need a permission of their own: the number of its tags, its retention
 * and its legal hold.
 *
 * @param access It has seen the object.
 * @param isVersion The object is a version that the request does not name.
 */
export function visibleInfo(
  access: Pick<Access, "may">,
  target: Target & { readonly key: ObjectKey },
  info: ObjectInfo,
  isVersion = false,
): ObjectInfo {
  const { properties, retention, legalHold } = info;
  const readsTags = isVersion ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging";
  const hidesTags = hasTags(properties) && !access.may(readsTags, target);
  const hidesRetention = retention !== undefined && !access.may("s3:GetObjectRetention", target);
  const hidesHold = legalHold !== undefined && !access.may("s3:GetObjectLegalHold", target);
  if (!hidesTags && !hidesRetention && !hidesHold) return info; // most objects have none
  const { legalHold: _, ...rest } = info;
  return {
    ...rest,
    ...(hidesTags && { properties: { ...properties, tags: {} } }),
    ...(hidesRetention && { retention: undefined }),
    ...(legalHold !== undefined && !hidesHold && { legalHold }),
  };
}
