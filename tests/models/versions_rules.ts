/**
 * The rules of the versions protocol that a model can break, one at a time, to show that its explorer finds each of them.
 * @module
 */

/** Names of broken rules. */
export const BROKEN_RULES = [
  "ordinal without tombstones",
  "native writes count as ordinal zero",
  "archive overwrites",
  "archive does not read M again",
  "archive accepts any record",
  "archive replaces a locked record",
  "archive accepts a tombstone",
  "doubtful groups are purged at once",
  "find reads M first",
  "records win",
  "absence is believed at once",
  "suspended put reads R[null] after M",
  "the condition is checked once",
  "a put in place ignores locks",
  "put does not archive",
  "ordinals start at one again",
  "the lease is not checked before the commit",
  "put does not expect",
  "a held-up put frees what it replaced",
  "suspended put keeps R[null]",
  "R[null] is removed whatever it is",
  "no answer is a refusal",
  "a conflict after no answer is a refusal",
  "absence from M is a refusal",
  "delete ignores locks",
  "a group that M names is purged",
  "delete expects nothing",
  "promotion leaves the record",
  "no tombstone for the current version",
  "delete removes a hidden locked record",
  "promotion without a batch",
  "promotes the oldest",
  "no tombstone in a full bucket",
  "changes expect nothing",
  "get does not read M again",
  "the purger asks nobody",
  "the purger reads R first",
  "the purger asks M alone",
  "the purger asks one version about a doubtful group",
  "the sweep reads names first",
  "the sweep stops at the end it saw",
  "the sweep reads M alone",
  "the sweep removes useful archives",
  "Unversioned and Enabled at the same time",
  "a tombstone expires before late publishes",
] as const;

/** A rule that a gateway of a model breaks. */
export type BrokenRule = typeof BROKEN_RULES[number];
