/**
 * What the statement of a policy of an identity must be, beside its form. It may be about other services.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @module
 */

import { PolicyError } from "./policy_error.ts";
import type { Statement } from "./statement.ts";

const PARTITIONS = ["aws", "aws-cn", "aws-us-gov", "*"];
const VENDOR = /^[A-Za-z0-9*?-]+$/;

/**
 * Checks a statement of the policy of a user, a group, a boundary or a session.
 *
 * @throws PolicyError
 */
export function checkIdentityStatement({ actions, resources }: Statement): void {
  for (const action of actions.list) checkAction(action);
  for (const resource of resources.list) checkResource(resource);
}

function checkAction(action: string): void {
  if (action === "*") return;
  const colon = action.indexOf(":");
  if (colon < 0 || colon === action.length - 1) {
    throw refused("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  }
  const vendor = action.slice(0, colon);
  if (!VENDOR.test(vendor)) throw refused(`Vendor ${vendor} is not valid`);
}

function checkResource(resource: string): void {
  if (resource === "*") return;
  const parts = resource.split(":");
  const [, partition = "", vendor] = parts;
  if (parts.length === 1) throw refused(`Resource ${resource} must be in ARN format or "*".`);
  if (parts.length > 2 && (parts[0] !== "arn" || !PARTITIONS.includes(partition))) {
    const rest = [2, 3, 4, 5].map((i) => parts[i] ?? "*").join(":");
    throw refused(
      `Partition "${partition}" is not valid for resource "arn:${partition}:${rest}".`,
    );
  }
  if (vendor === undefined) {
    throw refused("Resource vendor must be fully qualified and cannot contain regexes.");
  }
  if (parts.length < 6) throw refused("The policy failed legacy parsing");
}

function refused(reason: string): PolicyError {
  return new PolicyError(reason, { ofIam: reason });
}
