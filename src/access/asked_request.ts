/**
 * A request whose permissions are asked for, and the services that answer.
 * @module
 */

import type { Identity } from "../auth/identity.ts";
import type { Decision } from "../iam/evaluate.ts";
import type { Permission } from "../s3/permission.ts";
import type { Target } from "../s3/request.ts";
import type { BucketInfo } from "../store/buckets.ts";
import type { Store } from "../store/store.ts";
import type { BucketAccesses } from "./bucket_access.ts";
import type { ConditionedRequest } from "./request_context.ts";
import type { AuthorizedOperation } from "./required_actions.ts";

/** A request, as far as permissions depend on it. */
export type AuthorizedRequest = ConditionedRequest & {
  readonly method: string;
  readonly target: Target;
};

/** The services of decisions. */
export type AccessServices = {
  readonly store: Pick<Store, "readObject">;
  readonly buckets: BucketAccesses;
  /** Returns the account of a bucket as a list shows it. */
  readonly accountOfListed: (bucket: BucketInfo) => string;
  readonly now: () => Date;
  /** Called with each decision that a policy was asked for. It returns immediately. */
  readonly decided: (permission: Permission, decision: Decision, request: string) => void;
};

/** A request whose permissions are asked for. */
export type AskedRequest = {
  /** Its id, for the log. */
  readonly id: string;
  readonly identity: Identity;
  readonly operation: AuthorizedOperation;
  readonly request: AuthorizedRequest;
};
