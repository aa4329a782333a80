/**
 * The ways in which a call of JetStream fails.
 * Codes: https://github.com/nats-io/nats-server/blob/main/server/errors.json
 *
 * The gateway distinguishes failures by error code, never by message text.
 * @module
 */

import type { CallFailure } from "../../telemetry/metrics/jetstream.ts";

/** The error codes of JetStream that this gateway distinguishes. */
export const JetStreamCode = {
  AccountResourcesExceeded: 10002,
  NoSuitablePeers: 10005,
  TemporarilyUnavailable: 10008,
  InsufficientResources: 10023,
  MemoryResourcesExceeded: 10028,
  MessageNotFound: 10037,
  StorageResourcesExceeded: 10047,
  StreamStoreFailed: 10049,
  StreamNameInUse: 10058,
  StreamNotFound: 10059,
  WrongLastSequence: 10071,
  StoreFailed: 10077,
  ReplicasNotSupported: 10074,
  StreamSealed: 10109,
  ReconfigurationInProgress: 10226,
  BatchesDisabled: 10174,
  TooManyBatches: 10176,
  WrongLastSequenceConstant: 10164,
} as const;

/** JetStream responded with an error: it refused the request and did nothing. */
export class JetStreamError extends Error {
  override readonly name = "JetStreamError";
  readonly code: number;
  readonly status: number;
  /** JetStream's own words. */
  readonly description: string;

  constructor(code: number, status: number, description: string, subject: string) {
    super(`JetStream refused "${subject}": ${description} (${code})`);
    this.code = code;
    this.status = status;
    this.description = description;
  }
}

/** No one listens on the subject: there is no such stream, no JetStream or no permission. Nothing was done. */
export class NoResponders extends Error {
  override readonly name = "NoResponders";

  constructor(subject: string) {
    super(`No one responds on "${subject}"`);
  }
}

/** The connection was down before the request was sent. Nothing was done. */
export class NotConnected extends Error {
  override readonly name = "NotConnected";

  constructor() {
    super("Not connected to NATS");
  }
}

/** The NATS user may not publish on the subject, or not subscribe to the one of the responses. Nothing was done. */
export class NotPermitted extends Error {
  override readonly name = "NotPermitted";

  constructor(subject: string, action: "publish on" | "subscribe to" = "publish on") {
    super(`The NATS user has no permission to ${action} "${subject}"`);
  }
}

/** The client could not send the message: it is larger than `max_payload`, or the connection is closed. Nothing was done. */
export class NotSent extends Error {
  override readonly name = "NotSent";

  constructor(subject: string, cause: unknown) {
    super(`Cannot publish on "${subject}": ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** No response came: JetStream may have carried the request out, or may still do so. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";

  constructor(subject: string, reason: string) {
    super(`No response on "${subject}": ${reason}; does the NATS user have the permission?`);
  }
}

/** Returns whether JetStream refused a publish because its subject has moved on from the expected sequence. */
export function isConflict(cause: unknown): boolean {
  return cause instanceof JetStreamError &&
    (cause.code === JetStreamCode.WrongLastSequence ||
      cause.code === JetStreamCode.WrongLastSequenceConstant);
}

/** Returns whether a leader responded that it has no such message. */
export function isMissing(cause: unknown): boolean {
  return cause instanceof JetStreamError && cause.status === 404 &&
    cause.code === JetStreamCode.MessageNotFound;
}

/** Returns whether JetStream refused a publish because the bucket, the account or the server is full. */
export function isFull(cause: unknown): boolean {
  return cause instanceof JetStreamError && (FULL as readonly number[]).includes(cause.code);
}

const FULL = [
  JetStreamCode.AccountResourcesExceeded,
  JetStreamCode.InsufficientResources,
  JetStreamCode.MemoryResourcesExceeded,
  JetStreamCode.StorageResourcesExceeded,
  JetStreamCode.StoreFailed,
];

/** Returns whether the request certainly was not carried out. */
export function isDefinite(cause: unknown): boolean {
  return cause instanceof JetStreamError || cause instanceof NoResponders ||
    cause instanceof NotConnected || cause instanceof NotPermitted || cause instanceof NotSent;
}

/** Returns the kind of a failure; undefined for a missing message, which is not a failure. */
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
