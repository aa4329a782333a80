/**
 * Times of messages: nanoseconds since 1970, which a number cannot hold.
 * @module
 */

/** A time in milliseconds since 1970, and nanoseconds of less than a millisecond. */
export type StoredTime = { readonly ms: number; readonly ns: number };

/** The time of a stream without messages, as Go writes it. */
export const NO_TIME = "0001-01-01T00:00:00Z";

/** The second that was written last. */
let lastSecond = NaN;
let lastText = "";

/** Returns a time as JetStream's JSON has it: without zeros at the end. */
export function formatTime({ ms, ns }: StoredTime): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = new Date(ms).toISOString().slice(0, 19);
  }
  // With a digit before it that keeps its zeros.
  let digits = String(1e9 + (ms % 1000) * 1e6 + ns);
  if (ns % 10 === 0) digits = digits.replace(/0+$/, "");
  return `${lastText}${digits.length === 1 ? "" : `.${digits.slice(1)}`}Z`;
}

/** Returns a time as consumers send it: nanoseconds. */
export function formatNanoseconds({ ms, ns }: StoredTime): string {
  return `${ms}${String(ns).padStart(6, "0")}`;
}

/** Returns nanoseconds of a duration as Go writes it, such as `1h30m` or `1.5s`; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^\+?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit = ""] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(number) * (UNITS[unit] ?? NaN);
  }
  return sum;
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  "µs": 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
