/**
 * Whether a bucket policy is public: whether it lets in anybody but known accounts, users and networks.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 *
 * A statement that allows something to everybody, or to federated users, is public unless a condition ties it to fixed values
 * of one of the keys that AWS names there.
 * @module
 */

import type { Condition } from "./conditions.ts";
import { parseNetwork } from "../s3/networks.ts";
import type { CompiledPolicy } from "./policy.ts";
import type { Statement } from "./statement.ts";

/** Keys whose fixed values tie a statement to somebody, in lower case. */
const TIES: ReadonlySet<string> = new Set([
  ...["aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths"],
  ...["aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"],
  ...["aws:sourceip", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid"],
  ...["s3:dataaccesspointaccount", "s3:dataaccesspointarn"],
  ...["s3:x-amz-server-side-encryption-aws-kms-key-id"],
]);

/** The key whose values may have wildcards behind the account. */
const ACCESS_POINT = "s3:dataaccesspointarn";

/** Operators that tie, in lower case. Others match what they do not name, or requests without the key. */
const TYING_OPERATORS: ReadonlySet<string> = new Set([
  ...["stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"],
  ...["foranyvalue:stringequals", "foranyvalue:stringlike"],
]);

/** Shortest prefixes that are not public: anything wider is much of the Internet. */
const SHORTEST_4 = 8;
const SHORTEST_6 = 32;

/** Returns whether a policy is public. */
export function isPublicPolicy({ statements }: Pick<CompiledPolicy, "statements">): boolean {
  return statements.some(isPublic);
}

function isPublic({ effect, principals, conditions }: Statement): boolean {
  if (effect !== "Allow" || principals === undefined) return false;
  const { everybody, federated } = principals.list;
  return (everybody || federated) && !conditions.some(ties);
}

function ties({ key, operator, values }: Condition): boolean {
  if (!TIES.has(key) || !TYING_OPERATORS.has(operator)) return false;
  const test = key === "aws:sourceip" ? isNarrow : key === ACCESS_POINT ? isOfAccount : isFixed;
  return values.length > 0 && values.every(test);
}

/** The account and the user of a caller who did not sign, which are everybody's. */
const ANONYMOUS = "anonymous";

/** Returns whether a value has neither wildcards nor variables, and means somebody. */
function isFixed(value: string): boolean {
  return value.toLowerCase() !== ANONYMOUS && !value.includes("*") && !value.includes("?") &&
    !value.includes("${");
}

/** Returns whether an ARN has a fixed account; wildcards may stand behind it. */
function isOfAccount(value: string): boolean {
  const parts = value.split(":").slice(0, 5);
  return parts[4] !== undefined && parts[4] !== "" && parts.every(isFixed);
}

function isNarrow(text: string): boolean {
  const network = parseNetwork(text);
  return network !== undefined &&
    network.bits >= (network.address.length === 4 ? SHORTEST_4 : SHORTEST_6);
}
