/**
 * GetObjectLockConfiguration and PutObjectLockConfiguration: whether versions in a bucket can be locked, and the retention
 * that those have for which a write states none.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
 *
 * As on AWS, a bucket that exists gets object lock this way if its versioning is enabled, and keeps it for good. The header
 * `x-amz-bucket-object-lock-token`, which AWS once demanded for that, has no effect.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import type { BucketName } from "../s3/names.ts";
import {
  formatKeptLock,
  lockConfigurationElements,
  parseKeptLock,
  parseLockConfiguration,
} from "../s3/stated_lock.ts";
import { xmlResponse } from "../s3/xml.ts";
import type { BucketDocuments } from "../store/documents.ts";
import { readDocument } from "./bodies/document.ts";
import { requireIntegrity } from "./bodies/required_hash.ts";
import { defineOperation, type Operation } from "./operation.ts";

/** Maximum size of a document, in bytes: far more than a valid one has. */
const MAX_BYTES = 64 * 1024;

const EVERYWHERE = { everywhere: true } as const;

const getObjectLockConfiguration = defineOperation<"bucket", void>({
  name: "GetObjectLockConfiguration",
  action: "s3:GetBucketObjectLockConfiguration",
  on: "bucket",
  method: "GET",
  query: ["object-lock"],
  parse: () => {},
  async handle({ target: { bucket }, store }) {
    const kept = await store.readDocument(bucket, "objectLock");
    if (kept === undefined) {
      throw new S3Error("ObjectLockConfigurationNotFoundError", { BucketName: bucket });
    }
    return xmlResponse("ObjectLockConfiguration", lockConfigurationElements(parseKeptLock(kept)));
  },
});

const putObjectLockConfiguration = defineOperation<"bucket", Integrity>({
  name: "PutObjectLockConfiguration",
  action: "s3:PutBucketObjectLockConfiguration",
  on: "bucket",
  method: "PUT",
  query: ["object-lock"],
  parse: ({ headers }) => parseIntegrity(headers),
  async handle(call) {
    const { input, store, target: { bucket } } = call;
    requireIntegrity(input);
    const text = await readDocument(call, input, MAX_BYTES);
    await changeLock(store, bucket, formatKeptLock(parseLockConfiguration(text)));
    return new Response(null);
  },
});

/** See the like in `bucket_versioning.ts`: whoever suspends versioning at the same time finds this document, or this the other. */
async function changeLock(store: BucketDocuments, bucket: BucketName, text: string): Promise<void> {
  const requireVersioning = async (): Promise<void> => {
    if (await store.readDocument(bucket, "versioning") !== "Enabled") throw unversioned();
  };
  const kept = await store.readDocument(bucket, "objectLock");
  if (kept === text) return;
  await requireVersioning();
  await store.putDocument(bucket, "objectLock", text, EVERYWHERE);
  if (kept !== undefined) return;
  try {
    await requireVersioning();
  } catch (cause) {
    await store.deleteDocument(bucket, "objectLock", EVERYWHERE);
    throw cause;
  }
}

function unversioned(): S3Error {
  return new S3Error("InvalidBucketState", {}, {
    message: "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
  });
}

export const bucketObjectLock: readonly Operation[] = [
  getObjectLockConfiguration,
  putObjectLockConfiguration,
];
