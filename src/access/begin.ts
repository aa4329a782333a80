/**
 * What is asked before an operation begins.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import type { Action } from "../s3/permission.ts";
import type { AskedRequest, AuthorizedRequest } from "./asked_request.ts";
import type { BucketAccess } from "./bucket_access.ts";
import { type AuthorizedOperation, requiredActions } from "./required_actions.ts";

/** The permissions of one request, as far as they are asked here. */
type Asking = {
  /** The caller needs no policy for the target. */
  readonly isFree: boolean;
  readonly require: (action: Action) => Promise<void> | undefined;
};

/**
 * Asks for the actions that an operation and the headers of its request need.
 *
 * @throws S3Error `AccessDenied`, `InvalidRequest`, `MethodNotAllowed`
 */
export function begin(
  access: Asking,
  { identity, operation, request }: AskedRequest,
  own: BucketAccess | undefined,
): Promise<void> | undefined {
  if (identity.kind === "anonymous") {
    if (own?.policy === undefined) throw new S3Error("AccessDenied");
    refuseOverrides(operation, request);
  }
  if (access.isFree) return undefined; // most requests: the owner's root, and no policy
  const [action, ...others] = requiredActions(operation, request);
  const actions = operation.asksItself === true ? others : [action, ...others];
  const waits = actions.map((action) => access.require(action)).filter((wait) =>
    wait !== undefined
  );
  return waits.length === 0 ? undefined : Promise.all(waits).then(() => {});
}

/** Refuses response headers that an unsigned request chooses. */
function refuseOverrides({ action }: AuthorizedOperation, { query }: AuthorizedRequest): void {
  if (action !== "s3:GetObject") return;
  for (const name of query.keys()) {
    if (!name.startsWith("response-")) continue;
    throw new S3Error("InvalidRequest", {}, {
      message: "Request specific response headers cannot be used for anonymous GET requests.",
    });
  }
}
