/**
 * The caller of a request.
 * @module
 */

/** A caller who proved to hold a secret access key. */
export type User = { readonly kind: "user"; readonly accessKeyId: string };

/** The caller of a request: a user, or nobody known, because the request carries no signature. */
export type Identity = { readonly kind: "anonymous" } | User;

/** The caller of every unsigned request. */
export const ANONYMOUS: Identity = { kind: "anonymous" };
