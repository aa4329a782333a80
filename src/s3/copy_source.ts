/**
 * The source of a copy: `x-amz-copy-source`.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 * @module
 */

import { S3Error } from "./errors.ts";
import { decodeHeaderText } from "./header_text.ts";
import { type BucketName, type ObjectKey, parseBucketName, parseObjectKey } from "./names.ts";
import { decodePercent } from "./request.ts";
import { parseVersionId, type VersionId } from "./version_id.ts";

/** The object to copy. */
export type CopySource = {
  readonly bucket: BucketName;
  readonly key: ObjectKey;
  /** Undefined for the current version. */
  readonly versionId?: VersionId;
};

/**
 * Parses the header: bucket and key, percent-encoded. A leading slash and a final `?versionId=` with an id are optional. A `+`
 * means itself.
 *
 * @throws S3Error `InvalidArgument`, `NoSuchVersion`, `NotImplemented` for access points
 *
 * @example Usage
 * ```ts
 * import { parseCopySource } from "./copy_source.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(parseCopySource("/my-bucket/a%20b"), { bucket: "my-bucket", key: "a b" });
 * ```
 */
export function parseCopySource(header: string): CopySource {
  const raw = decodeHeaderText(header);
  if (/^\/?arn(?::|%3a)/i.test(raw)) {
    throw new S3Error("NotImplemented", { Header: "x-amz-copy-source" }, {
      message: "Access points are not implemented",
    });
  }
  const [, path = "", version] = /^(.*?)(?:\?versionId=([^?]*))?$/s.exec(raw) ?? [];

  const text = decodeSource(path, raw).replace(/^\//, "");
  const slash = text.indexOf("/");
  if (slash < 1 || slash === text.length - 1) throw malformed(raw);
  const bucket = parseBucketName(text.slice(0, slash));
  const key = parseObjectKey(text.slice(slash + 1));
  const versionId = parseVersionId(version, key);
  return {
    bucket,
    key,
    ...(versionId !== undefined && { versionId }),
  };
}

function decodeSource(path: string, raw: string): string {
  try {
    return decodePercent(path);
  } catch (cause) {
    throw malformed(raw, cause);
  }
}

function malformed(value: string, cause?: unknown): S3Error {
  return new S3Error("InvalidArgument", {
    ArgumentName: "x-amz-copy-source",
    ArgumentValue: value,
  }, {
    message: "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    cause,
  });
}
