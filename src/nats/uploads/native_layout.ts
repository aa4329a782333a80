/**
 * When multipart objects are rewritten so that native clients can read them.
 * @module
 */

/** Never, by a background worker, or before CompleteMultipartUpload responds. */
export const NATIVE_LAYOUTS = ["off", "background", "on-complete"] as const;
/** One of {@linkcode NATIVE_LAYOUTS}. */
export type NativeLayout = typeof NATIVE_LAYOUTS[number];
