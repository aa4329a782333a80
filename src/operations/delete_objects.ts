/**
 * DeleteObjects: deletes up to 1,000 objects; each succeeds or fails alone.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 * @module
 */

import { mapAtOnce } from "../collections/map_at_once.ts";
import { type Integrity, parseIntegrity } from "../s3/checksum.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import { parseETag } from "../s3/etag.ts";
import { type BucketName, parseObjectKey } from "../s3/names.ts";
import { refuseVersionId } from "../s3/params.ts";
import {
  childrenOf,
  optionalTextOf,
  parseXml,
  textOf,
  type XmlElement,
  xmlResponse,
} from "../s3/xml.ts";
import type { Store } from "../store/store.ts";
import { readDocument } from "./bodies/document.ts";
import { defineOperation, type Operation } from "./operation.ts";

/** Most objects of one request. */
const MAX_OBJECTS = 1000;
/** Deletions at a time. */
const CONCURRENCY = 128;

/** An object as the document names it, not yet checked. */
type Named = {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly etag: string | undefined;
  /** A condition that AWS has for directory buckets alone. */
  readonly condition: string | undefined;
};

export const deleteObjects: Operation<"bucket"> = defineOperation<"bucket", Integrity>({
  name: "DeleteObjects",
  on: "bucket",
  method: "POST",
  query: ["delete"],
  action: "s3:DeleteObject",

  parse({ headers }) {
    const integrity = parseIntegrity(headers);
    if (integrity.md5 === undefined && integrity.checksum === undefined) {
      throw new S3Error("InvalidRequest", {}, {
        message: "Missing required header for this request: Content-MD5",
      });
    }
    return integrity;
  },

  async handle({ target: { bucket }, input, payload, store }) {
    const { objects, quiet } = parseDelete(await readDocument(payload, input));
    await store.readBucket(bucket);
    const outcomes = await deleteAll(store, bucket, objects);

    const deleted = objects.filter((_, i) => outcomes[i] === undefined);
    return xmlResponse("DeleteResult", {
      Deleted: quiet
        ? []
        : deleted.map(({ key, versionId }) => ({ Key: key, VersionId: versionId })),
      Error: objects.flatMap(({ key, versionId }, i) => {
        const error = outcomes[i];
        if (error === undefined) return [];
        return [{ Key: key, VersionId: versionId, Code: error.code, Message: error.message }];
      }),
    });
  },
});

function parseDelete(text: string): { objects: readonly Named[]; quiet: boolean } {
  const root = parseXml(text, "Delete");
  const objects = childrenOf(root, "Object").map(parseNamed);
  if (objects.length === 0 || objects.length > MAX_OBJECTS) throw new S3Error("MalformedXML");
  return { objects, quiet: optionalTextOf(root, "Quiet")?.trim().toLowerCase() === "true" };
}

function parseNamed(element: XmlElement): Named {
  return {
    key: textOf(element, "Key"),
    versionId: optionalTextOf(element, "VersionId"),
    etag: optionalTextOf(element, "ETag"),
    condition: ["LastModifiedTime", "Size"].find((name) => childrenOf(element, name).length > 0),
  };
}

/** What became of each object: an error, or undefined for success. */
async function deleteAll(
  store: Store,
  bucket: BucketName,
  objects: readonly Named[],
): Promise<readonly (S3Error | undefined)[]> {
  return await mapAtOnce(objects, CONCURRENCY, (object) => deleteOne(store, bucket, object));
}

async function deleteOne(
  store: Store,
  bucket: BucketName,
  { key, versionId, etag, condition }: Named,
): Promise<S3Error | undefined> {
  try {
    refuseVersionId(versionId);
    if (condition !== undefined) throw new S3Error("NotImplemented");
    const precondition = etag === undefined ? {} : { ifMatch: parseETag(etag) };
    await store.deleteObject(bucket, parseObjectKey(key), precondition);
    return undefined;
  } catch (cause) {
    if (isS3Error(cause)) return cause;
    throw cause;
  }
}
