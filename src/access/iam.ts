/**
 * May a caller do this in IAM? The one place that decides.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html for the words of a refusal
 *
 * The root of an account may do everything in it. Beside what policies allow, every user may see the own user, and list,
 * make, rotate and delete the own keys.
 * @module
 */

import { AMAZON } from "../iam/arns.ts";
import type { Principal } from "../iam/principal.ts";
import { S3Error } from "../s3/errors.ts";

/** The values of condition keys, by name in lower case. */
type Context = { readonly get: (key: string) => string | readonly string[] | undefined };

/** What every user may do to the own user without a policy. */
const OWN: ReadonlySet<string> = new Set([
  "iam:CreateAccessKey",
  "iam:DeleteAccessKey",
  "iam:GetAccessKeyLastUsed",
  "iam:GetUser",
  "iam:ListAccessKeys",
  "iam:UpdateAccessKey",
]);

/**
 * Checks that a caller may do this.
 *
 * @param action `iam:CreateUser`.
 * @param resource An ARN, or `*`.
 * @throws S3Error `AccessDenied`
 */
export function allowIam(
  principal: Principal,
  action: string,
  resource: string,
  context: Context,
): void {
  if (isOfOther(principal, action, resource) || !mayDo(principal, action, resource, context)) {
    throw new S3Error("AccessDenied", {}, {
      message:
        `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`,
    });
  }
}

function mayDo(
  principal: Principal,
  action: string,
  resource: string,
  _context: Context,
): boolean {
  return principal.isRoot || resource === principal.arn && OWN.has(action);
}

/** Returns whether a resource belongs to another account, or to Amazon, whose policies can only be read. */
function isOfOther({ account }: Principal, action: string, resource: string): boolean {
  if (resource === "*") return false;
  const owner = resource.split(":", 5)[4];
  if (owner === AMAZON) return !action.startsWith("iam:Get") && !action.startsWith("iam:List");
  return owner !== account;
}
