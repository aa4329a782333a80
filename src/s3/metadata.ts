/**
 * The properties of an object: a client states them when it writes the object and receives them when it reads it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 *
 * We refuse every header that we cannot enforce and never ignore it: SSE-C, SSE-KMS, ACLs and grants that
 * widen access (unless `--bucket.acl-headers ignore` drops them), and the storage classes from which an object must be
 * restored before it can be read.
 * @module
 */

import { Buffer } from "node:buffer";
import { checkAclHeaders, type DropAcl } from "./acl.ts";
import { S3Error } from "./errors.ts";
import { decodeHeaderText, encodeHeaderText } from "./header_text.ts";
import type { S3Request } from "./request.ts";
import type { RequestHeaders } from "./request_headers.ts";
import { parseTagging } from "./tags.ts";

/** System headers that are kept and returned unchanged, by the name of their field in {@linkcode ObjectProperties}. */
export const SYSTEM_HEADERS = {
  contentType: "content-type",
  cacheControl: "cache-control",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  contentLanguage: "content-language",
  expires: "expires",
  websiteRedirect: "x-amz-website-redirect-location",
  storageClass: "x-amz-storage-class",
  encryption: "x-amz-server-side-encryption",
} as const;

/** Field names of {@linkcode SYSTEM_HEADERS}. */
export type SystemField = keyof typeof SYSTEM_HEADERS;

const SYSTEM_FIELDS = Object.entries(SYSTEM_HEADERS) as readonly [SystemField, string][];

/** The properties of an object. Texts are Unicode, already decoded from the header's bytes. */
export type ObjectProperties = {
  readonly system: Readonly<Partial<Record<SystemField, string>>>;
  /** User metadata: lower-case names without `x-amz-meta-`. */
  readonly user: Readonly<Record<string, string>>;
  /** Tags by their key. */
  readonly tags: Readonly<Record<string, string>>;
};

/** Prefix of user metadata's headers. */
const USER_PREFIX = "x-amz-meta-";
/** Maximum size of user metadata (names and values together) and of the values of system headers, in bytes. */
const MAX_USER_BYTES = 2048;
const MAX_SYSTEM_BYTES = 2048;
/** The type of an object that was written without a Content-Type. */
const DEFAULT_TYPE = "binary/octet-stream";

const STORAGE_CLASSES = [
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
];

/** A request that writes. */
type Write = Pick<S3Request, "headers" | "target">;

/** The settings that decide which headers of a write are supported. */
type WriteServices = {
  readonly encryptionAtRest: boolean;
  /** Undefined if ACLs that widen access are refused. */
  readonly dropAcl?: DropAcl | undefined;
};

/**
 * Parses the properties that the headers of a write state.
 *
 * @throws S3Error `MetadataTooLarge`, `InvalidStorageClass`, `InvalidArgument`, `InvalidTag`, and the errors of
 * {@linkcode refuseUnsupported}
 */
export function parseProperties(request: Write, services: WriteServices): ObjectProperties {
  refuseUnsupported(request, services, LOCK_HEADERS);
  const { headers } = request;
  const tagging = headers.get("x-amz-tagging");
  return {
    system: parseSystem(headers),
    user: parseUser(headers),
    tags: tagging === null ? {} : parseTagging(decodeHeaderText(tagging)),
  };
}

function parseSystem(headers: RequestHeaders): ObjectProperties["system"] {
  const system: Partial<Record<SystemField, string>> = {};
  let bytes = 0;
  for (const [field, header] of SYSTEM_FIELDS) {
    const value = headers.get(header);
    if (value === null || value === "") continue;
    bytes += value.length; // latin1: one character per byte
    system[field] = decodeHeaderText(value);
  }
  if (bytes > MAX_SYSTEM_BYTES) throw metadataTooLarge(bytes, MAX_SYSTEM_BYTES);
  const { contentEncoding, storageClass, websiteRedirect } = system;
  if (contentEncoding !== undefined) {
    const encoding = withoutAwsChunked(contentEncoding);
    if (encoding === "") delete system.contentEncoding;
    else system.contentEncoding = encoding;
  }
  if (storageClass !== undefined) {
    if (!STORAGE_CLASSES.includes(storageClass)) {
      throw new S3Error("InvalidStorageClass", { StorageClassRequested: storageClass });
    }
    // AWS does not return the default.
    if (storageClass === "STANDARD") delete system.storageClass;
  }
  if (websiteRedirect !== undefined && !/^(?:\/|https?:\/\/)/.test(websiteRedirect)) {
    throw new S3Error("InvalidRedirectLocation");
  }
  return system;
}

