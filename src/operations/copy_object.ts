/**
 * CopyObject: copies an object in one piece, or replaces its metadata.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 *
 * The copy keeps the source's checksum algorithm unless the request names another; without either it gets the default
 * one. Its checksum is always that of the
 * whole object, even if the source's is composite.
 * @module
 */

import type { ChecksumAlgorithm } from "../s3/checksum_algorithms.ts";
import { checksumElement, parseChecksumAlgorithm } from "../s3/checksum_headers.ts";
import { parseWritePrecondition, type WritePrecondition } from "../s3/conditions.ts";
import { S3Error } from "../s3/errors.ts";
import { quoteETag } from "../s3/etag.ts";
import { type ObjectProperties, parseProperties } from "../s3/metadata.ts";
import { parseLockHeaders, type StatedLock } from "../s3/stated_lock.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";
import { NULL_VERSION } from "../s3/version_id.ts";
import { xmlResponse } from "../s3/xml.ts";
import { encryptionHeader } from "./answers/encryption.ts";
import { expirationHeader } from "./answers/lifecycle.ts";
import { versionHeader } from "./answers/version.ts";
import {
  type CopyRead,
  copySourceHeader,
  parseCopyRead,
  partsOfCopy,
  readCopySource,
} from "./bodies/copied.ts";
import { lockOfWrite } from "./bodies/lock.ts";
import { allowTags, hasTags } from "./bodies/tags.ts";
import { defineOperation, type Operation } from "./operation.ts";

type Input = {
  readonly source: CopyRead;
  readonly precondition: WritePrecondition;
  /** The properties that the headers state; the directives decide which of them replace the source's. */
  readonly stated: ObjectProperties;
  /** The lock that the headers state; the copy never takes the source's. */
  readonly lock: StatedLock | undefined;
  readonly replaceMetadata: boolean;
  readonly replaceTags: boolean;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumDefault: ChecksumAlgorithm | undefined;
  /** Whether a version is copied onto its own key without a change, which makes it the current one. */
  readonly bringsBack: boolean;
};

/** Headers that make a copy of an object onto itself a change. */
const CHANGES: readonly string[] = [
  "x-amz-storage-class",
  "x-amz-website-redirect-location",
  "x-amz-server-side-encryption",
];

export const copyObject: Operation<"object"> = defineOperation<"object", Input>({
  name: "CopyObject",
  on: "object",
  method: "PUT",
  headers: ["x-amz-copy-source"],
  slow: true,
  action: "s3:PutObject",

  parse(request, services) {
    const { headers, target } = request;
    const source = { ...parseCopyRead(headers), range: null };
    const replaceMetadata = isReplace(headers, "metadata");
    const algorithm = parseAlgorithm(headers);
    const changesNothing = target.on === "object" && target.bucket === source.bucket &&
      target.key === source.key && !replaceMetadata && algorithm === undefined &&
      !CHANGES.some((name) => headers.has(name));
    if (changesNothing && source.versionId === undefined) throw changedNothing();
    return {
      source,
      precondition: parseWritePrecondition(headers),
      stated: parseProperties(request, services),
      lock: parseLockHeaders(headers),
      replaceMetadata,
      replaceTags: isReplace(headers, "tagging"),
      algorithm,
      checksumDefault: services.checksumDefault,
      bringsBack: changesNothing,
    };
  },

  async handle(call) {
    const { target: { bucket, key }, input, caller, client: { signal }, access, store } = call;
    const { source, precondition, stated, algorithm, checksumDefault } = input;
    if (input.bringsBack && source.versionId === NULL_VERSION) {
      // Where nothing has versions, `null` is the object itself.
      if (await store.readDocument(bucket, "versioning") === undefined) throw changedNothing();
    }
    if (input.replaceTags) allowTags(call, stated);
    const lock = await lockOfWrite(call, input.lock);
    const { info, stream, size } = await readCopySource(call, source, ({ properties }) => {
      if (input.replaceTags || !hasTags(properties)) return;
      const resource = { on: "object", bucket: source.bucket, key: source.key } as const;
      // The object was seen, so there is nothing to wait for.
      const facts = { versionId: source.versionId };
      access.allow({ action: "s3:GetObjectTagging", resource, facts });
      allowTags(call, properties);
    });
    const properties = copiedProperties(info.properties, stated, input);
    const written = await store.putObject(bucket, key, {
      content: {
        stream,
        size,
        algorithm: algorithm ?? info.checksum?.algorithm ?? checksumDefault,
        verify: () => {},
      },
      properties,
      owner: caller.accessKeyId,
      precondition,
      lock,
      signal,
    });
    const { etag, modified, checksum, versionId } = written;

    const response = xmlResponse("CopyObjectResult", {
      LastModified: modified,
      ETag: quoteETag(etag),
      ChecksumType: checksum?.type,
      ...(checksum !== undefined && { [checksumElement(checksum.algorithm)]: checksum.value }),
    }, {
      headers: {
        ...encryptionHeader(properties),
        ...versionHeader(written),
        ...await expirationHeader(call, written),
        ...copySourceHeader(info),
      },
    });
    const parts = partsOfCopy(source, info, "REST.COPY.OBJECT_GET");
    return { response, outcome: { key, size, etag, versionId }, parts };
  },
});

function changedNothing(): S3Error {
  return new S3Error("InvalidRequest", {}, {
    message:
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  });
}

function isReplace(headers: RequestHeaders, what: "metadata" | "tagging"): boolean {
  const name = `x-amz-${what}-directive`;
  const directive = headers.get(name);
  if (directive === null || directive === "COPY") return false;
  if (directive === "REPLACE") return true;
  throw new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: directive }, {
    message: `Unknown ${what} directive.`,
  });
}

function parseAlgorithm(headers: RequestHeaders): ChecksumAlgorithm | undefined {
  const named = headers.get("x-amz-checksum-algorithm");
  return named === null ? undefined : parseChecksumAlgorithm(named);
}

function copiedProperties(
  source: ObjectProperties,
  stated: ObjectProperties,
  directives: { readonly replaceMetadata: boolean; readonly replaceTags: boolean },
): ObjectProperties {
  // The copy never takes these from the source.
  const { storageClass: _1, websiteRedirect: _2, encryption: _3, ...described } = source.system;
  const { storageClass, websiteRedirect, encryption } = stated.system;
  const own = {
    ...(storageClass !== undefined && { storageClass }),
    ...(websiteRedirect !== undefined && { websiteRedirect }),
    ...(encryption !== undefined && { encryption }),
  };
  const { replaceMetadata, replaceTags } = directives;
  return {
    system: replaceMetadata ? stated.system : { ...described, ...own },
    user: replaceMetadata ? stated.user : source.user,
    tags: replaceTags ? stated.tags : source.tags,
  };
}
