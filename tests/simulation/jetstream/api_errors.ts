/**
 * Errors of JetStream, in nats-server's words.
 * See https://github.com/nats-io/nats-server/blob/v2.15.2/server/errors.json
 * @module
 */

/** An error as JetStream's JSON has it. */
export type ApiError = {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
};

function error(err_code: number, code: number, description: string): ApiError {
  return { code, err_code, description };
}

/** Errors without parameters. */
export const ApiErrors = {
  badRequest: error(10003, 400, "bad request"),
  unavailable: error(10008, 503, "JetStream system temporarily unavailable"),
  consumerNotFound: error(10014, 404, "consumer not found"),
  noMessage: error(10037, 404, "no message found"),
  messageTooLarge: error(10054, 400, "message size exceeds maximum allowed"),
  streamMismatch: error(10056, 400, "stream name in subject does not match request"),
  nameInUse: error(10058, 400, "stream name already in use with a different configuration"),
  streamNotFound: error(10059, 404, "stream not found"),
  expectedStream: error(10060, 400, "expected stream does not match"),
  overlap: error(10065, 400, "subjects overlap with an existing stream"),
  sealed: error(10109, 400, "invalid operation on sealed stream"),
  wrongSequence: error(10164, 400, "wrong last sequence"),
  badTtl: error(10165, 400, "invalid per-message TTL"),
  noTtl: error(10166, 400, "per-message TTL is disabled"),
  noBatches: error(10174, 400, "atomic publish is disabled"),
  noBatchSequence: error(10175, 400, "atomic publish sequence is missing"),
  incompleteBatch: error(10176, 400, "atomic publish batch is incomplete"),
  badBatchId: error(10179, 400, "atomic publish batch ID is invalid"),
  noExpectedSequence: error(
    10193,
    400,
    "missing sequence for expected last sequence per subject",
  ),
  badCommit: error(10200, 400, "atomic publish batch commit is invalid"),
  duplicateConflict: error(10158, 409, "duplicate message id is in process"),
  duplicateInBatch: error(10201, 400, "atomic publish batch contains duplicate message id"),
  notEmpty: error(10042, 400, "expected an empty request payload"),
} as const;

/** The subject, or the stream, has another last sequence. */
export function wrongLast(sequence: number): ApiError {
  return error(10071, 400, `wrong last sequence: ${sequence}`);
}

/** The stream has another last message id. */
export function wrongLastId(id: string): ApiError {
  return error(10070, 400, `wrong last msg ID: ${id}`);
}

/** The stream is full. */
export function storeFailed(reason: string): ApiError {
  return error(10077, 503, reason);
}

/** A rollup is not allowed. */
export function rollupFailed(reason: string): ApiError {
  return error(10111, 500, reason);
}

/** A stream has no message of a sequence. */
export function sequenceNotFound(sequence: number): ApiError {
  return error(10043, 400, `sequence ${sequence} not found`);
}

/** A configuration makes no sense. */
export function invalidConfig(reason: string): ApiError {
  return error(10052, 500, reason);
}

/** A header may not stand in a batch. */
export function unsupportedHeader(header: string): ApiError {
  return error(10177, 400, `atomic publish unsupported header used: ${header}`);
}

/** A batch has too many messages. */
export function tooLargeBatch(size: number): ApiError {
  return error(10199, 400, `atomic publish batch is too large: ${size}`);
}

/** What the simulation does not do. */
export function notSimulated(what: string): ApiError {
  return error(19999, 501, `not simulated: ${what}`);
}

/** Thrown with the error that the server returns. It is no Error, whose stack would cost more than the request. */
export class Refused {
  readonly error: ApiError;

  constructor(error: ApiError) {
    this.error = error;
  }
}
