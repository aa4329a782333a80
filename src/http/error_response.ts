/**
 * Renders errors: the one place that turns them into responses.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * @module
 */

import { Buffer } from "node:buffer";
import { isS3Error, S3Error } from "../s3/errors.ts";
import { formatXml } from "../s3/xml.ts";
import type { Log } from "../telemetry/log.ts";
import type { RequestRecord } from "../telemetry/request_record.ts";

/** The services that have a form of their own for errors. */
export type ErrorForm = "s3" | "control" | "sts" | "iam";

/** The namespaces of the documents of the query APIs. */
export const QUERY_NAMESPACES = {
  sts: "https://sts.amazonaws.com/doc/2011-06-15/",
  iam: "https://iam.amazonaws.com/doc/2010-05-08/",
} as const;

/** A request that failed: its record notes the error, and its log reports the failures that are our fault. */
export type FailedRequest = {
  readonly record: RequestRecord;
  /** Its signal aborts when the client has disconnected. */
  readonly request: { readonly signal: AbortSignal };
  readonly log: Pick<Log, "error">;
  /** The form of its error; that of S3 by default. */
  readonly form?: ErrorForm;
};

/** Returns the response to a request that failed. A cause that is not an S3Error becomes `InternalError`. */
export function errorResponse(cause: unknown, failed: FailedRequest): Response {
  const { record } = failed;
  const error = noteError(cause, failed);
  const { status } = error;
  const headers = new Headers(error.headers);
  if (status === 503 && !headers.has("retry-after")) headers.set("retry-after", "1");
  if (record.method === "HEAD" || status === 304) return new Response(null, { status, headers });

  const text = formatError(error, failed);
  const isQuery = failed.form === "sts" || failed.form === "iam";
  headers.set("content-type", isQuery ? "text/xml" : "application/xml");
  if (isQuery) headers.set("x-amzn-requestid", record.id);
  headers.set("content-length", String(Buffer.byteLength(text)));
  return new Response(text, { status, headers });
}

/** Returns the XML of an error, for a response that has begun. */
export function errorText(cause: unknown, failed: FailedRequest): string {
  return formatError(noteError(cause, failed), failed);
}

/** Returns the error to send, noted in the record and, if the fault is ours, in the log. */
export function noteError(cause: unknown, { record, request, log }: FailedRequest): S3Error {
  const error = isS3Error(cause) ? cause : unexpected(cause, request.signal);
  const { code, message, status } = error;
  record.code = code;
  record.status = status;
  if (status >= 500 && code !== "NotImplemented") {
    log.error("Failed", { code, message, cause: error.cause });
  }
  return error;
}

/** A failure after the client has disconnected is not ours, and no one reads the response. */
function unexpected(cause: unknown, signal: AbortSignal): S3Error {
  return new S3Error(signal.aborted ? "RequestTimeout" : "InternalError", {}, { cause });
}

function formatError(
  { code, message, fields, status }: S3Error,
  { record: { id, path }, form }: FailedRequest,
): string {
  if (form === "sts" || form === "iam") {
    const Type = status < 500 ? "Sender" : "Receiver";
    const error = { Type, Code: code, Message: message };
    return formatXml("ErrorResponse", { Error: error, RequestId: id }, QUERY_NAMESPACES[form]);
  }
  if (form === "control") {
    const error = { Code: code, Message: message, ...fields };
    return formatXml("ErrorResponse", { Error: error, RequestId: id, HostId: id }, "");
  }
  return formatXml("Error", {
    Code: code,
    Message: message,
    ...fields,
    Resource: path,
    RequestId: id,
    HostId: id,
  }, "");
}
