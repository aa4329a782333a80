/**
 * Reads the source of a copy, for CopyObject and UploadPartCopy.
 * @module
 */

import {
  checkCopySource,
  parseReadPrecondition,
  type ReadPrecondition,
} from "../../s3/conditions.ts";
import { type CopySource, parseCopySource } from "../../s3/copy_source.ts";
import { isS3Error, S3Error } from "../../s3/errors.ts";
import type { LoggedPart, LoggedParts } from "../../s3/log_line.ts";
import { MAX_PART_SIZE } from "../../s3/multipart.ts";
import { type ByteRange, parseCopyRange } from "../../s3/range.ts";
import type { RequestHeaders } from "../../s3/request_headers.ts";
import type { ContentInput } from "../../store/content.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import { sourceOfPiece } from "../../streams/byte_source.ts";
import type { Call } from "../operation.ts";

/** The source of a copy, and the conditions of reading it. */
export type CopyRead = CopySource & {
  readonly precondition: ReadPrecondition;
  /** `x-amz-copy-source-range` as sent; it is parsed against the source's size. */
  readonly range: string | null;
};

/**
 * Parses the headers that name a source.
 *
 * @throws S3Error `InvalidArgument`, `NoSuchVersion`, `NotImplemented`
 */
export function parseCopyRead(headers: RequestHeaders): CopyRead {
  return {
    ...parseCopySource(headers.get("x-amz-copy-source") ?? ""),
    precondition: parseReadPrecondition(headers, "x-amz-copy-source-"),
    range: headers.get("x-amz-copy-source-range"),
  };
}

/**
 * Begins to read a source, which the caller must be allowed to read. The stream has one owner, which reads it to its
 * end or cancels it.
 *
 * @param check Throws if the caller cannot copy this object. What it throws passes to the caller.
 * @throws S3Error `AccessDenied`, `NoSuchKey`, `PreconditionFailed`, `InvalidArgument`, `InvalidRequest` for more than
 * 5 GiB
 */
export async function readCopySource(
  { access, store }: Pick<Call<"object", unknown>, "access" | "store">,
  { bucket, key, versionId, precondition, range }: CopyRead,
  check?: (info: ObjectInfo) => void,
): Promise<{
  readonly info: ObjectInfo;
  readonly stream: ContentInput["stream"];
  readonly size: number;
}> {
  const facts = { versionId };
  await access.allowRead({
    action: "s3:GetObject",
    resource: { on: "object", bucket, key },
    facts,
  });
  let size = 0;
  const content = store.getObject(bucket, key, (info): ByteRange | "all" => {
    access.seen(info);
    checkCopySource(precondition, info);
    check?.(info);
    const chosen = range === null ? undefined : parseCopyRange(range, info.size);
    size = chosen === undefined ? info.size : chosen.end - chosen.start + 1;
    if (size > MAX_PART_SIZE) {
      throw new S3Error("InvalidRequest", {}, {
        message:
          `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PART_SIZE}`,
      });
    }
    return chosen ?? "all";
  }, { versionId }).catch((cause: unknown) => {
    throw access.conceal(asSourceError(cause), bucket);
  });
  const { info, body } = await content;
  return { info, stream: body instanceof ReadableStream ? body : sourceOfPiece(body), size };
}

/** Returns the error of a source that is a delete marker: its headers would seem to be about the copy. */
function asSourceError(cause: unknown): unknown {
  if (isS3Error(cause, "MethodNotAllowed")) {
    return new S3Error("InvalidRequest", {}, {
      message:
        "The source of a copy request may not specifically refer to a delete marker by version id.",
    });
  }
  if (!isS3Error(cause, "NoSuchKey")) return cause;
  return new S3Error("NoSuchKey", cause.fields, { cause });
}

/** Returns the header that names the version of a source; none in a bucket that never had versioning. */
export function copySourceHeader(
  { versionId }: Pick<ObjectInfo, "versionId">,
): Readonly<Record<string, string>> {
  return versionId === undefined ? {} : { "x-amz-copy-source-version-id": versionId };
}

/** Returns the line of an access log that a source has after it was copied: it was read. */
export function partsOfCopy(
  { bucket, key }: CopySource,
  { versionId }: Pick<ObjectInfo, "versionId">,
  operation: Extract<LoggedPart["operation"], `REST.COPY.${string}`>,
): LoggedParts {
  return { bucket, list: () => [{ operation, key, versionId, status: 200, code: undefined }] };
}
