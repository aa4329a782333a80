/**
 * Why the gateway turns requests away before it runs them.
 * @module
 */

/** The reasons, as metrics name them: too many requests in flight, too many of one user, or the gateway is stopping. */
export const REJECTIONS = ["requests", "rate", "stopping"] as const;
/** One of {@linkcode REJECTIONS}. */
export type Rejection = typeof REJECTIONS[number];
