/**
 * The actions that policies name, of all services on the port of S3.
 * @module
 */

import { S3_ACTIONS } from "../iam/s3_actions.ts";
import { getCallerIdentity } from "./get_caller_identity.ts";
import { IAM_ACTIONS } from "./iam/table.ts";
import { CONTROL_OPERATIONS, SUPPORTED } from "./table.ts";

/** In lower case. */
const ACTIONS: ReadonlySet<string> = new Set(
  [
    ...S3_ACTIONS.keys(),
    ...[...SUPPORTED, ...CONTROL_OPERATIONS].map(({ action }) => action),
    ...IAM_ACTIONS.map(({ name }) => `iam:${name}`),
    `sts:${getCallerIdentity.name}`,
  ].map((action) => action.toLowerCase()),
);

/** Returns whether there is an action, in any case. */
export function isAction(action: string): boolean {
  return ACTIONS.has(action.toLowerCase());
}