/** Removes `aws-chunked`, which describes the framing of the request and is not a property of the object. */
function withoutAwsChunked(encoding: string): string {
  return encoding.split(",").map((token) => token.trim())
    .filter((token) => token !== "" && token.toLowerCase() !== "aws-chunked").join(",");
}

function parseUser(headers: RequestHeaders): Readonly<Record<string, string>> {
  const user: [string, string][] = [];
  let bytes = 0;
  for (const [header, value] of headers) {
    if (!header.startsWith(USER_PREFIX)) continue;
    const name = header.slice(USER_PREFIX.length);
    const text = decodeHeaderText(value);
    bytes += Buffer.byteLength(name) + Buffer.byteLength(text);
    user.push([name, text]);
  }
  if (bytes > MAX_USER_BYTES) throw metadataTooLarge(bytes, MAX_USER_BYTES);
  return Object.fromEntries(user);
}

function metadataTooLarge(size: number, max: number): S3Error {
  return new S3Error("MetadataTooLarge", { Size: size, MaxSizeAllowed: max });
}

/**
 * Refuses headers of a write that ask for an unsupported feature.
 *
 * @param lockHeaders Headers of object lock that the operation knows.
 * @throws S3Error `NotImplemented`, `AccessControlListNotSupported`,
 * `InvalidArgument`, `InvalidEncryptionAlgorithmError`
 */
export function refuseUnsupported(
  request: Write,
  { encryptionAtRest, dropAcl }: WriteServices,
  lockHeaders: readonly string[] = [],
): void {
  checkAclHeaders(request, dropAcl);
  const { headers } = request;
  for (const name of headers.keys()) {
    if (name.includes(CUSTOMER_KEYS)) throw notImplemented(name);
    if (name.startsWith("x-amz-object-lock-") && !lockHeaders.includes(name)) {
      throw notImplemented(name);
    }
    if (name.startsWith("x-amz-server-side-encryption-") || name === "x-amz-write-offset-bytes") {
      throw notImplemented(name);
    }
  }
  const encryption = headers.get(SYSTEM_HEADERS.encryption);
  if (encryption === null || (encryption === "AES256" && encryptionAtRest)) return;
  if (encryption !== "AES256" && !/^aws:(?:kms|kms:dsse|fsx|backup)$/.test(encryption)) {
    throw new S3Error("InvalidEncryptionAlgorithmError", {
      ArgumentName: SYSTEM_HEADERS.encryption,
      ArgumentValue: encryption,
    });
  }
  throw notImplemented(SYSTEM_HEADERS.encryption);
}

const CUSTOMER_KEYS = "server-side-encryption-customer-";
/** The headers of object lock that those operations know which begin an object. */
const LOCK_HEADERS: readonly string[] = [
  "x-amz-object-lock-legal-hold",
  "x-amz-object-lock-mode",
  "x-amz-object-lock-retain-until-date",
];

/**
 * Refuses the headers of SSE-C, which reads can also carry.
 *
 * @throws S3Error `NotImplemented`
 */
export function refuseCustomerKeys(headers: RequestHeaders): void {
  for (const name of headers.keys()) {
    if (name.includes(CUSTOMER_KEYS)) throw notImplemented(name);
  }
}

/** Returns the error for a header that asks for an unsupported feature. */
export function notImplemented(header: string): S3Error {
  return new S3Error("NotImplemented", { Header: header });
}

/** Returns the response headers of an object's properties. Metadata whose name cannot be a header name is counted, not sent. */
export function formatProperties(
  { system, user, tags }: ObjectProperties,
): Record<string, string> {
  const headers: Record<string, string> = { "content-type": DEFAULT_TYPE };
  for (const [field, header] of SYSTEM_FIELDS) {
    const value = system[field];
    if (value !== undefined) headers[header] = encodeHeaderText(value);
  }
  let missing = 0;
  for (const [name, value] of Object.entries(user)) {
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
      headers[USER_PREFIX + name.toLowerCase()] = encodeHeaderText(value);
    } else missing++;
  }
  if (missing > 0) headers["x-amz-missing-meta"] = String(missing);
  const tagCount = Object.keys(tags).length;
  if (tagCount > 0) headers["x-amz-tagging-count"] = String(tagCount);
  return headers;
}
