/**
 * Errors of JetStream in S3's terms.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import type { BucketName } from "../s3/names.ts";
import {
  JetStreamCode,
  JetStreamError,
  NoResponders,
  NotConnected,
  NotPermitted,
  NotSent,
  Unanswered,
} from "./jetstream/errors.ts";
import { MaxPayloadTooSmall } from "./jetstream/max_payload.ts";

/**
 * Passes a promise on.
 *
 * @throws S3Error in the place of an error of JetStream
 */
export async function translateErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw toS3Error(cause);
  }
}

/**
 * Passes work on a bucket on. If no one responds, it looks whether the bucket is gone.
 *
 * @throws S3Error in the place of an error of JetStream
 */
export async function translateErrorsIn<T>(
  streams: { readonly read: (bucket: BucketName) => Promise<unknown> },
  bucket: BucketName,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof NoResponders) await translateErrors(streams.read(bucket));
    throw toS3Error(cause);
  }
}

const RETRY = { "Retry-After": "2" };

/** Returns an error of JetStream in S3's terms; other errors as they are. */
function toS3Error(cause: unknown): unknown {
  if (cause instanceof JetStreamError) {
    switch (cause.code) {
      case JetStreamCode.StreamNotFound:
        return new S3Error("NoSuchBucket", {}, { cause });
      case JetStreamCode.TooManyBatches:
        return new S3Error("SlowDown", {}, { cause, headers: { "Retry-After": "10" } });
      case JetStreamCode.StreamSealed:
        return new S3Error("AccessDenied", {}, { cause, message: "The bucket is sealed." });
      case JetStreamCode.StoreFailed:
        return new S3Error("QuotaExceeded", {}, { cause, message: "The bucket is full." });
      case JetStreamCode.AccountResourcesExceeded:
      case JetStreamCode.InsufficientResources:
      case JetStreamCode.MemoryResourcesExceeded:
      case JetStreamCode.StorageResourcesExceeded:
        return new S3Error("QuotaExceeded", {}, {
          cause,
          message: "The JetStream account or server has no storage left.",
        });
    }
    if (cause.status === 503) {
      return new S3Error("ServiceUnavailable", {}, { cause, headers: RETRY });
    }
    return new S3Error("InternalError", {}, { cause });
  }
  if (cause instanceof NotPermitted) {
    return new S3Error("ServiceUnavailable", {}, {
      cause,
      headers: RETRY,
      message: "The gateway lacks a NATS permission; its log names it.",
    });
  }
  if (cause instanceof MaxPayloadTooSmall) {
    return new S3Error("ServiceUnavailable", {}, {
      cause,
      headers: RETRY,
      message: "The NATS server accepts only small messages; the gateway's log names the setting.",
    });
  }
  if (
    cause instanceof NoResponders || cause instanceof NotConnected ||
    cause instanceof NotSent || cause instanceof Unanswered
  ) {
    return new S3Error("ServiceUnavailable", {}, { cause, headers: RETRY });
  }
  return cause;
}
