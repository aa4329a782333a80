/**
 * The HTML pages of a site's errors. They show everything that an error of the S3 API shows.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
 * @module
 */

import { Buffer } from "node:buffer";
import { type FailedRequest, noteError } from "../http/error_response.ts";
import type { S3Error } from "../s3/errors.ts";
import { encodeHeaderText } from "../s3/header_text.ts";

/** The names of the statuses that errors have (RFC 9110, section 15). */
const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  411: "Length Required",
  412: "Precondition Failed",
  416: "Requested Range Not Satisfiable",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};

/** Maximum number of characters of a detail in a header. A path that is no key may be longer, and is on the page alone. */
const MAX_DETAIL = 1024;

/**
 * Returns the response to a request that failed. A cause that is not an S3Error becomes `InternalError`.
 *
 * @param second The error that the site's own error document led to, if there is one.
 */
export function errorPage(cause: unknown, failed: FailedRequest, second?: S3Error): Response {
  const { record } = failed;
  const error = noteError(cause, failed);
  const { status } = error;
  const headers = new Headers(error.headers);
  if (status === 503 && !headers.has("retry-after")) headers.set("retry-after", "1");
  if (status === 304) return new Response(null, { status, headers });

  const page = formatPage(error, record.id, second);
  for (const [name, value] of Object.entries(errorHeaders(error))) headers.set(name, value);
  headers.set("content-type", "text/html; charset=utf-8");
  headers.set("content-length", String(Buffer.byteLength(page)));
  return new Response(record.method === "HEAD" ? null : page, { status, headers });
}

/** Returns the headers by which a site tells programs about an error. */
export function errorHeaders({ code, message, fields }: S3Error): Record<string, string> {
  const headers: Record<string, string> = {
    "x-amz-error-code": code,
    "x-amz-error-message": encodeHeaderText(message),
  };
  for (const [name, value] of Object.entries(fields)) {
    const text = String(value);
    if (text.length <= MAX_DETAIL) headers[`x-amz-error-detail-${name}`] = encodeHeaderText(text);
  }
  return headers;
}

function formatPage(error: S3Error, requestId: string, second: S3Error | undefined): string {
  const title = `${error.status} ${STATUS_TEXT[error.status] ?? ""}`.trim();
  const ids = [["RequestId", requestId], ["HostId", requestId]] as const;
  const also = second === undefined
    ? ""
    : "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n" +
      formatList(itemsOf(second));
  return `<html>\n<head><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n` +
    `${formatList([...itemsOf(error), ...ids])}${also}<hr/>\n</body>\n</html>\n`;
}

type Item = readonly [name: string, value: string];

function itemsOf({ code, message, fields }: S3Error): readonly Item[] {
  const others = Object.entries(fields).map(([name, value]): Item => [name, String(value)]);
  return [["Code", code], ["Message", message], ...others];
}

function formatList(items: readonly Item[]): string {
  const lines = items.map(([name, value]) => `<li>${name}: ${escapeHtml(value)}</li>\n`);
  return `<ul>\n${lines.join("")}</ul>\n`;
}

const ESCAPED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Escapes text for HTML.
 *
 * @example Usage
 * ```ts
 * import { escapeHtml } from "./error_page.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(escapeHtml('<a href="x">&'), "&lt;a href=&quot;x&quot;&gt;&amp;");
 * ```
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ESCAPED[char] ?? "");
}
