/**
 * The lifecycle configuration of a bucket as a document.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
 *
 * Rules without an id get one.
 * @module
 */

import type { LifecycleExpiration, LifecycleFilter, LifecycleRule } from "./lifecycle.ts";
import { argument, invalid, malformed, parseRule } from "./lifecycle_rule.ts";
import { formatXml, type XmlValue } from "./xml.ts";
import { optionalTextOf, parseXml, type XmlElement } from "./xml_reader.ts";

/** Values of the header {@linkcode MINIMUM_SIZE}; the first is the default. */
const MINIMUM_SIZES = ["all_storage_classes_128K", "varies_by_storage_class"] as const;
/** Which small objects transitions leave alone. It is kept for its readers and has no effect. */
export type MinimumSize = typeof MINIMUM_SIZES[number];
/** The header of requests and answers that has it. */
export const MINIMUM_SIZE = "x-amz-transition-default-minimum-object-size";

/** A configuration. */
export type LifecycleConfiguration = {
  readonly rules: readonly LifecycleRule[];
  readonly minimumSize: MinimumSize;
};

const ROOT = "LifecycleConfiguration";
/** The element of the kept document that has the {@linkcode MinimumSize}. */
const KEPT_SIZE = "TransitionDefaultMinimumObjectSize";
const MAX_RULES = 1000;
/** Number of tags of 1,000 rules, each with every action and ten tags. */
const MAX_TAGS = 100_000;

/**
 * Parses the header {@linkcode MINIMUM_SIZE}.
 *
 * @throws S3Error `InvalidRequest`
 */
export function parseMinimumSize(text: string | null): MinimumSize {
  if (text === null) return MINIMUM_SIZES[0];
  const known = MINIMUM_SIZES.find((size) => size === text);
  if (known !== undefined) return known;
  throw invalid(`Invalid TransitionDefaultMinimumObjectSize found: ${text}`);
}

/**
 * Parses the body of PutBucketLifecycleConfiguration.
 *
 * @param newId Returns an id for a rule that has none.
 * @throws S3Error `MalformedXML`, `InvalidRequest`, `InvalidArgument`; `NotImplemented` for transitions
 *
 * @example Usage
 * ```ts
 * import { parseLifecycle } from "./lifecycle_document.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const [rule] = parseLifecycle(
 *   "<LifecycleConfiguration><Rule><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status>" +
 *     "<Expiration><Days>30</Days></Expiration></Rule></LifecycleConfiguration>",
 *   () => "a",
 * );
 * deepStrictEqual([rule?.id, rule?.filter.prefix, rule?.expiration], ["a", "logs/", { days: 30 }]);
 * ```
 */
export function parseLifecycle(text: string, newId: () => string): readonly LifecycleRule[] {
  const { children } = parseXml(text, ROOT, MAX_TAGS);
  return parseRules(children, newId);
}

/**
 * Parses a kept configuration, which somebody else may have written into the bucket's stream.
 *
 * @throws S3Error as {@linkcode parseLifecycle} does
 */
export function parseKeptLifecycle(text: string): LifecycleConfiguration {
  const root = parseXml(text, ROOT, MAX_TAGS);
  const rules = root.children.filter(({ name }) => name !== KEPT_SIZE);
  return {
    minimumSize: parseMinimumSize(optionalTextOf(root, KEPT_SIZE) ?? null),
    rules: parseRules(rules, () => ""),
  };
}

/** Returns the text under which a configuration is kept. */
export function formatKeptLifecycle({ minimumSize, rules }: LifecycleConfiguration): string {
  const elements = { [KEPT_SIZE]: minimumSize, ...lifecycleElements(rules) };
  return formatXml(ROOT, elements, "");
}

/** Returns the content of `<LifecycleConfiguration>`. */
export function lifecycleElements(
  rules: readonly LifecycleRule[],
): { readonly Rule: readonly XmlValue[] } {
  return {
    Rule: rules.map(({ id, isEnabled, filter, expiration, noncurrent, abortDays }) => ({
      ID: id,
      ...filterElements(filter),
      Status: isEnabled ? "Enabled" : "Disabled",
      Expiration: expiration && expirationElements(expiration),
      NoncurrentVersionExpiration: noncurrent && {
        NoncurrentDays: noncurrent.days,
        NewerNoncurrentVersions: noncurrent.newer,
      },
      AbortIncompleteMultipartUpload: abortDays === undefined
        ? undefined
        : { DaysAfterInitiation: abortDays },
    })),
  };
}

function filterElements(
  { form, prefix, tags, sizeAbove, sizeBelow }: LifecycleFilter,
): { readonly [name: string]: XmlValue } {
  if (form === "prefix") return { Prefix: prefix ?? "" };
  const predicates = {
    Prefix: prefix,
    Tag: [...tags].map(([Key, Value]) => ({ Key, Value })),
    ObjectSizeGreaterThan: sizeAbove,
    ObjectSizeLessThan: sizeBelow,
  };
  return { Filter: form === "and" ? { And: predicates } : predicates };
}

function expirationElements(expiration: LifecycleExpiration): XmlValue {
  if ("days" in expiration) return { Days: expiration.days };
  if ("date" in expiration) return { Date: expiration.date };
  return { ExpiredObjectDeleteMarker: expiration.markers };
}

function parseRules(
  elements: readonly XmlElement[],
  newId: () => string,
): readonly LifecycleRule[] {
  if (elements.length === 0 || elements.some(({ name }) => name !== "Rule")) throw malformed();
  if (elements.length > MAX_RULES) {
    throw invalid(
      `The number of lifecycle rules must not exceed the allowed limit of ${MAX_RULES} rules`,
    );
  }
  const rules = elements.map((element) => parseRule(element, newId));
  const ids = new Set<string>();
  for (const { id } of rules) {
    if (ids.has(id)) {
      throw argument("ID", id, "Rule ID must be unique. Found same ID for more than one rule");
    }
    ids.add(id);
  }
  return rules;
}
