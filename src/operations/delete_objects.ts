/**
 * DeleteObjects: deletes up to 1,000 objects; each one succeeds or fails by itself.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 * @module
 */

import { mapAtOnce } from "../collections/map_at_once.ts";
import { namesETag } from "../s3/conditions.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import { parseETag } from "../s3/etag.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import type { LoggedPart } from "../s3/log_line.ts";
import { parseObjectKey } from "../s3/names.ts";
import { refuseVersionId } from "../s3/params.ts";
import { parseProtection } from "../s3/protections.ts";
import { xmlResponse } from "../s3/xml.ts";
import { childrenOf, optionalTextOf, parseXml, textOf, type XmlElement } from "../s3/xml_reader.ts";
import { readDocument } from "./bodies/document.ts";
import { type Call, definePublicOperation, type Operation } from "./operation.ts";

/** Maximum number of objects in one request. */
const MAX_OBJECTS = 1000;
/** Maximum number of tags in one document: an object that Amazon documents has 12. */
const MAX_TAGS = 20 * MAX_OBJECTS;
/** Deletions that run at a time. */
const CONCURRENT_DELETIONS = 128;

/** An object as the document names it, before it is checked. */
type Named = {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly etag: string | undefined;
  /** The object's size and time of modification, as conditions. */
  readonly size: string | undefined;
  readonly modified: string | undefined;
};

export const deleteObjects: Operation<"bucket"> = definePublicOperation<"bucket", Integrity>({
  name: "DeleteObjects",
  on: "bucket",
  method: "POST",
  query: ["delete"],
  heavy: true,
  action: "s3:DeleteObject",
  asksItself: true,

  parse({ headers }) {
    const integrity = parseIntegrity(headers);
    if (integrity.md5 === undefined && integrity.checksum === undefined) {
      throw new S3Error("InvalidRequest", {}, {
        message: "Missing required header for this request: Content-MD5",
      });
    }
    return integrity;
  },

  async handle(call) {
    const { target: { bucket }, input, store } = call;
    await store.readBucket(bucket); // before the document takes memory
    const { objects, quiet } = parseDelete(await readDocument(call, input));
    const errors = await mapAtOnce(
      objects,
      CONCURRENT_DELETIONS,
      (object) => deleteOne(call, object),
    );

    const deleted = objects.filter((_, i) => errors[i] === undefined);
    const response = xmlResponse("DeleteResult", {
      Deleted: quiet
        ? []
        : deleted.map(({ key, versionId }) => ({ Key: key, VersionId: versionId })),
      Error: objects.flatMap(({ key, versionId }, i) => {
        const error = errors[i];
        if (error === undefined) return [];
        return [{ Key: key, VersionId: versionId, Code: error.code, Message: error.message }];
      }),
    });
    const list = (): readonly LoggedPart[] =>
      objects.map(({ key }, i) => ({
        operation: "BATCH.DELETE.OBJECT",
        key,
        status: errors[i]?.status ?? 204,
        code: errors[i]?.code,
      }));
    return { response, parts: { bucket, list } };
  },
});

function parseDelete(text: string): { objects: readonly Named[]; quiet: boolean } {
  const root = parseXml(text, "Delete", MAX_TAGS);
  const objects = childrenOf(root, "Object").map(parseNamed);
  if (objects.length === 0 || objects.length > MAX_OBJECTS) throw new S3Error("MalformedXML");
  return { objects, quiet: optionalTextOf(root, "Quiet")?.trim().toLowerCase() === "true" };
}

function parseNamed(element: XmlElement): Named {
  return {
    key: textOf(element, "Key"),
    versionId: optionalTextOf(element, "VersionId"),
    etag: optionalTextOf(element, "ETag"),
    size: optionalTextOf(element, "Size"),
    modified: optionalTextOf(element, "LastModifiedTime"),
  };
}

/** Deletes an object; resolves to the error that its entry of the response shows, or undefined for success. */
async function deleteOne(
  { target: { bucket }, access, store }: Pick<
    Call<"bucket", unknown>,
    "target" | "access" | "store"
  >,
  { key: text, versionId, etag, size, modified }: Named,
): Promise<S3Error | undefined> {
  try {
    const key = parseObjectKey(text);
    const resource = { on: "object", bucket, key } as const;
    await access.allow({
      action: "s3:DeleteObject",
      resource,
      facts: { versionId, ifMatch: etag },
    });
    const compares = namesETag(etag) || size !== undefined || modified !== undefined;
    if (compares) await access.allow({ action: "s3:GetObject", resource });
    refuseVersionId(versionId);
    const precondition = {
      ...(etag !== undefined && { ifMatch: parseETag(etag) }),
      ...parseProtection(size, modified),
    };
    await store.deleteObject(bucket, key, { precondition });
    return undefined;
  } catch (failure) {
    const cause = access.conceal(failure, bucket);
    if (isS3Error(cause)) return cause;
    throw cause;
  }
}
