/**
 * Tags of users and managed policies. Keys that differ only in case are the same key.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules
 * @module
 */

import type { Tags } from "./entities.ts";
import { invalidInput, overQuota, violates } from "./refusals.ts";

/** A tag of a request. */
export type Tag = { readonly key: string; readonly value: string };

/** Most tags of an entity. */
const MAX_TAGS = 50;
/** Longest key and value, in UTF-16 code units. */
const MAX_KEY = 128;
const MAX_VALUE = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/**
 * Returns tags with others added, which replace those of the same key.
 *
 * @throws S3Error `InvalidInput`, `ValidationError`, `LimitExceeded`
 */
export function addTags(tags: Tags, added: readonly Tag[]): Tags {
  const result = new Map(tags);
  const seen = new Set<string>();
  for (const { key, value } of added) {
    checkTag(key, value);
    const folded = key.toLowerCase();
    if (seen.has(folded)) {
      throw invalidInput(
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
      );
    }
    seen.add(folded);
    const known = [...result.keys()].find((other) => other.toLowerCase() === folded);
    if (known !== undefined && known !== key) result.delete(known);
    result.set(key, value);
  }
  if (result.size > MAX_TAGS) throw overQuota("TagsPerResource", MAX_TAGS);
  return result;
}

/** Returns tags without those of some keys. */
export function removeTags(tags: Tags, keys: readonly string[]): Tags {
  for (const key of keys) checkTagKey(key);
  const removed = new Set(keys.map((key) => key.toLowerCase()));
  return new Map([...tags].filter(([key]) => !removed.has(key.toLowerCase())));
}

function checkTag(key: string, value: string): void {
  checkTagKey(key);
  if (key.slice(0, 4).toLowerCase() === "aws:") {
    throw invalidInput("Tag keys that begin with aws: are reserved for system use.");
  }
  if (value.length > MAX_VALUE) {
    throw violates(
      "tags.member.value",
      `Member must have length less than or equal to ${MAX_VALUE}`,
    );
  }
  if (!ALLOWED.test(value)) {
    throw violates(
      "tags.member.value",
      "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*",
    );
  }
}

function checkTagKey(key: string): void {
  if (key === "" || key.length > MAX_KEY) {
    throw violates("tags.member.key", `Member must have length between 1 and ${MAX_KEY}`);
  }
  if (!ALLOWED.test(key)) {
    throw violates(
      "tags.member.key",
      "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+",
    );
  }
}
