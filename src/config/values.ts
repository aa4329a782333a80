/**
 * Parses texts of settings into values: words, numbers, sizes and durations.
 *
 * Errors say what is wrong with the text, to follow a colon: "it is not between 1 and 5".
 * @module
 */

import { ANY_REGION, isRegionName } from "../s3/region.ts";

/** Returns any text unchanged. */
export function parseText(text: string): string {
  return text;
}

/** Returns a parser that accepts one of these words. */
export function oneOf<const T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((choice) => choice === text);
    if (choice === undefined) throw new RangeError(`it is not one of ${choices.join(", ")}`);
    return choice;
  };
}

/** Parses a boolean as Go does. */
export function parseBoolean(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new RangeError("it is neither true nor false");
}

/** Splits a list at its commas. */
export function splitList(text: string): string[] {
  const items = text.split(",").map((item) => item.trim()).filter((item) => item !== "");
  if (items.length === 0) throw new RangeError("the list is empty");
  return items;
}

/** Parses one token of a subject. */
export function parseToken(text: string): string {
  if (!/^[^\s.*>]+$/.test(text)) throw new RangeError("it is not one token of a subject");
  return text;
}

/** Parses a subject without wildcards. */
export function parseSubject(text: string): string {
  if (!/^[^\s.*>]+(\.[^\s.*>]+)*$/.test(text)) {
    throw new RangeError("it is not a subject without wildcards");
  }
  return text;
}

/** Parses a subject that does not belong to NATS itself. */
export function parseAuditSubject(text: string): string {
  if (text.startsWith("$")) throw new RangeError("NATS reserves subjects that begin with $");
  return parseSubject(text);
}

/** Parses a number of replicas, 1 to 5. */
export function parseReplicas(text: string): number {
  if (!/^[1-5]$/.test(text)) throw new RangeError("it is not between 1 and 5");
  return Number(text);
}

/** Parses a number of objects, at least one. */
export function parseObjectLimit(text: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) {
    throw new RangeError("it is not a number from 1 to 999999999999999");
  }
  return Number(text);
}

/** Parses the name of a region, or `*` for any. */
export function parseRegion(text: string): string {
  if (text !== ANY_REGION && !isRegionName(text)) {
    throw new RangeError("it has characters other than letters, digits, hyphens, dots and _");
  }
  return text;
}

/** Parses a duration of at least a second into milliseconds. */
export function parseGrace(text: string): number {
  const milliseconds = parseDuration(text);
  // Leases live for whole seconds.
  if (milliseconds < 1000) throw new RangeError("it is less than 1s");
  return milliseconds;
}

/** Parses a duration of at least 100 ms into milliseconds. */
export function parseStall(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds < 100) throw new RangeError("it is less than 100ms");
  return milliseconds;
}

/** Parses a positive number. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new RangeError("it is not a number above 0");
  return Number(text);
}

/** Parses a positive number, or `off`. */
export function parseOptionalCount(text: string): number | "off" {
  return text === "off" ? "off" : parseCount(text);
}

/** Parses a percentage above 0 and at most 100, or `off`; returns a part of 1. */
export function parseShare(text: string): number | "off" {
  if (text === "off") return text;
  const percent = /^\d{1,3}%$/.test(text) ? Number.parseInt(text) : NaN;
  if (percent > 0 && percent <= 100) return percent / 100;
  throw new RangeError("it is neither a percentage such as 50% nor off");
}

const BYTE_UNITS = ["", "Ki", "Mi", "Gi", "Ti"];

/**
 * Parses a number of bytes with an optional unit, a power of 1024.
 *
 * @example Usage
 * ```ts
 * import { parseBytes } from "./values.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(parseBytes("10MiB"), 10_485_760);
 * ```
 */
export function parseBytes(text: string): number {
  const match = /^(\d{1,12}) ?(|Ki|Mi|Gi|Ti)B?$/.exec(text);
  const bytes = Number(match?.[1]) * 1024 ** BYTE_UNITS.indexOf(match?.[2] ?? "");
  if (match === null || bytes < 1 || !Number.isSafeInteger(bytes)) {
    throw new RangeError("it is not a number of bytes such as 500MiB or 10GiB");
  }
  return bytes;
}

/** Parses a duration of at most 15 minutes into milliseconds. */
export function parseClockSkew(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds > 15 * 60_000) throw new RangeError("it is more than 15m");
  return milliseconds;
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/**
 * Parses a duration in Go's notation into milliseconds.
 *
 * @example Usage
 * ```ts
 * import { parseDuration } from "./values.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(parseDuration("1m30s"), 90_000);
 * ```
 */
export function parseDuration(text: string): number {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) {
    throw new RangeError("it is not a duration such as 90s or 5m");
  }
  let sum = 0;
  for (const [, amount, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
    sum += Number(amount) * (UNITS[unit] ?? 0);
  }
  return sum;
}

/**
 * Parses pairs in OpenTelemetry's notation for headers and attributes.
 *
 * @example Usage
 * ```ts
 * import { parsePairs } from "./values.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(parsePairs("api-key=abc%3D, tenant=a"), { "api-key": "abc=", tenant: "a" });
 * ```
 */
export function parsePairs(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    splitList(text).map((pair) => {
      const [name = "", ...value] = pair.split("=");
      if (name.trim() === "" || value.length === 0) {
        throw new RangeError("it is not NAME=VALUE,… with other characters as %XX");
      }
      return [decodePercent(name.trim()), decodePercent(value.join("=").trim())];
    }),
  );
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError("it has a % that does not begin a character written as %XX");
  }
}

/** Parses a number from 0 to 1. */
export function parseRatio(text: string): number {
  if (!/^(0|1|[01]?\.\d+)$/.test(text) || Number(text) > 1) {
    throw new RangeError("it is not a number from 0 to 1");
  }
  return Number(text);
}
