/**
 * Conditions, ranges and response headers, which GetObject and HeadObject share.
 *
 * One part of an object (`partNumber`) is returned as a range, as AWS does it. `x-amz-checksum-mode` shows the checksum
 * of a part if the range is exactly that part and the object's checksum is made of its parts' checksums.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 * @module
 */

import type { Checksum } from "../../s3/checksum_algorithms.ts";
import { formatChecksumHeaders } from "../../s3/checksum_headers.ts";
import {
  checkRead,
  isSameForRange,
  parseReadPrecondition,
  type ReadPrecondition,
} from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import { quoteETag } from "../../s3/etag.ts";
import { encodeHeaderText } from "../../s3/header_text.ts";
import { formatProperties, refuseCustomerKeys } from "../../s3/metadata.ts";
import { parsePartNumber } from "../../s3/names.ts";
import { versionIdParam } from "../../s3/params.ts";
import { type ByteRange, formatContentRange, parseRange } from "../../s3/range.ts";
import type { VerifiedRequest } from "../../s3/verified_request.ts";
import type { VersionId } from "../../s3/version_id.ts";
import type { InfoOptions, ObjectInfo } from "../../store/objects.ts";

/** Query parameters that replace response headers, and the headers that they replace. */
const OVERRIDES = {
  "response-content-type": "content-type",
  "response-content-language": "content-language",
  "response-expires": "expires",
  "response-cache-control": "cache-control",
  "response-content-disposition": "content-disposition",
  "response-content-encoding": "content-encoding",
} as const;

/** The bytes and headers of an object that a request asks for. */
export type ObjectRead = {
  /** Undefined for the current version. */
  readonly versionId: VersionId | undefined;
  readonly precondition: ReadPrecondition;
  /** `Range` as sent; it is parsed against the object's size. */
  readonly range: string | null;
  /** `If-Range` as sent: the range is read only if the object is still this one. */
  readonly ifRange: string | null;
  readonly partNumber: number | undefined;
  readonly withChecksum: boolean;
  /** Response headers by name. */
  readonly overrides: readonly (readonly [header: string, text: string])[];
};

/**
 * Parses a GetObject or HeadObject request.
 *
 * @throws S3Error `NoSuchVersion`, `InvalidArgument`, `InvalidRequest`, `NotImplemented` for SSE-C
 */
export function parseObjectRead(
  request: Pick<VerifiedRequest, "headers" | "query"> & Partial<Pick<VerifiedRequest, "target">>,
): ObjectRead {
  const { headers, query } = request;
  const versionId = versionIdParam(request);
  refuseUnknownOverrides(query);
  refuseCustomerKeys(headers);
  const range = headers.get("range");
  const partNumber = query.get("partNumber");
  if (range !== null && partNumber !== undefined) {
    throw new S3Error("InvalidRequest", {}, {
      message: "Cannot specify both Range header and partNumber query parameter",
    });
  }
  return {
    versionId,
    precondition: parseReadPrecondition(headers),
    range,
    ifRange: headers.get("if-range"),
    partNumber: partNumber === undefined ? undefined : parsePartNumber(partNumber),
    withChecksum: headers.get("x-amz-checksum-mode")?.toUpperCase() === "ENABLED",
    overrides: Object.entries(OVERRIDES).flatMap(([name, header]) => {
      const text = query.get(name);
      return text === undefined ? [] : [[header, text] as const];
    }),
  };
}

function refuseUnknownOverrides(query: VerifiedRequest["query"]): void {
  for (const [name, value] of query) {
    if (!name.startsWith("response-") || Object.hasOwn(OVERRIDES, name)) continue;
    throw new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: value }, {
      message: `${name} is not in the set of overridable response headers. ` +
        "Please refer to the S3 API documentation for a complete list of overridable response headers.",
    });
  }
}

/** Returns the version and which additional facts the response needs: the checksums of parts, if it may show one of them. */
export function infoOptions(
  { versionId, withChecksum, partNumber, range }: ObjectRead,
): InfoOptions {
  const partChecksums = withChecksum && (partNumber !== undefined || range !== null);
  return { versionId, partChecksums };
}

