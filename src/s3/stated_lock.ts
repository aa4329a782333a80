/**
 * Object lock as requests and documents state it: headers of writes, the documents of retention and legal hold, and the
 * configuration of a bucket.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
 *
 * Whether a date is in the future decides the store, whose clock counts.
 * @module
 */

import { S3Error } from "./errors.ts";
import type { RequestHeaders } from "./request_headers.ts";
import type { XmlValue } from "./xml.ts";
import { childrenOf, optionalTextOf, parseXml, textOf, type XmlElement } from "./xml_reader.ts";

/** Modes of retention. */
export type RetentionMode = "GOVERNANCE" | "COMPLIANCE";

/** The retention of one version. */
export type Retention = { readonly mode: RetentionMode; readonly until: Date };

/** The lock that the headers of a write state; undefined fields are not stated. */
export type StatedLock = {
  readonly retention?: Retention;
  readonly legalHold?: boolean;
};

/** The retention that versions of a bucket have if their writes state none. */
export type DefaultRetention =
  | { readonly mode: RetentionMode; readonly days: number }
  | { readonly mode: RetentionMode; readonly years: number };

/** The configuration of a bucket in which object lock is enabled. */
export type LockConfiguration = { readonly default?: DefaultRetention };

/** Headers of a write. */
const MODE = "x-amz-object-lock-mode";
const UNTIL = "x-amz-object-lock-retain-until-date";
const HOLD = "x-amz-object-lock-legal-hold";
/** Header that asks to be let past a lock in mode GOVERNANCE. */
export const BYPASS = "x-amz-bypass-governance-retention";

/** Longest default retention. */
const MAX_DAYS = 36_500;
const MAX_YEARS = 100;
const DAYS_PER_YEAR = 365;
/** More XML tags than a valid document has. */
const MAX_TAGS = 100;

/**
 * Parses the headers of a write; undefined if it states no lock.
 *
 * @throws S3Error `InvalidArgument`
 *
 * @example Usage
 * ```ts
 * import { parseLockHeaders } from "./stated_lock.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const headers = new Headers({ "x-amz-object-lock-legal-hold": "ON" });
 * deepStrictEqual(parseLockHeaders(headers), { legalHold: true });
 * ```
 */
export function parseLockHeaders(headers: Pick<RequestHeaders, "get">): StatedLock | undefined {
  const mode = headers.get(MODE);
  const until = headers.get(UNTIL);
  const hold = headers.get(HOLD);
  if (mode === null && until === null && hold === null) return undefined; // nearly all writes
  if ((mode === null) !== (until === null)) {
    const missing = mode === null ? MODE : UNTIL;
    throw invalid(missing, "", `${UNTIL} and ${MODE} must both be supplied`);
  }
  return {
    ...(mode !== null && until !== null && {
      retention: { mode: headerMode(mode), until: headerDate(until) },
    }),
    ...(hold !== null && { legalHold: headerHold(hold) }),
  };
}

function headerMode(text: string): RetentionMode {
  if (isMode(text)) return text;
  throw invalid(MODE, text, "Unknown wormMode directive.");
}

function headerDate(text: string): Date {
  const date = parseDateTime(text);
  if (date !== undefined) return date;
  throw invalid(UNTIL, text, "The retain until date must be provided in ISO 8601 format");
}

function headerHold(text: string): boolean {
  if (text === "ON" || text === "OFF") return text === "ON";
  throw invalid(HOLD, text, "Legal Hold must be either of 'ON' or 'OFF'");
}

/** Parses the header that asks to be let past a lock in mode GOVERNANCE; undefined without it. */
export function parseBypass(headers: Pick<RequestHeaders, "get">): boolean | undefined {
  const text = headers.get(BYPASS);
  return text === null ? undefined : text.toLowerCase() === "true";
}

/**
 * Parses the body of PutObjectRetention; undefined removes the retention.
 *
 * @throws S3Error `MalformedXML`
 */
export function parseRetention(text: string): Retention | undefined {
  const root = parseXml(text, "Retention", MAX_TAGS);
  if (root.children.length === 0) return undefined;
  const mode = textOf(root, "Mode");
  const until = parseDateTime(textOf(root, "RetainUntilDate").trim());
  if (!isMode(mode) || until === undefined) throw new S3Error("MalformedXML");
  return { mode, until };
}

/**
 * Parses the body of PutObjectLegalHold.
 *
 * @throws S3Error `MalformedXML`
 */
