/**
 * The object lock of the bucket that a request is about, and the lock that a write gives to its version.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { Integrity } from "../../s3/integrity.ts";
import {
  BYPASS,
  daysOf,
  type LockConfiguration,
  missingLockConfiguration,
  parseKeptLock,
  type StatedLock,
} from "../../s3/stated_lock.ts";
import type { BucketName } from "../../s3/names.ts";
import type { LockInput } from "../../store/objects.ts";
import type { Call } from "../operation.ts";

type LockCall = {
  readonly target: { readonly bucket: BucketName };
  readonly store: Pick<Call<"bucket", unknown>["store"], "knownDocument" | "readDocument">;
};

/**
 * Returns the configuration of the bucket; undefined if object lock is not enabled. In most cases there is nothing to wait
 * for.
 */
export function lockConfigurationOf(
  { target: { bucket }, store }: LockCall,
): LockConfiguration | undefined | Promise<LockConfiguration | undefined> {
  const known = store.knownDocument(bucket, "objectLock");
  if (known === null) return undefined;
  if (known !== undefined) return parseKeptLock(known);
  return store.readDocument(bucket, "objectLock").then((text) =>
    text === undefined ? undefined : parseKeptLock(text)
  );
}

/**
 * Returns the lock of the version that a write makes: the one that its headers state, or the bucket's default retention. In
 * most cases there is none, and nothing to wait for.
 *
 * It throws or rejects with `InvalidRequest` if the headers state a lock in a bucket without object lock.
 */
export function lockOfWrite(
  call: LockCall,
  stated: StatedLock | undefined,
): LockInput | undefined | Promise<LockInput | undefined> {
  const configuration = lockConfigurationOf(call);
  return configuration instanceof Promise
    ? configuration.then((read) => chooseLock(read, stated))
    : chooseLock(configuration, stated);
}

function chooseLock(
  configuration: LockConfiguration | undefined,
  stated: StatedLock | undefined,
): LockInput | undefined {
  if (configuration === undefined) {
    if (stated === undefined) return undefined;
    throw missingLockConfiguration();
  }
  const { default: fallback } = configuration;
  if (stated?.retention !== undefined || fallback === undefined) return stated;
  return { ...stated, retention: { mode: fallback.mode, days: daysOf(fallback) } };
}

/**
 * Checks that a client which writes a locked object, or a part of one, states a hash of its bytes.
 *
 * @param request How Amazon names the request.
 * @throws S3Error `InvalidRequest`; `InvalidArgument` for an anonymous caller
 */
export function requireHash(
  lock: LockInput | undefined,
  { md5, checksum }: Integrity,
  isAnonymous: boolean,
  request: "Put Object" | "Put Part" = "Put Object",
): void {
  if (lock === undefined) return;
  if (isAnonymous) {
    throw new S3Error("InvalidArgument", { ArgumentName: "Authorization" }, {
      message: "Put Object requests with Object Lock parameters require AWS Signature Version 4",
    });
  }
  if (md5 !== undefined || checksum !== undefined) return;
  throw new S3Error("InvalidRequest", {}, {
    message:
      `Content-MD5 OR x-amz-checksum- HTTP header is required for ${request} requests with Object Lock parameters`,
  });
}

/**
 * Checks that a bucket has object lock if a deletion states whether it wants past a lock.
 *
 * @throws S3Error `InvalidArgument`
 */
export async function checkBypass(call: LockCall, bypass: boolean | undefined): Promise<void> {
  if (bypass === undefined || await lockConfigurationOf(call) !== undefined) return;
  throw new S3Error("InvalidArgument", { ArgumentName: BYPASS }, {
    message: `${BYPASS} is only applicable to Object Lock enabled buckets.`,
  });
}
