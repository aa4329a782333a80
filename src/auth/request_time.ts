/**
 * The time at which a request was signed, and the check that it is recent.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";

/** A time at which a request was signed. */
export type SignedTime = {
  readonly date: Date;
  /** `20130524T000000Z` */
  readonly timestamp: string;
};

const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Parses `20130524T000000Z`; returns undefined for anything else. */
export function parseAmzDate(text: string): Date | undefined {
  const match = AMZ_DATE.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1)
    .map(Number);
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // A day that the month does not have, or an hour that the day does not have, rolls over.
  const isExact = date.getUTCMonth() === month - 1 && date.getUTCDate() === day &&
    date.getUTCHours() === hour && date.getUTCMinutes() === minute && second < 60;
  return isExact && year >= 100 ? date : undefined;
}

/** Formats a time as `20130524T000000Z`. */
export function formatAmzDate(date: Date): string {
  const text = date.toISOString();
  const [day, time] = [text.slice(0, 10), text.slice(11, 19)];
  return `${day.replaceAll("-", "")}T${time.replaceAll(":", "")}Z`;
}

/** Formats a time as `2013-05-24T00:00:00Z`, for the fields of errors. */
export function formatSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** The text that was read last, and its time: all requests of one second state the same. */
let latest: { readonly text: string; readonly time: SignedTime } | undefined;

/**
 * Reads when a request with an `Authorization` header was signed: from `x-amz-date`, or else from `Date`.
 *
 * @throws S3Error `AccessDenied`
 */
export function readRequestTime(headers: RequestHeaders): SignedTime {
  const text = headers.get("x-amz-date") ?? headers.get("date") ?? "";
  if (text === latest?.text) return latest.time;
  const date = parseAmzDate(text) ?? new Date(Date.parse(text));
  if (Number.isNaN(date.getTime())) {
    throw new S3Error("AccessDenied", {}, {
      message: "AWS authentication requires a valid Date or x-amz-date header",
    });
  }
  const time = { date, timestamp: formatAmzDate(date) };
  latest = { text, time };
  return time;
}

/**
 * Checks that a request was signed recently.
 *
 * @param clockSkew Milliseconds that the client's clock may be off, in either direction.
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