/**
 * Checks the conditions and returns the range to read; `"nothing"` is an empty part.
 *
 * Parts are counted from 1, regardless of the numbers under which they were uploaded: AWS's pages do not say how gaps
 * count.
 *
 * @throws S3Error `PreconditionFailed`, `NotModified`, `InvalidRange`, `InvalidPartNumber`
 */
export function chooseRange(read: ObjectRead, info: ObjectInfo): ByteRange | "all" | "nothing" {
  checkRead(read.precondition, info);
  if (read.partNumber === undefined) {
    const range = isSameForRange(read.ifRange, info) ? read.range : null;
    return parseRange(range, info.size) ?? "all";
  }

  // An object that was put in one piece counts as one part.
  const sizes = info.partSizes ?? [info.size];
  const size = sizes[read.partNumber - 1];
  if (size === undefined) {
    throw new S3Error("InvalidPartNumber", {
      PartNumberRequested: read.partNumber,
      ActualPartCount: sizes.length,
    });
  }
  if (size === 0) return "nothing";
  const start = sizes.slice(0, read.partNumber - 1).reduce((sum, size) => sum + size, 0);
  return { start, end: start + size - 1 };
}

/** Returns status and headers of the response. */
export function objectAnswer(
  read: ObjectRead,
  info: ObjectInfo,
  range: ByteRange | "all" | "nothing",
): { readonly status: number; readonly headers: Record<string, string> } {
  const headers = formatProperties(info.properties);
  headers["accept-ranges"] = "bytes";
  headers["etag"] = quoteETag(info.etag);
  headers["last-modified"] = info.modified.toUTCString();
  headers["content-length"] = String(lengthOf(range, info.size));
  if (typeof range === "object") headers["content-range"] = formatContentRange(range, info.size);
  if (read.withChecksum) {
    Object.assign(headers, formatChecksumHeaders(checksumOf(read, info, range)));
  }
  if (read.partNumber !== undefined && info.partSizes !== undefined) {
    headers["x-amz-mp-parts-count"] = String(info.partSizes.length);
  }
  if (info.retention !== undefined) {
    headers["x-amz-object-lock-mode"] = info.retention.mode;
    headers["x-amz-object-lock-retain-until-date"] = info.retention.until.toISOString();
  }
  if (info.versionId !== undefined) headers["x-amz-version-id"] = info.versionId;
  if (info.legalHold !== undefined) {
    headers["x-amz-object-lock-legal-hold"] = info.legalHold ? "ON" : "OFF";
  }
  for (const [header, text] of read.overrides) headers[header] = encodeHeaderText(text);
  return { status: typeof range === "object" ? 206 : 200, headers };
}

/** Returns the checksum of these bytes. SDKs check the bytes against it unless it ends with `-<parts>`. */
function checksumOf(
  { partNumber }: ObjectRead,
  { size, checksum, partSizes = [], partChecksums = [] }: ObjectInfo,
  range: ByteRange | "all" | "nothing",
): Checksum | undefined {
  // If the checksum is FULL_OBJECT, S3 shows none for a part, because a client would mistake it for the object's.
  if (checksum?.type === "COMPOSITE") {
    const index = partNumber === undefined ? partAt(partSizes, range) : partNumber - 1;
    const value = partChecksums[index];
    if (value !== undefined) return { ...checksum, value };
    if (partNumber !== undefined) return undefined;
  }
  return lengthOf(range, size) === size ? checksum : undefined;
}

/** Returns the index of the part that is exactly this range; -1 for none. */
function partAt(partSizes: readonly number[], range: ByteRange | "all" | "nothing"): number {
  if (typeof range !== "object") return -1;
  let end = 0;
  return partSizes.findIndex((size) => {
    end += size;
    return end - size === range.start && end - 1 === range.end;
  });
}

function lengthOf(range: ByteRange | "all" | "nothing", size: number): number {
  if (range === "all") return size;
  return range === "nothing" ? 0 : range.end - range.start + 1;
}
