/**
 * A request after authentication, as the operations receive it.
 * @module
 */

import type { Payload } from "./payload.ts";
import type { S3Request } from "./request.ts";

/** A request whose signature, if it carries one, was checked and whose body is unframed. */
export type VerifiedRequest = Omit<S3Request, "body"> & { readonly payload: Payload };
