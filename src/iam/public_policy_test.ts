import { strictEqual } from "node:assert/strict";
import { parsePolicy } from "./policy.ts";
import { isPublicPolicy } from "./public_policy.ts";

type Row = readonly [
  title: string,
  statement: Readonly<Record<string, unknown>>,
  isPublic: boolean,
];

const tied = (operator: string, key: string, value: unknown): Row[1] => ({
  Condition: { [operator]: { [key]: value } },
});

const ROWS: readonly Row[] = [
  ["everybody", {}, true],
  ["everybody as AWS", { Principal: { AWS: "*" } }, true],
  ["everybody in a list", { Principal: { AWS: ["111122223333", "*"] } }, true],
  ["an account", { Principal: { AWS: "111122223333" } }, false],
  ["a service", { Principal: { Service: "logging.s3.amazonaws.com" } }, false],
  ["a denial", { Effect: "Deny" }, false],
  ["a network", tied("IpAddress", "aws:SourceIp", "203.0.113.0/24"), false],
  ["the widest network", tied("IpAddress", "aws:SourceIp", "10.0.0.0/8"), false],
  ["half of the Internet", tied("IpAddress", "aws:SourceIp", "0.0.0.0/1"), true],
  ["both halves", tied("IpAddress", "aws:SourceIp", ["0.0.0.0/1", "128.0.0.0/1"]), true],
  ["one wide network of two", tied("IpAddress", "aws:SourceIp", ["203.0.113.1", "::/0"]), true],
  ["a network of IPv6", tied("IpAddress", "aws:SourceIp", "2001:db8::/32"), false],
  ["a wide network of IPv6", tied("IpAddress", "aws:SourceIp", "2001::/16"), true],
  ["all networks except one", tied("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"), true],
  ["a VPC", tied("StringEquals", "aws:SourceVpc", "vpc-91237329"), false],
  ["VPCs by a pattern", tied("StringLike", "aws:SourceVpc", "vpc-*"), true],
  ["a VPC if there is one", tied("StringEqualsIfExists", "aws:SourceVpc", "vpc-1"), true],
  ["all VPCs except one", tied("StringNotEquals", "aws:SourceVpc", "vpc-1"), true],
  ["a user by id", tied("StringEquals", "aws:userid", "AIDAEXAMPLE"), false],
  ["users by id and pattern", tied("StringLike", "aws:userid", "AROAEXAMPLE:*"), true],
  ["a variable", tied("StringEquals", "aws:userid", "${aws:PrincipalTag/id}"), true],
  ["an organization", tied("StringEquals", "aws:PrincipalOrgID", "o-1"), false],
  ["a source", tied("ArnEquals", "aws:SourceArn", "arn:aws:s3:::b"), false],
  ["any source", tied("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"), true],
  ["a referer", tied("StringEquals", "aws:Referer", "https://example.com/"), true],
  ["TLS", tied("Bool", "aws:SecureTransport", "true"), true],
  ["its own account", tied("StringEquals", "aws:ResourceAccount", "111122223333"), true],
  [
    "an access point by pattern",
    tied("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-east-1:111122223333:accesspoint/*"),
    false,
  ],
  [
    "access points of all accounts",
    tied("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-east-1:*:accesspoint/a"),
    true,
  ],
  ["no values", tied("StringEquals", "aws:SourceVpc", []), true],
];

for (const [title, statement, isPublic] of ROWS) {
  Deno.test(`isPublicPolicy(): ${title}: ${isPublic}`, () => {
    const text = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{
        Effect: "Allow",
        Principal: "*",
        Action: "s3:GetObject",
        Resource: "arn:aws:s3:::b/*",
        ...statement,
      }],
    });
    strictEqual(isPublicPolicy(parsePolicy(text, "bucket", { origin: "", bucket: "b" })), isPublic);
  });
}
