/**
 * Changes the tags of an object: rewrites its object info, by compare-and-set, around the same chunk group.
 *
 * A crash leaves the old tags or the new ones. Object lock does not protect tags, as on AWS.
 * @module
 */

import { Buffer } from "node:buffer";
import { isS3Error, S3Error } from "../../s3/errors.ts";
import type { ObjectProperties } from "../../s3/metadata.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { noSuchVersion, type VersionId } from "../../s3/version_id.ts";
import type { ObjectInfo, WrittenVersion } from "../../store/objects.ts";
import { checkRoom } from "../buckets/quota.ts";
import { lengthOf, MAX_PROPERTIES } from "../layout/info_metadata.ts";
import type { StoredObject } from "../layout/object_info.ts";
import { formatTagged } from "../layout/tagged_info.ts";
import type { RawInfo } from "../layout/unknown_fields.ts";
import { changeVersion } from "./change_version.ts";
import { existing, type InfoNeeds } from "./objects.ts";
import { replace } from "./replace.ts";
import type { ReplaceNeeds } from "./replacement.ts";

/** Bytes that a message has besides its text. */
const MESSAGE_OVERHEAD = 1024;

type TagOptions = {
  readonly versionId?: VersionId | undefined;
  readonly check?: (info: ObjectInfo) => void;
};

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
  { versionId, check }: TagOptions = {},
): Promise<WrittenVersion> {
  const stream = await needs.streams.prepare(bucket);
  if (stream.fenced) throw new S3Error("OperationAborted", { BucketName: bucket });
  // Without tags the object info becomes shorter, which may use the reserve.
  if (Object.keys(tags).length > 0) await checkRoom(needs, stream, undefined);
  if (versionId !== undefined) {
    return await changeVersion(needs, stream, key, versionId, (raw, { info }) => {
      check?.(info);
      return formatChecked(needs, raw, tags, info);
    });
  }
  let found: StoredObject | undefined;
  let isReplaced = false;
  const { result } = await replace<WrittenVersion>(needs, stream, key, {
    describe(before) {
      const object = existing(needs, stream, key, before);
      found ??= object;
      // The tags were meant for the object that was found first. Another one that was put since has its own.
      const result = { versionId: found.info.versionId };
      isReplaced = !isSame(found, object);
      if (isReplaced) return { kind: "done", result };
      const { info, bytes: { nuid } } = object;
      check?.(info);
      if (before.raw === undefined) {
        throw new TypeError("An object that can be read has no object info");
      }
      const message = formatChecked(needs, before.raw, tags, info);
      return { kind: "object", nuid, message, isRewrite: true, result };
    },
    precondition: {},
    guard: undefined,
  });
  const id = result.versionId;
  if (!isReplaced || found === undefined || id === undefined) return result;
  const tagged = found;
  try {
    // It is still there as a version that is not the current one.
    return await changeVersion(needs, stream, key, id, (raw, object) => {
      if (!isSame(tagged, object)) throw noSuchVersion(key, id);
      return formatChecked(needs, raw, tags, object.info);
    });
  } catch (cause) {
    // It was removed, as it may have been right after it got the tags.
    if (isS3Error(cause, "NoSuchVersion", "MethodNotAllowed")) return result;
    throw cause;
  }
}

/**
 * Returns object info with other tags.
 *
 * @throws S3Error `MetadataTooLarge`
 */
function formatChecked(
  { requests }: Pick<ReplaceNeeds, "requests">,
  raw: RawInfo,
  tags: ObjectProperties["tags"],
  info: ObjectInfo,
): string {
  const message = formatTagged(raw, tags, info.modified);
  const size = lengthOf({ ...info.properties, tags });
  const bytes = Buffer.byteLength(message) + MESSAGE_OVERHEAD;
  if (size > MAX_PROPERTIES || bytes > requests.maxPayload) {
    throw new S3Error("MetadataTooLarge", { Size: size, MaxSizeAllowed: MAX_PROPERTIES });
  }
  return message;
}

/** Returns whether two readings of a key found one object. Flattening gives it another chunk group. */
function isSame(first: StoredObject, now: StoredObject): boolean {
  if (now.bytes.nuid === first.bytes.nuid) return true;
  return first.bytes.kind === "parts" && now.bytes.kind === "group" &&
    now.info.etag === first.info.etag && now.info.size === first.info.size &&
    now.info.modified.getTime() === first.info.modified.getTime();
}
