/**
 * The rules of the versions protocol that a model can break, one at a time, to show that its explorer finds each of them.
 *
 * The protocol, for a key with object info `M` and records `R[v]`, as the operations of this model follow it:
 *
 * - `M` wins: while it holds version `v`, `R[v]` is an older copy. Only a delete marker of ours makes a deleted `M` a
 *   version: a native delete keeps the metadata, version id included, and leaves no version.
 * - What is freed is compared by chunk group, never by version id: a native update turns the current version into the null
 *   version with the same group. A group freed from object info without our metadata is doubtful: never purged at once, and
 *   the purger asks `M` and then all records of the key. For other trash it asks `M` and then `R[v]`.
 * - A commit that got no answer is repeated. If that is refused, `M` or `R[v]` with its version, a tombstone included, make
 *   it a success. If nothing names it, the answer is "unknown": a native client may have replaced it and purged its bytes.
 * - Versioning goes from Unversioned to Suspended and, when all leases of the mode from before have run out, to Enabled:
 *   otherwise a gateway archives early what another one deletes in place, and the version is back without its bytes.
 * - A put in place whose lease ran out before its acknowledgement looks at the mode. If versioning was enabled
 *   since, it gives its version an id in one batch that puts the null version, or a tombstone, into `R[null]`. If another write was faster,
 *   what it replaced is stored under a fresh version id. A put that dies there may lose one overwritten version.
 * - A locked null version that such a put hides keeps its record: an archive moves it to a fresh version id in the same
 *   batch, a delete of the null version in front rewrites it, and the sweep leaves it alone.
 * - A noncurrent version in a full bucket is erased by the sequence of its record; then its group is purged, and a tombstone
 *   follows that expects no message. Without room even for that the answer is "unknown".
 * - The sweep lists groups first and then all names, `M` and records, in one pass of one consumer. It erases a record that
 *   `M` has made obsolete, by sequence: of the same version, of another group, and not a copy of this `M`.
 * - A tombstone may expire when no publish can land any more that rests on a read from before the tombstone.
 * - Ordinals: one above that of `M`. Object info without one counts as two above the highest of the records. Where there is
 *   no current version, the next ordinal is one above the highest of the records and at least 2, because 1 is left to a
 *   version from before versioning.
 * - No version has a higher ordinal than the current one, so a removal of the current version reads the records above it,
 *   which are tombstones, only when it finds no other.
 * - Native writers may destroy the version that is current while they run, and the null version. No other is lost.
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
