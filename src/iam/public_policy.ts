/**
 * Whether a bucket policy is public: whether it lets in anybody but known accounts, users and networks.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 *
 * A statement that allows something to everybody is public unless a condition ties it to fixed values of one of the keys
 * that AWS names there.
 * @module
 */

import { isIP } from "node:net";
import type { Condition } from "./conditions.ts";
import type { CompiledPolicy } from "./policy.ts";
import type { Statement } from "./statement.ts";

/** Keys whose fixed values tie a statement to somebody, in lower case. */
const TIES: ReadonlySet<string> = new Set([
  ...["aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths"],
  ...["aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"],
  ...["aws:sourceip", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid"],
  ...["aws:resourceaccount", "s3:dataaccesspointaccount", "s3:dataaccesspointarn"],
  ...["s3:x-amz-server-side-encryption-aws-kms-key-id"],
]);

/** Operators that tie, in lower case. Others match what they do not name, or requests without the key. */
const TYING_OPERATORS: ReadonlySet<string> = new Set([
  ...["stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"],
  ...["foranyvalue:stringequals", "foranyvalue:stringlike"],
]);

/** Shortest prefixes that are not public: anything wider is much of the Internet. */
const SHORTEST = { 4: 8, 6: 32 } as const;

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
    values.every((value) => key === "aws:sourceip" ? isNarrow(value) : isFixed(value));
}

/** Returns whether a value has neither wildcards nor variables. In an ARN, wildcards may stand behind the account. */
function isFixed(value: string): boolean {
  const parts = value.startsWith("arn:") ? value.split(":").slice(0, 5) : [value];
  return parts.every((part) => !part.includes("*") && !part.includes("?") && !part.includes("${"));
}

function isNarrow(network: string): boolean {
  const [address = "", bits] = network.split("/");
  const family = isIP(address);
  if (family !== 4 && family !== 6) return false;
  return bits === undefined || Number(bits) >= SHORTEST[family];
}
