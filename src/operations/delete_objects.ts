/**
 * DeleteObjects: deletes up to 1,000 objects or versions; each one succeeds or fails by itself.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 *
 * The newest version of each key that the request names comes last: to remove the current version while older ones are left
 * makes the next one current, which is dear.
 * @module
 */

import { type Identity, ownerOf } from "../auth/identity.ts";
import { mapAtOnce } from "../collections/map_at_once.ts";
import { namesETag } from "../s3/conditions.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import { parseETag } from "../s3/etag.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import type { LoggedPart } from "../s3/log_line.ts";
import { parseObjectKey } from "../s3/names.ts";
import { parseBypass } from "../s3/stated_lock.ts";
import { parseProtection } from "../s3/protections.ts";
import { parseOrdinal, parseVersionId } from "../s3/version_id.ts";
import { xmlResponse, type XmlValue } from "../s3/xml.ts";
import { childrenOf, optionalTextOf, parseXml, textOf, type XmlElement } from "../s3/xml_reader.ts";
import type { Deleted } from "../store/objects.ts";
import { readDocument } from "./bodies/document.ts";
import { checkBypass } from "./bodies/lock.ts";
import { type Call, definePublicOperation, type Operation } from "./operation.ts";

/** Maximum number of objects in one request. */
const MAX_OBJECTS = 1000;
/** Maximum number of tags in one document: an object that Amazon documents has 12. */
const MAX_TAGS = 20 * MAX_OBJECTS;
/** Deletions that run at a time. */
const CONCURRENT_DELETIONS = 128;
/**
 * Removals of newest versions that run at a time. Each may put an older version in its place in one atomic batch. Of those
 * that have begun and not ended, nats-server holds 50 for a stream, unless its configuration says otherwise
 * (`max_inflight_per_stream`). It refuses the others.
 */
const CONCURRENT_PROMOTIONS = 32;

/** An object as the document names it, before it is checked. */
type Named = {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly etag: string | undefined;
  /** The object's size and time of modification, as conditions. */
  readonly size: string | undefined;
  readonly modified: string | undefined;
};

type Input = { readonly integrity: Integrity; readonly bypass: boolean | undefined };

export const deleteObjects: Operation<"bucket"> = definePublicOperation<"bucket", Input>({
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
    return { integrity, bypass: parseBypass(headers) };
  },

  async handle(call) {
    const { target: { bucket }, input: { integrity, bypass }, store } = call;
    await store.readBucket(bucket); // before the document takes memory
    const { objects, quiet } = parseDelete(await readDocument(call, integrity));
    await checkBypass(call, bypass);
    const results = new Map<Named, Deleted | S3Error>();
    const remove = async (object: Named): Promise<void> => {
      results.set(object, await deleteOne(call, object));
    };
    const [others, newest] = inOrder(objects);
    await mapAtOnce(others, CONCURRENT_DELETIONS, remove);
    await mapAtOnce(newest, CONCURRENT_PROMOTIONS, remove);

    const response = xmlResponse("DeleteResult", {
      Deleted: quiet ? [] : objects.flatMap((object) => deletedElement(object, results)),
      Error: objects.flatMap((object) => {
        const error = results.get(object);
        if (!(error instanceof S3Error)) return [];
        const { key, versionId } = object;
        return [{ Key: key, VersionId: versionId, Code: error.code, Message: error.message }];
      }),
    });
    const list = (): readonly LoggedPart[] =>
      objects.map((object) => loggedPart(object, results.get(object)));
    return { response, parts: { bucket, list } };
  },
});

/** Returns the objects in two groups, of which the second has the newest version of each key that is named. */
function inOrder(objects: readonly Named[]): readonly [readonly Named[], readonly Named[]] {
  const newest = new Map<string, number>();
  for (const { key, versionId } of objects) {
    const ordinal = parseOrdinal(versionId ?? "");
    if (ordinal !== undefined) newest.set(key, Math.max(ordinal, newest.get(key) ?? 0));
  }
  if (newest.size === 0) return [objects, []];
  const isLast = ({ key, versionId }: Named): boolean =>
    versionId !== undefined && parseOrdinal(versionId) === newest.get(key);
  return [objects.filter((object) => !isLast(object)), objects.filter(isLast)];
}

/** Returns the content of `<Deleted>` in a list, which is empty for an error. */
function deletedElement(
  object: Named,
  results: ReadonlyMap<Named, Deleted | S3Error>,
): readonly XmlValue[] {
  const result = results.get(object);
  if (result === undefined || result instanceof S3Error) return [];
  const { key: Key, versionId: VersionId } = object;
  if (!result.isMarker) return [{ Key, VersionId }];
  return [{ Key, VersionId, DeleteMarker: true, DeleteMarkerVersionId: result.versionId }];
}

function loggedPart(object: Named, result: Deleted | S3Error | undefined): LoggedPart {
  const operation = "BATCH.DELETE.OBJECT";
  const { key, versionId } = object;
  return result instanceof S3Error
    ? { operation, key, versionId, status: result.status, code: result.code }
    : { operation, key, versionId: result?.versionId, status: 204, code: undefined };
}

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

/** Deletes an object; resolves to what was done, or to the error that its entry of the response shows. */
async function deleteOne(
  { target: { bucket }, input: { bypass = false }, caller, access, store }: Call<
    "bucket",
    Input,
    Identity
  >,
  { key: text, versionId, etag, size, modified }: Named,
): Promise<Deleted | S3Error> {
  try {
    const key = parseObjectKey(text);
    const resource = { on: "object", bucket, key } as const;
    await access.allow({
      action: "s3:DeleteObject",
      resource,
      facts: { versionId, ifMatch: etag },
    });
    const facts = { versionId };
    const compares = namesETag(etag) || size !== undefined || modified !== undefined;
    if (compares) await access.allow({ action: "s3:GetObject", resource }); // the current version
    if (bypass) await access.allow({ action: "s3:BypassGovernanceRetention", resource, facts });
    const id = parseVersionId(versionId, key);
    const precondition = {
      ...(etag !== undefined && { ifMatch: parseETag(etag) }),
      ...parseProtection(size, modified),
    };
    const owner = ownerOf(caller);
    return await store.deleteObject(bucket, key, { precondition, versionId: id, bypass, owner });
  } catch (failure) {
    const cause = access.conceal(failure, bucket);
    if (isS3Error(cause)) return cause;
    throw cause;
  }
}
