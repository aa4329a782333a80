/**
 * What JetStream answers when it refuses, and what that is in S3's words.
 * Codes: https://github.com/nats-io/nats-server/blob/main/server/errors.json
 *
 * Translation goes by error code, never by message text.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { CallFailure } from "../../telemetry/metrics/jetstream.ts";

/** JetStream's error codes that mean something here. */
export const JetStreamCode = {
  AccountResourcesExceeded: 10002,
  TemporarilyUnavailable: 10008,
  InsufficientResources: 10023,
  MessageNotFound: 10037,
  StorageResourcesExceeded: 10047,
  StreamStoreFailed: 10049,
  StreamNameInUse: 10058,
  StreamNotFound: 10059,
  WrongLastSequence: 10071,
  StoreFailed: 10077,
  StreamSealed: 10109,
  TooManyBatches: 10176,
  WrongLastSequenceConstant: 10164,
} as const;

/** JetStream answered with an error: the request was definitely refused. */
export class JetStreamError extends Error {
  override readonly name = "JetStreamError";
  readonly code: number;
  readonly status: number;

  constructor(code: number, status: number, description: string, subject: string) {
    super(`JetStream refused "${subject}": ${description} (${code})`);
    this.code = code;
    this.status = status;
  }
}

/** Nobody listens on the subject: no such stream, or no JetStream, or no permission. Nothing was done. */
export class NoResponders extends Error {
  override readonly name = "NoResponders";

  constructor(subject: string) {
    super(`Nobody answers on "${subject}"`);
  }
}

/** The connection was down before the request was sent. Nothing was done. */
export class NotConnected extends Error {
  override readonly name = "NotConnected";

  constructor() {
    super("Not connected to NATS");
  }
}

/** The NATS user may not publish on the subject. Nothing was done. */
export class NotPermitted extends Error {
  override readonly name = "NotPermitted";

  constructor(subject: string) {
    super(`The NATS user has no permission to publish on "${subject}"`);
  }
}

/** No answer came: the request may have been carried out, or may yet be. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";

  constructor(subject: string, reason: string) {
    super(`No answer on "${subject}": ${reason}; does the NATS user have the permission?`);
  }
}

/** Whether a publish was refused because its subject has moved on from the expected sequence. */
export function isConflict(cause: unknown): boolean {
  return cause instanceof JetStreamError &&
    (cause.code === JetStreamCode.WrongLastSequence ||
      cause.code === JetStreamCode.WrongLastSequenceConstant);
}

/** Whether a publish was refused because the bucket, the account or the server has no room. */
export function isFull(cause: unknown): boolean {
  return cause instanceof JetStreamError && (FULL as readonly number[]).includes(cause.code);
}

const FULL = [
  JetStreamCode.AccountResourcesExceeded,
  JetStreamCode.InsufficientResources,
  JetStreamCode.StorageResourcesExceeded,
  JetStreamCode.StoreFailed,
];

/** Whether the request cannot have been carried out. */
export function isDefinite(cause: unknown): boolean {
  return cause instanceof JetStreamError || cause instanceof NoResponders ||
    cause instanceof NotConnected || cause instanceof NotPermitted;
}

/** What kind of failure it was, in a word; undefined for a message that is not there, which is no failure. */
export function failureOf(cause: unknown): CallFailure | undefined {
  if (cause instanceof JetStreamError) {
    if (cause.code === JetStreamCode.MessageNotFound) return undefined;
    if (isConflict(cause)) return "conflict";
    if (isFull(cause)) return "full";
    return cause.status === 503 ? "unavailable" : "refused";
  }
  if (cause instanceof NoResponders) return "no_responders";
  if (cause instanceof NotConnected) return "not_connected";
  if (cause instanceof NotPermitted) return "not_permitted";
  return cause instanceof Unanswered ? "unanswered" : "other";
}

const RETRY = { "Retry-After": "2" };

/** An error of JetStream in S3's words; others pass as they are. */
export function toS3Error(cause: unknown): unknown {
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
  if (
    cause instanceof NoResponders || cause instanceof NotConnected || cause instanceof Unanswered
  ) {
    return new S3Error("ServiceUnavailable", {}, { cause, headers: RETRY });
  }
  return cause;
}
