/**
 * When was a request signed, and is that now?
 * @module
 */

import { S3Error } from "../s3/errors.ts";

const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Parses `20130524T000000Z`; undefined for anything else. */
export function parseAmzDate(text: string): Date | undefined {
  const match = AMZ_DATE.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // A day that the month does not have rolls over, or is no date at all.
  return Number.isNaN(date.getTime()) || formatAmzDate(date) !== text ? undefined : date;
}

/** `20130524T000000Z` */
export function formatAmzDate(date: Date): string {
  return formatSeconds(date).replace(/[-:]/g, "");
}

/** `2013-05-24T00:00:00Z`, as error fields have it. */
export function formatSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/**
 * When a request with an `Authorization` header was signed: its `x-amz-date`, or its `Date`.
 *
 * @throws S3Error `AccessDenied`
 */
export function readRequestTime(headers: Headers): Date {
  const text = headers.get("x-amz-date") ?? headers.get("date") ?? "";
  const date = parseAmzDate(text) ?? new Date(Date.parse(text));
  if (Number.isNaN(date.getTime())) {
    throw new S3Error("AccessDenied", {}, {
      message: "AWS authentication requires a valid Date or x-amz-date header",
    });
  }
  return date;
}

/**
 * Checks that a request was signed about now.
 *
 * @param clockSkew In milliseconds, either way.
 * @throws S3Error `RequestTimeTooSkewed`
 */
export function checkRequestTime(date: Date, now: Date, clockSkew: number): void {
  if (Math.abs(now.getTime() - date.getTime()) <= clockSkew) return;
  throw new S3Error("RequestTimeTooSkewed", {
    RequestTime: formatAmzDate(date),
    ServerTime: formatSeconds(now),
    MaxAllowedSkewMilliseconds: clockSkew,
  });
}
