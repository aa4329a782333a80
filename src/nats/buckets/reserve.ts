/**
 * The reserve of a bucket: room beyond its quota, in which deletes, the trash and listings go on when PUTs are refused.
 * @module
 */

/** Smallest reserve in bytes; a larger quota has a reserve of one hundredth. */
const MIN_RESERVE = 1024 * 1024;

/** Returns the bytes of a limit that may be filled, without the reserve; Infinity for no limit. */
export function quotaOf(maxBytes: number): number {
  if (maxBytes <= 0) return Infinity;
  return Math.max(0, Math.min(maxBytes - MIN_RESERVE, Math.floor(maxBytes / 1.01)));
}

/** Returns the bytes that a quota gets in addition. */
export function reserveOf(quota: number): number {
  return Math.max(MIN_RESERVE, Math.ceil(quota / 100));
}
