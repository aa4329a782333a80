/**
 * What the statement of a bucket policy must be, beside its form.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
 * @module
 */

import { isConditionKey } from "./condition_keys.ts";
import { parseGlob } from "./glob.ts";
import { PolicyError } from "./policy_error.ts";
import { type ActionResource, S3_ACTIONS } from "./s3_actions.ts";
import type { Statement } from "./statement.ts";

/** Requests are about ARNs of this partition alone, so a statement about another one would be about nothing. */
const ARN = "arn:aws:s3:::";

/**
 * Checks a statement of the policy of a bucket.
 *
 * @throws PolicyError
 */
export function checkBucketStatement(statement: Statement, bucket: string): void {
  const { actions, resources, conditions } = statement;
  for (const action of actions.list) {
    if (!isAction(action)) throw new PolicyError("Policy has invalid action");
  }
  const abouts: ReadonlySet<ActionResource> = new Set(
    resources.list.map((arn) => aboutOf(arn, bucket)),
  );
  for (const { key } of conditions) {
    if (!isConditionKey(key)) throw new PolicyError("Policy has an invalid condition key");
  }
  // What the opposite of actions or resources applies to is not checked, as on AWS.
  if (actions.isNot || resources.isNot) return;
  for (const action of actions.list) {
    if (![...kindsOf(action)].some((kind) => abouts.has(kind))) {
      throw new PolicyError("Action does not apply to any resource(s) in statement");
    }
  }
}

/** Returns whether there is an action in the form `s3:Name`, `s3:*` or `*`. */
function isAction(action: string): boolean {
  return action === "*" || /^s3:/i.test(action) && kindsOf(action).size > 0;
}

function kindsOf(action: string): ReadonlySet<ActionResource> {
  const glob = parseGlob(action.toLowerCase());
  const kinds = new Set<ActionResource>();
  for (const [name, kind] of S3_ACTIONS) if (glob.matches(name.toLowerCase())) kinds.add(kind);
  return kinds;
}

/**
 * Returns whether a resource is the bucket or objects in it.
 *
 * @throws PolicyError for the resource of another bucket
 */
function aboutOf(arn: string, bucket: string): "bucket" | "object" {
  const rest = arn.startsWith(ARN) ? arn.slice(ARN.length) : undefined;
  if (rest === bucket) return "bucket";
  if (rest?.startsWith(`${bucket}/`) === true && rest.length > bucket.length + 1) return "object";
  throw new PolicyError("Policy has invalid resource");
}
