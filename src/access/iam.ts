/**
 * May a caller do this in IAM? The one place that decides.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html for the words of a refusal
 *
 * The root of an account may do everything in it. Beside what policies allow, every user may see the own user, and list,
 * make, rotate and delete the own keys, unless a policy denies it or a permissions boundary does not allow it.
 * @module
 */

import { AMAZON, type AskedResource } from "../iam/arns.ts";
import type { Context } from "../iam/context.ts";
import { evaluate } from "../iam/evaluate.ts";
import { parsePolicy } from "../iam/policy.ts";
import type { Principal } from "../iam/principal.ts";
import { S3Error } from "../s3/errors.ts";

/** What every user may do to the own user without a policy. */
const OWN: ReadonlySet<string> = new Set([
  "iam:CreateAccessKey",
  "iam:DeleteAccessKey",
  "iam:GetAccessKeyLastUsed",
  "iam:GetUser",
  "iam:ListAccessKeys",
  "iam:UpdateAccessKey",
]);

/** The same as a policy, so that denials, boundaries and sessions restrict it. */
const OWN_POLICY = parsePolicy(
  JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: [...OWN], Resource: "*" },
  }),
  "identity",
  { origin: "own keys" },
);

/**
 * Checks that a caller may do this.
 *
 * @param action `iam:CreateUser`.
 * @param resource Its ARN decides, and a refusal repeats what the request named.
 * @throws S3Error `AccessDenied`
 */
export function allowIam(
  principal: Principal,
  action: string,
  { arn, named }: AskedResource,
  context: Context,
): void {
  if (isOfOther(principal, action, arn) || !mayDo(principal, action, arn, context)) {
    throw new S3Error("AccessDenied", {}, {
      message:
        `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${named}`,
    });
  }
}

function mayDo(
  principal: Principal,
  action: string,
  resource: string,
  context: Context,
): boolean {
  const isOwn = resource === principal.arn && OWN.has(action);
  const policies = isOwn ? [...principal.policies, OWN_POLICY] : principal.policies;
  const question = {
    principal: { ...principal, policies },
    action,
    resource,
    resourceAccount: principal.account,
    context,
  };
  return evaluate(question, {}).allowed;
}

/** Returns whether a resource belongs to another account, or to Amazon, whose policies can only be read. */
function isOfOther({ account }: Principal, action: string, resource: string): boolean {
  if (resource === "*") return false;
  const owner = resource.split(":", 5)[4];
  if (owner === AMAZON) return !action.startsWith("iam:Get") && !action.startsWith("iam:List");
  return owner !== account;
}
