import { strictEqual } from "node:assert/strict";
import { parsePolicy } from "./policy.ts";
import { isPublicPolicy } from "./public_policy.ts";

type Conditions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

type Row = readonly [principal: unknown, condition: Conditions, isPublic: boolean];

const USER = "arn:aws:iam::111122223333:user/ann";
const POINTS = "arn:aws:s3:us-west-2:123456789012:accesspoint/*";

/** Statements that allow s3:PutObject. */
const ROWS: readonly Row[] = [
  ["*", {}, true],
  [{ AWS: "*" }, {}, true],
  [{ AWS: ["111122223333", "*"] }, {}, true],
  [{ AWS: "111122223333" }, {}, false],
  [{ AWS: USER }, {}, false],
  [{ AWS: [USER, "arn:aws:iam::444455556666:root"] }, {}, false],
  [{ Service: "cloudtrail.amazonaws.com" }, {}, false],
  [{ Federated: "graph.facebook.com" }, {}, true],
  [{ Federated: "graph.facebook.com", AWS: USER }, {}, true],
  ["*", { StringLike: { "aws:SourceVpc": "vpc-*" } }, true],
  ["*", { StringEquals: { "aws:SourceVpc": "vpc-91237329" } }, false],
  ["*", { StringEquals: { "AWS:sourcevpc": "vpc-91237329" } }, false],
  ["*", { StringLike: { "aws:SourceVpc": "vpc-91237329" } }, false],
  ["*", { StringEquals: { "aws:SourceVpc": ["vpc-91237329", "vpc-*"] } }, true],
  ["*", { StringEquals: { "aws:SourceVpc": [] } }, true],
  ["*", { StringNotEquals: { "aws:SourceVpc": "vpc-91237329" } }, true],
  ["*", { StringEqualsIfExists: { "aws:SourceVpc": "vpc-91237329" } }, true],
  ["*", { "ForAllValues:StringEquals": { "aws:SourceVpc": "vpc-91237329" } }, true],
  ["*", { StringEquals: { "aws:SourceVpc": "vpc-91237329", "aws:Referer": "a" } }, false],
  ["*", { StringEquals: { "aws:SourceVpce": "vpce-1a2b3c4d" } }, false],
  ["*", { StringEquals: { "aws:SourceAccount": "111122223333" } }, false],
  ["*", { StringEquals: { "aws:PrincipalAccount": "111122223333" } }, false],
  ["*", { StringEquals: { "aws:PrincipalAccount": "${aws:PrincipalAccount}" } }, true],
  ["*", { StringEquals: { "aws:PrincipalAccount": "anonymous" } }, true],
  ["*", { StringEqualsIgnoreCase: { "aws:userid": "Anonymous" } }, true],
  ["*", { StringEquals: { "aws:ResourceAccount": "111122223333" } }, true],
  ["*", { StringEquals: { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } }, false],
  ["*", { StringLike: { "aws:PrincipalOrgID": "o-*" } }, true],
  ["*", { StringEquals: { "aws:userid": "AIDAJQABLZS4A3QDU576Q" } }, false],
  ["*", { StringLike: { "aws:userid": "AROLEID:*" } }, true],
  ["*", { ArnEquals: { "aws:PrincipalArn": USER } }, false],
  ["*", { ArnLike: { "aws:PrincipalArn": "arn:aws:iam::111122223333:user/*" } }, true],
  ["*", { ArnLike: { "aws:SourceArn": "arn:aws:s3:::*" } }, true],
  ["*", { ArnLike: { "aws:SourceArn": "arn:aws:s3:::inventory" } }, false],
  ["*", { ArnNotEquals: { "aws:PrincipalArn": USER } }, true],
  ["*", { ArnLike: { "s3:DataAccessPointArn": POINTS } }, false],
  ["*", { StringLike: { "s3:DataAccessPointArn": POINTS } }, false],
  ["*", { ArnLike: { "s3:DataAccessPointArn": "arn:aws:s3:us-west-2:*:accesspoint/*" } }, true],
  ["*", { StringLike: { "s3:DataAccessPointArn": "*" } }, true],
  ["*", { StringEquals: { "s3:DataAccessPointAccount": "111122223333" } }, false],
  ["*", { StringEquals: { "s3:x-amz-server-side-encryption-aws-kms-key-id": "a" } }, false],
  ["*", { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, false],
  ["*", { IpAddress: { "aws:SourceIp": "203.0.113.7" } }, false],
  ["*", { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, false],
  ["*", { IpAddress: { "aws:SourceIp": "10.0.0.0/7" } }, true],
  ["*", { IpAddress: { "aws:SourceIp": "0.0.0.0/1" } }, true],
  ["*", { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } }, true],
  ["*", { IpAddress: { "aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"] } }, true],
  ["*", { IpAddress: { "aws:SourceIp": "2001:db8::/32" } }, false],
  ["*", { IpAddress: { "aws:SourceIp": "2001::/31" } }, true],
  ["*", { IpAddress: { "aws:SourceIp": "::/0" } }, true],
  ["*", { IpAddress: { "aws:SourceIp": "::ffff:0.0.0.0/96" } }, true],
  ["*", { IpAddress: { "aws:SourceIp": "::ffff:10.0.0.0/104" } }, false],
  ["*", { NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, true],
  ["*", { StringEquals: { "aws:Referer": "https://example.com/" } }, true],
  ["*", { StringLike: { "aws:UserAgent": "secret" } }, true],
  ["*", { Bool: { "aws:SecureTransport": "true" } }, true],
  ["*", { Null: { "aws:SourceVpc": "false" } }, true],
  ["*", { StringEquals: { "aws:username": "ann" } }, true],
];

function isPublic(statements: readonly Readonly<Record<string, unknown>>[]): boolean {
  const resource = { Action: "s3:PutObject", Resource: "arn:aws:s3:::b/*" };
  const text = JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map((statement) => ({ Effect: "Allow", ...resource, ...statement })),
  });
  return isPublicPolicy(parsePolicy(text, "bucket", { origin: "a test", bucket: "b" }));
}

for (const [principal, condition, is] of ROWS) {
  const [who, when] = [principal, condition].map((json) => JSON.stringify(json));
  Deno.test(`what is allowed to ${who} under ${when} is ${is ? "" : "not "}public`, () => {
    strictEqual(isPublic([{ Principal: principal, Condition: condition }]), is);
  });
}

Deno.test("one public statement makes a policy public, and a denial does not change that", () => {
  const [named, everybody] = [{ Principal: { AWS: USER } }, { Principal: "*" }];
  strictEqual(isPublic([named, named]), false);
  strictEqual(isPublic([named, everybody]), true);
  strictEqual(isPublic([named, { ...everybody, Effect: "Deny" }]), false);
  strictEqual(isPublic([everybody, { ...everybody, Effect: "Deny" }]), true);
});
