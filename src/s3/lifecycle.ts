/**
 * Lifecycle: which versions and uploads of a bucket expire by its rules, and when.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configuration-examples.html
 *
 * Every time that counts days is rounded up to the next midnight UTC. Of several rules, the one with the earliest time wins,
 * and of those the first.
 * @module
 */

import type { TagSet } from "./tags.ts";

/** Milliseconds. */
export const LIFECYCLE_DAY: number = 24 * 60 * 60 * 1000;

/** What a rule applies to. An absent field selects everything. */
export type LifecycleFilter = {
  /** How the document states it: `prefix` is the older form, outside of `<Filter>`. */
  readonly form: "filter" | "and" | "prefix";
  readonly prefix?: string | undefined;
  readonly tags: TagSet;
  /** Bytes; the size must be more, and less. */
  readonly sizeAbove?: number | undefined;
  readonly sizeBelow?: number | undefined;
};

/** When current versions expire; `markers` removes delete markers that are the last of their key. */
export type LifecycleExpiration =
  | { readonly days: number }
  | { readonly date: Date }
  | { readonly markers: boolean };

/** A rule. */
export type LifecycleRule = {
  readonly id: string;
  readonly isEnabled: boolean;
  readonly filter: LifecycleFilter;
  readonly expiration?: LifecycleExpiration | undefined;
  /** `newer` is the number of noncurrent versions that stay, the latest ones, however old they are. */
  readonly noncurrent?: { readonly days: number; readonly newer?: number | undefined } | undefined;
  /** Days after which an upload that is not complete is aborted. */
  readonly abortDays?: number | undefined;
};

/** The facts about a version that filters look at. */
export type LifecycleSubject = {
  readonly key: string;
  /** Bytes; 0 for a delete marker. */
  readonly size: number;
  /** Undefined if they are not known: rules that need them apply. */
  readonly tags: TagSet | undefined;
};

/** When something expires, and the rule that says so. */
export type Expiry = { readonly at: Date; readonly rule: LifecycleRule };

/**
 * Returns when a current version expires; undefined for never.
 *
 * @param modified When it was written.
 * @param day Milliseconds of a day.
 *
 * @example Usage
 * ```ts
 * import { expiryOfObject } from "./lifecycle.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const filter = { form: "filter", prefix: "logs/", tags: new Map() } as const;
 * const rule = { id: "old", isEnabled: true, filter, expiration: { days: 3 } };
 * const subject = { key: "logs/a", size: 1, tags: new Map() };
 * const expiry = expiryOfObject([rule], subject, new Date("2014-01-15T10:30:00Z"));
 * deepStrictEqual(expiry?.at, new Date("2014-01-19T00:00:00Z"));
 * ```
 */
export function expiryOfObject(
  rules: readonly LifecycleRule[],
  subject: LifecycleSubject,
  modified: Date,
  day: number = LIFECYCLE_DAY,
): Expiry | undefined {
  return earliest(rules, subject, ({ expiration }) => {
    if (expiration === undefined || "markers" in expiration) return undefined;
    return "date" in expiration ? expiration.date : midnight(modified, expiration.days, day);
  });
}

/**
 * Returns when a delete marker goes of which no other version is left; undefined for never. A rule that expires objects removes
 * such markers also, when they are as old as the objects.
 *
 * @param modified When it was written.
 * @param day Milliseconds of a day.
 */
export function expiryOfMarker(
  rules: readonly LifecycleRule[],
  key: string,
  modified: Date,
  day: number = LIFECYCLE_DAY,
): Expiry | undefined {
  return earliest(rules, { key, size: 0, tags: NO_TAGS }, ({ expiration }) => {
    if (expiration === undefined) return undefined;
    if ("markers" in expiration) return expiration.markers ? modified : undefined;
    return "date" in expiration ? expiration.date : midnight(modified, expiration.days, day);
  });
}

/**
 * Returns when a noncurrent version or a noncurrent delete marker goes for good; undefined for never.
 *
 * @param since When the next version took its place.
 * @param newer Number of noncurrent versions of its key that are newer.
 * @param day Milliseconds of a day.
 */
export function expiryOfNoncurrent(
  rules: readonly LifecycleRule[],
  subject: LifecycleSubject,
  { since, newer }: { readonly since: Date; readonly newer: number },
  day: number = LIFECYCLE_DAY,
): Expiry | undefined {
  return earliest(rules, subject, ({ noncurrent }) => {
    if (noncurrent === undefined || newer < (noncurrent.newer ?? 0)) return undefined;
    return midnight(since, noncurrent.days, day);
  });
}

/**
 * Returns when an upload is aborted; undefined for never.
 *
 * @param initiated When it began.
 * @param day Milliseconds of a day.
 */
export function expiryOfUpload(
  rules: readonly LifecycleRule[],
  key: string,
  initiated: Date,
  day: number = LIFECYCLE_DAY,
): Expiry | undefined {
  return earliest(rules, { key, size: 0, tags: NO_TAGS }, ({ abortDays }) => {
    return abortDays === undefined ? undefined : midnight(initiated, abortDays, day);
  });
}

const NO_TAGS: TagSet = new Map();

function earliest(
  rules: readonly LifecycleRule[],
  subject: LifecycleSubject,
  timeOf: (rule: LifecycleRule) => Date | undefined,
): Expiry | undefined {
  let found: Expiry | undefined;
  for (const rule of rules) {
    if (!rule.isEnabled || !applies(rule.filter, subject)) continue;
    const at = timeOf(rule);
    if (at !== undefined && (found === undefined || at < found.at)) found = { at, rule };
  }
  return found;
}

function applies(
  { prefix = "", tags, sizeAbove = -1, sizeBelow = Infinity }: LifecycleFilter,
  subject: LifecycleSubject,
): boolean {
  if (!subject.key.startsWith(prefix)) return false;
  if (subject.size <= sizeAbove || subject.size >= sizeBelow) return false;
  const known = subject.tags;
  return known === undefined || tags.entries().every(([key, value]) => known.get(key) === value);
}

/** Returns a time some days later, rounded up to the end of a day. */
function midnight(time: Date, days: number, day: number): Date {
  const at = Math.ceil((time.getTime() + days * day) / day) * day;
  return new Date(Math.min(at, LAST));
}

/** The last time that a Date can have, in milliseconds. */
const LAST = 8.64e15;

/** Returns whether a rule that is in force looks at tags, which a listing does not show. */
export function needsTags(rules: readonly LifecycleRule[]): boolean {
  return rules.some(({ isEnabled, filter }) => isEnabled && filter.tags.size > 0);
}

/** Returns the value of `x-amz-expiration`. */
export function formatExpiration({ at, rule }: Expiry): string {
  return `expiry-date="${at.toUTCString()}", rule-id="${encodeURIComponent(rule.id)}"`;
}

/** Returns the headers that say when an upload is aborted; none for never. */
export function abortHeaders(expiry: Expiry | undefined): Readonly<Record<string, string>> {
  if (expiry === undefined) return {};
  return {
    "x-amz-abort-date": expiry.at.toUTCString(),
    "x-amz-abort-rule-id": encodeURIComponent(expiry.rule.id),
  };
}
