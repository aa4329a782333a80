/**
 * Times in records.
 * @module
 */

/** The beginnings of an ISO 8601 time and of an HTTP date. `Date.parse` alone makes years of small numbers. */
const BEGINNING = /^(?:\d{4}-\d\d-\d\d(?:T|$)|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} )/;

/** Reads a time with a year of four digits, which all clients understand; returns undefined for anything else. */
export function parseTime(text: unknown): Date | undefined {
  if (typeof text !== "string" || text.length > 64 || !BEGINNING.test(text)) return undefined;
  const time = new Date(text);
  const year = time.getUTCFullYear(); // NaN for an invalid date
  return year >= 0 && year <= 9999 ? time : undefined;
}
