/**
 * What authentication hands on to the operations.
 * @module
 */

import type { Payload } from "./payload.ts";
import type { S3Request } from "./request.ts";

/** Who signed a request. */
export type Identity = {
  readonly accessKeyId: string;
};

/** A request whose signature was checked and whose body is unframed. */
export type VerifiedRequest = Omit<S3Request, "body"> & {
  readonly identity: Identity;
  readonly payload: Payload;
};