export function parseLegalHold(text: string): boolean {
  const status = textOf(parseXml(text, "LegalHold", MAX_TAGS), "Status");
  if (status === "ON" || status === "OFF") return status === "ON";
  throw new S3Error("MalformedXML");
}

/**
 * Parses the body of PutObjectLockConfiguration.
 *
 * @throws S3Error `MalformedXML`; `InvalidArgument` for a period that is not positive or too long
 */
export function parseLockConfiguration(text: string): LockConfiguration {
  const root = parseXml(text, "ObjectLockConfiguration", MAX_TAGS);
  if (textOf(root, "ObjectLockEnabled") !== "Enabled") throw new S3Error("MalformedXML");
  const [rule, ...others] = childrenOf(root, "Rule");
  if (others.length > 0) throw new S3Error("MalformedXML");
  if (rule === undefined) return {};
  const [retention, ...more] = childrenOf(rule, "DefaultRetention");
  if (retention === undefined || more.length > 0) throw new S3Error("MalformedXML");
  return { default: parseDefault(retention) };
}

function parseDefault(element: XmlElement): DefaultRetention {
  const mode = textOf(element, "Mode");
  const days = optionalTextOf(element, "Days");
  const years = optionalTextOf(element, "Years");
  if (!isMode(mode) || (days === undefined) === (years === undefined)) {
    throw new S3Error("MalformedXML");
  }
  return days !== undefined
    ? { mode, days: parsePeriod("Days", days, MAX_DAYS) }
    : { mode, years: parsePeriod("Years", years ?? "", MAX_YEARS) };
}

function parsePeriod(name: string, text: string, max: number): number {
  const digits = text.trim();
  if (!/^-?\d{1,10}$/.test(digits)) throw new S3Error("MalformedXML");
  const period = Number(digits);
  if (period <= 0) {
    throw invalid(name, digits, "Default retention period must be a positive integer value.");
  }
  if (period > max) throw invalid(name, digits, "Default retention period too large.");
  return period;
}

/** Returns the content of `<ObjectLockConfiguration>`. */
export function lockConfigurationElements({ default: retention }: LockConfiguration): XmlValue {
  const ObjectLockEnabled = "Enabled";
  if (retention === undefined) return { ObjectLockEnabled };
  const { mode: Mode } = retention;
  const DefaultRetention = "days" in retention
    ? { Mode, Days: retention.days }
    : { Mode, Years: retention.years };
  return { ObjectLockEnabled, Rule: { DefaultRetention } };
}

/** Returns the text under which a configuration is kept. */
export function formatKeptLock(configuration: LockConfiguration): string {
  return JSON.stringify(configuration);
}

/**
 * Parses a kept configuration, which somebody else may have written into the bucket's stream.
 *
 * @throws S3Error `InternalError` if nobody can read it
 */
export function parseKeptLock(text: string): LockConfiguration {
  const json = parseJson(text);
  const { default: retention } = json as { default?: Record<string, unknown> };
  if (retention === undefined) return {};
  if (typeof retention !== "object" || retention === null) throw unreadable();
  const { mode, days, years } = retention;
  if (!isMode(mode)) throw unreadable();
  if (isPeriod(days) && years === undefined) return { default: { mode, days } };
  if (isPeriod(years) && days === undefined) return { default: { mode, years } };
  throw unreadable();
}

function parseJson(text: string): object {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw unreadable(cause);
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  throw unreadable();
}

function isPeriod(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

function unreadable(cause?: unknown): S3Error {
  const message = "The objectLock configuration of the bucket cannot be read.";
  return new S3Error("InternalError", {}, { message, cause });
}

/** Returns the days of a default retention; a year counts 365. */
export function daysOf(retention: DefaultRetention): number {
  return "days" in retention ? retention.days : retention.years * DAYS_PER_YEAR;
}

/** Returns the error of a request about locks in a bucket without object lock. */
export function missingLockConfiguration(): S3Error {
  const message = "Bucket is missing Object Lock Configuration";
  return new S3Error("InvalidRequest", {}, { message });
}

function isMode(text: unknown): text is RetentionMode {
  return text === "GOVERNANCE" || text === "COMPLIANCE";
}

/** A date, or a date with a time and its zone, in ISO 8601. */
const DATE_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d))?$/;

function parseDateTime(text: string): Date | undefined {
  if (!DATE_TIME.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time);
}

function invalid(name: string, value: string, message: string): S3Error {
  const fields = { ArgumentName: name, ...(value !== "" && { ArgumentValue: value }) };
  return new S3Error("InvalidArgument", fields, { message });
}
