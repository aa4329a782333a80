/**
 * Names that requests carry: buckets, keys, upload ids and part numbers.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 * and https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 *
 * Each is a branded type that only its parse function creates, so a value of the type has been checked.
 * @module
 */

import { S3Error } from "./errors.ts";

declare const brand: unique symbol;

/** Name of a bucket: a valid name of S3, or the name of a native object store to which no valid name maps. */
export type BucketName = string & { readonly [brand]: "BucketName" };
/** Key of an object: 1 to 1,024 bytes of UTF-8. */
export type ObjectKey = string & { readonly [brand]: "ObjectKey" };
/** Id of a multipart upload: one token of `[A-Za-z0-9_-]{1,64}`. */
export type UploadId = string & { readonly [brand]: "UploadId" };
/** Number of a part: 1 to 10,000. */
export type PartNumber = number & { readonly [brand]: "PartNumber" };

/** Maximum length of an object key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;
/** The highest part number. */
export const MAX_PART_NUMBER = 10_000;

const S3_NAME = /^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/;
const IP_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;
const STORE_NAME = /^[A-Za-z0-9_-]{1,255}$/;
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;
const RESERVED = /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/**
 * Returns whether CreateBucket accepts this name.
 *
 * @example Usage
 * ```ts
 * import { isS3BucketName } from "./names.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(isS3BucketName("my.bucket"), true);
 * strictEqual(isS3BucketName("My_Bucket"), false);
 * ```
 */
export function isS3BucketName(text: string): boolean {
  return S3_NAME.test(text) && !IP_ADDRESS.test(text) && !RESERVED.test(text);
}

/**
 * Parses the name of a bucket. Names of native object stores (capitals, underscores) pass also; the store decides whether
 * a name has the one spelling that works.
 *
 * @throws S3Error `InvalidBucketName`
 */
export function parseBucketName(text: string): BucketName {
  if (!isS3BucketName(text) && !STORE_NAME.test(text)) {
    throw new S3Error("InvalidBucketName", { BucketName: text });
  }
  return text as BucketName;
}

const encoder = new TextEncoder();

/**
 * Parses an object key, already percent-decoded.
 *
 * @throws S3Error `KeyTooLongError`, with the sizes in bytes
 */
export function parseObjectKey(text: string): ObjectKey {
  if (text.length > MAX_KEY_BYTES / 3) {
    const size = encoder.encode(text).length;
    if (size > MAX_KEY_BYTES) {
      throw new S3Error("KeyTooLongError", { Size: size, MaxSizeAllowed: MAX_KEY_BYTES });
    }
  }
  if (text === "") throw new S3Error("InvalidArgument", {}, { message: "Key must not be empty" });
  return text as ObjectKey;
}

/**
 * Parses an upload id.
 *
 * @throws S3Error `NoSuchUpload`, also for text that cannot be an id
 */
export function parseUploadId(text: string | undefined): UploadId {
  if (text === undefined || !TOKEN.test(text)) {
    throw new S3Error("NoSuchUpload", { UploadId: text ?? "" });
  }
  return text as UploadId;
}

/**
 * Parses a part number.
 *
 * @throws S3Error `InvalidArgument`
 */
export function parsePartNumber(text: string | undefined): PartNumber {
  const number = text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MAX_PART_NUMBER) {
    throw new S3Error(
      "InvalidArgument",
      { ArgumentName: "partNumber", ArgumentValue: text ?? "" },
      {
        message: `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive`,
      },
    );
  }
  return number as PartNumber;
}
