/**
 * The permission to give tags to an object that is written, which is one more beside writing it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-and-policies.html
 * @module
 */

import type { ObjectProperties } from "../../s3/metadata.ts";
import type { Call } from "../operation.ts";

/** Returns whether an object has tags. */
export function hasTags({ tags }: Pick<ObjectProperties, "tags">): boolean {
  for (const key in tags) if (Object.hasOwn(tags, key)) return true;
  return false; // this runs for every PUT, and makes no list
}

/**
 * Checks that the caller may give an object the tags that it is written with, if there are any. An object that is written
 * has no tags before, so there is nothing to wait for.
 *
 * @throws S3Error `AccessDenied`
 */
export function allowTags(
  { access, target }: Pick<Call<"object", unknown>, "access" | "target">,
  properties: Pick<ObjectProperties, "tags">,
): void {
  if (!hasTags(properties)) return;
  const objectTags = new Map(Object.entries(properties.tags));
  access.allow({ action: "s3:PutObjectTagging", resource: target, facts: { objectTags } });
}
