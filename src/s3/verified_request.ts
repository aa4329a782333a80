/**
 * A request after authentication, as the operations receive it.
 * @module
 */

import type { Payload } from "./payload.ts";
import type { S3Request } from "./request.ts";

/** A request whose signature, if it carries one, was checked and whose body is unframed. */
export type VerifiedRequest = Omit<S3Request, "body"> & {
  /** The region of the request's bucket: the gateway's only one, or the one that the request was signed for. */
  readonly region: string;
  readonly payload: Payload;
};
