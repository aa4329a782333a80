/**
 * GetBucketLogging and PutBucketLogging: where the server access log of a bucket goes.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html
 *
 * An empty configuration ends logging. The gateway delivers logs itself, so the target bucket needs no permissions.
 * @module
 */

import { isS3Error, S3Error } from "../s3/errors.ts";
import { logObjectKey, type LogTarget, parseLogging } from "../s3/logging.ts";
import type { BucketName } from "../s3/names.ts";
import { regionOfUnsigned } from "../s3/region.ts";
import { formatXml } from "../s3/xml.ts";
import type { BucketInfo } from "../store/buckets.ts";
import { documentOperations } from "./bucket_document.ts";
import type { Call, Operation } from "./operation.ts";

export const bucketLogging: readonly Operation[] = documentOperations({
  kind: "logging",
  query: "logging",
  get: {
    name: "GetBucketLogging",
    action: "s3:GetBucketLogging",
    missing: { document: formatXml("BucketLoggingStatus", undefined) },
  },
  put: {
    name: "PutBucketLogging",
    action: "s3:PutBucketLogging",
    maxBytes: 64 * 1024,
    async validate(text, call) {
      const target = parseLogging(text);
      if (target === undefined) return undefined;
      await checkTarget(target, call);
      return text;
    },
  },
});

/** Throws unless log objects can be written to the target. */
async function checkTarget(
  target: LogTarget,
  { store, region, target: { bucket }, ownerOf = ({ owner }) => owner }: Pick<
    Call<"bucket", unknown>,
    "store" | "region" | "target" | "ownerOf"
  >,
): Promise<void> {
  const source = await store.readBucket(bucket);
  if (ownerOf(await readTarget(store, target.bucket)) !== ownerOf(source)) {
    throw new S3Error("InvalidTargetBucketForLogging", { TargetBucket: target.bucket }, {
      message: "The owner for the bucket to be logged and the target bucket must be the same.",
    });
  }
  // Any other key of a log object is as long.
  const time = new Date(0);
  const named = { account: "0".repeat(12), region: regionOfUnsigned(region), bucket };
  logObjectKey(target, named, { event: time, delivery: time }, "0".repeat(16));
}

async function readTarget(
  store: Call<"bucket", unknown>["store"],
  bucket: BucketName,
): Promise<BucketInfo> {
  try {
    return await store.readBucket(bucket);
  } catch (cause) {
    if (!isS3Error(cause, "NoSuchBucket", "InvalidBucketName")) throw cause;
    throw new S3Error("InvalidTargetBucketForLogging", { TargetBucket: bucket }, { cause });
  }
}
