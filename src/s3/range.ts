/**
 * Byte ranges.
 * See https://www.rfc-editor.org/rfc/rfc9110#section-14
 * @module
 */

/** A range within an object: both ends inclusive, in bytes, `0 <= start <= end < size`. */
export type ByteRange = { readonly start: number; readonly end: number };
