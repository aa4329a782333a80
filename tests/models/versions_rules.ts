/**
 * The rules of the versions protocol that a model can break, one at a time, to show that its explorer finds each of them.
 * @module
 */

/** Names of broken rules. */
export const BROKEN_RULES = [
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
  "the condition is checked once",
  "put does not archive",
  "ordinals start at one again",
  "put does not expect",
  "a held-up put frees what it replaced",
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

/**
 * Names of rules that may be broken without harm: they save work, or keep rare repairs rarer.
 *
 * - Ordinals need not count tombstones: version ids differ by their random part, and only versions that exist are in order.
 * - A put in a suspended bucket may read `R[null]` and the object info in either order, so at the same time, as long as
 *   both reads come before its commit.
 * - `R[null]` may stay after a put in a suspended bucket: the object info hides it until the sweep removes it.
 * - The lease need not be checked before the commit, because the check after the acknowledgement repairs what it would
 *   prevent. As long as it is, a put in place need not look at locks: a version is locked only after leases have run out.
 */
export const HARMLESS_RULES = [
  "ordinal without tombstones",
  "suspended put reads R[null] after M",
  "suspended put keeps R[null]",
  "the lease is not checked before the commit",
  "a put in place ignores locks",
] as const;

/** A rule that a gateway of a model breaks. */
export type BrokenRule = typeof BROKEN_RULES[number];

/** A rule, harmless or not. */
export type AnyRule = BrokenRule | typeof HARMLESS_RULES[number];
