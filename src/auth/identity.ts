/**
 * The caller of a request.
 * @module
 */

import type { Principal } from "../iam/principal.ts";

/** A caller who signed the request with a valid secret access key. */
export type User = {
  readonly kind: "user";
  readonly accessKeyId: string;
  readonly principal: Principal;
};

/** The caller of a request: a user, or anonymous if the request carries no signature. */
export type Identity = { readonly kind: "anonymous" } | User;

/** The caller of every unsigned request. */
export const ANONYMOUS: Identity = { kind: "anonymous" };

/** The id by which Amazon names the owner of what unsigned requests write. */
const ANONYMOUS_OWNER = "65a011a29cdf8ec533ec3d1ccaae921c";

/** Returns what records name as the writer of an object. */
export function ownerOf(identity: Identity): string {
  return identity.kind === "user" ? identity.accessKeyId : ANONYMOUS_OWNER;
}
