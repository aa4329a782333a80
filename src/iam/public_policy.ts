/**
 * Whether a bucket policy is public: whether it lets in anybody but known accounts, users and networks.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 *
 * A statement that allows something to everybody is public unless a condition ties it to fixed values of one of the keys
 * that AWS names there.
 * @module
 */

import type { Condition } from "./conditions.ts";
import { parseNetwork } from "./networks.ts";
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
  const { list, isNot } = principals;
  return (isNot || list.everybody) && !conditions.some(ties);
}

function ties({ key, operator, values }: Condition): boolean {
  if (!TIES.has(key) || !TYING_OPERATORS.has(operator)) return false;
  return values.length > 0 &&
    values.every((value) => isTied(key, value));
}

function isTied(key: string, value: string): boolean {
  if (key === "aws:sourceip") return isNarrow(value);
  // The name of an access point may be a pattern if its account is fixed.
  if (key !== "s3:dataaccesspointarn") return isFixed(value);
  const parts = value.split(":", 5);
  return parts.every(isFixed) && /^\d{12}$/.test(parts[4] ?? "");
}

/** Returns whether a value has neither wildcards nor variables. */
function isFixed(value: string): boolean {
  return !value.includes("*") && !value.includes("?") && !value.includes("${");
}

function isNarrow(text: string): boolean {
  const network = parseNetwork(text);
  return network !== undefined &&
    network.bits >= (network.address.length === 4 ? SHORTEST_4 : SHORTEST_6);
}
