/**
 * Changes the tags of an object: rewrites its object info, by compare-and-set, around the same chunk group.
 *
 * A crash leaves the old tags or the new ones. Object lock does not protect tags, as on AWS.
 * @module
 */

import { Buffer } from "node:buffer";
import { S3Error } from "../../s3/errors.ts";
import type { ObjectProperties } from "../../s3/metadata.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import type { ObjectInfo, WrittenVersion } from "../../store/objects.ts";
import { checkRoom } from "../buckets/quota.ts";
import { lengthOf, MAX_PROPERTIES } from "../layout/info_metadata.ts";
import type { StoredObject } from "../layout/object_info.ts";
import { formatTagged } from "../layout/tagged_info.ts";
import { existing, type InfoNeeds } from "./objects.ts";
import { replace, type ReplaceNeeds } from "./replace.ts";

/** Bytes that a message has besides its text. */
const MESSAGE_OVERHEAD = 1024;

/**
 * Replaces all tags of an object.
 *
 * @throws S3Error as {@linkcode Objects.putObjectTags} does
 */
export async function putObjectTags(
  needs: ReplaceNeeds & InfoNeeds,
  bucket: BucketName,
  key: ObjectKey,
  tags: ObjectProperties["tags"],
  { check }: { readonly check?: (info: ObjectInfo) => void } = {},
): Promise<WrittenVersion> {
  const stream = await needs.streams.prepare(bucket);
  if (stream.fenced) throw new S3Error("OperationAborted", { BucketName: bucket });
  // Without tags the object info becomes shorter, which may use the reserve.
  if (Object.keys(tags).length > 0) await checkRoom(needs, stream, undefined);
  let found: StoredObject | undefined;
  await replace(needs, stream, key, {
    describe(before) {
      const object = existing(needs, stream, key, before);
      found ??= object;
      // The tags were meant for the object that was found first. Another one that was put since has its own.
      if (!isSame(found, object)) return { kind: "done", result: undefined };
      const { info, bytes: { nuid } } = object;
      check?.(info);
      if (before.raw === undefined) {
        throw new TypeError("An object that can be read has no object info");
      }
      const message = formatTagged(before.raw, tags, info.modified);
      const size = lengthOf({ ...info.properties, tags });
      const bytes = Buffer.byteLength(message) + MESSAGE_OVERHEAD;
      if (size > MAX_PROPERTIES || bytes > needs.requests.maxPayload) {
        throw new S3Error("MetadataTooLarge", { Size: size, MaxSizeAllowed: MAX_PROPERTIES });
      }
      return { kind: "object", nuid, message, isRewrite: true, result: undefined };
    },
    precondition: {},
    guard: undefined,
  });
  return { versionId: undefined };
}

/** Returns whether two readings of a key found one object. Flattening gives it another chunk group. */
function isSame(first: StoredObject, now: StoredObject): boolean {
  if (now.bytes.nuid === first.bytes.nuid) return true;
  return first.bytes.kind === "parts" && now.bytes.kind === "group" &&
    now.info.etag === first.info.etag && now.info.size === first.info.size &&
    now.info.modified.getTime() === first.info.modified.getTime();
}
