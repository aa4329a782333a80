import { doesNotThrow, strictEqual, throws } from "node:assert/strict";
import { parsePolicy } from "./policy.ts";
import { PolicyError } from "./policy_error.ts";

const VALID = {
  Effect: "Allow",
  Principal: "*",
  Action: "s3:GetObject",
  Resource: "arn:aws:s3:::b/*",
};
const SYNTAX = "Invalid policy syntax.";
const JSON_FAULT = "This policy contains invalid Json";
const FIRST_BYTE = "Policies must be valid JSON and the first byte must be '{'";
const VERSION = "The policy must contain a valid version string";
const PRINCIPAL = "Invalid principal in policy";
const ACTION = "Policy has invalid action";
const RESOURCE = "Policy has invalid resource";
const APPLY = "Action does not apply to any resource(s) in statement";
const KEY = "Policy has an invalid condition key";
const ADDRESS = "Invalid IP address in Conditions";
const TWICE = "Statement/policy already has instance of";

/** Texts of bucket policies, and the reason for which each is refused; undefined for one that is not. */
const TEXTS: readonly (readonly [text: string, reason: string | undefined])[] = [
  ["", FIRST_BYTE],
  [" ", FIRST_BYTE],
  [` ${JSON.stringify({ Statement: VALID })}`, FIRST_BYTE],
  [`\uFEFF${JSON.stringify({ Statement: VALID })}`, FIRST_BYTE],
  ["null", FIRST_BYTE],
  ["[]", FIRST_BYTE],
  ['"{}"', FIRST_BYTE],
  ["{", JSON_FAULT],
  ["{}x", JSON_FAULT],
  ["{Statement:1}", JSON_FAULT],
  ['{"Statement":[],}', JSON_FAULT],
  ['{"Statement":"\n"}', JSON_FAULT],
  ["{}", "Missing required field Statement"],
  [JSON.stringify({ Statement: VALID }), undefined],
  [`${JSON.stringify({ Statement: VALID })}\n`, undefined],
  ['{"Id":"a","Id":"b"}', `${TWICE} Id`],
  ['{"Id":"a","\\u0049d":"b"}', `${TWICE} Id`],
  ['{"Statement":[{"Effect":"Deny","Effect":"Allow"}]}', `${TWICE} Effect`],
  ['{"Statement":[{"Condition":{"Null":{"a":"true","a":"true"}}}]}', `${TWICE} a`],
  [`{"Id":${"[".repeat(16)}${"]".repeat(16)}}`, SYNTAX],
  [`{"Id":${"[".repeat(100_000)}`, SYNTAX],
  [`{"Id":${'{"a":'.repeat(20)}1${"}".repeat(20)}}`, SYNTAX],
];

/** Members of a bucket policy beside a right statement. */
const MEMBERS: readonly (readonly [Readonly<Record<string, unknown>>, string | undefined])[] = [
  [{ Version: "2012-10-17" }, undefined],
  [{ Version: "2008-10-17" }, undefined],
  [{ Version: "2012-10-18" }, VERSION],
  [{ Version: "" }, VERSION],
  [{ Version: 2012 }, VERSION],
  [{ Version: null }, VERSION],
  [{ Version: ["2012-10-17"] }, VERSION],
  [{ Id: "a" }, undefined],
  [{ Id: "" }, undefined],
  [{ Id: 1 }, SYNTAX],
  [{ Id: null }, SYNTAX],
  [{ version: "2012-10-17" }, "Unknown field version"],
  [{ Comment: "a" }, "Unknown field Comment"],
  [{ Statement: [] }, "Could not parse the policy: Statement is empty!"],
  [{ Statement: "Allow" }, SYNTAX],
  [{ Statement: null }, SYNTAX],
  [{ Statement: [null] }, SYNTAX],
  [{ Statement: [[VALID]] }, SYNTAX],
  [{ Statement: [VALID, VALID] }, undefined],
  [
    { Statement: [{ ...VALID, Sid: "a" }, { ...VALID, Sid: "a" }] },
    "The Statement Ids in the policy are not unique",
  ],
  [{ Statement: [{ ...VALID, Sid: "a" }, { ...VALID, Sid: "A" }] }, undefined],
  [{ Statement: [{ ...VALID, Sid: "" }, { ...VALID, Sid: "" }] }, undefined],
];

/** Elements of the only statement of a bucket policy. */
const ELEMENTS: typeof MEMBERS = [
  [{ Sid: "An id, of any form" }, undefined],
  [{ Sid: 1 }, SYNTAX],
  [{ effect: "Allow" }, "Unknown field effect"],
  [{ Condition: {}, condition: {} }, "Unknown field condition"],
  [{ Effect: undefined }, "Missing required field Effect"],
  [{ Effect: "allow" }, "Invalid effect: allow"],
  [{ Effect: "" }, "Invalid effect: "],
  [{ Effect: true }, SYNTAX],
  [{ Effect: ["Allow"] }, SYNTAX],
  [{ Action: undefined }, "Missing required field Action"],
  [{ Action: [] }, "Missing required field Action cannot be empty!"],
  [{ Action: 1 }, SYNTAX],
  [{ Action: null }, SYNTAX],
  [{ Action: ["s3:GetObject", 1] }, SYNTAX],
  [{ NotAction: "s3:GetObject" }, `${TWICE} Action`],
  [{ Resource: undefined }, "Missing required field Resource"],
  [{ Resource: [] }, "Missing required field Resource cannot be empty!"],
  [{ Resource: {} }, SYNTAX],
  [{ NotResource: "arn:aws:s3:::b" }, `${TWICE} Resource`],
  [{ Action: "" }, ACTION],
  [{ Action: "GetObject" }, ACTION],
  [{ Action: "s3:" }, ACTION],
  [{ Action: "s3:GetObjekt" }, ACTION],
  [{ Action: "s3:GetObject " }, ACTION],
  [{ Action: "ec2:RunInstances" }, ACTION],
  [{ Action: "iam:*" }, ACTION],
  [{ Action: ["s3:GetObject", "s3:Foo*"] }, ACTION],
  [{ Action: undefined, NotAction: "s3:Foo" }, ACTION],
  [{ Action: "s3:getobject" }, undefined],
  [{ Action: "S3:GETOBJECT" }, undefined],
  [{ Action: "s3:Get*" }, undefined],
  [{ Action: "s3:?etObject" }, undefined],
  [{ Action: "*" }, undefined],
  [{ Action: "s3:*" }, undefined],
  [{ Action: "s3:ListBucket" }, APPLY],
  [{ Action: ["s3:GetObject", "s3:ListBucket"] }, APPLY],
  [{ Action: "s3:*BucketPolicy" }, APPLY],
  [{ Action: "s3:GetObject", Resource: "arn:aws:s3:::b" }, APPLY],
  [{ Action: "s3:ListAllMyBuckets", Resource: "arn:aws:s3:::b" }, APPLY],
  [{ Action: "s3:ListBucket", Resource: "arn:aws:s3:::b" }, undefined],
  [{ Action: "s3:ListBucket", Resource: ["arn:aws:s3:::b/*", "arn:aws:s3:::b"] }, undefined],
  [{ Action: "s3:Get*", Resource: "arn:aws:s3:::b" }, undefined],
  [{ Action: undefined, NotAction: "s3:ListBucket" }, undefined],
  [{ Resource: "*" }, RESOURCE],
  [{ Resource: "" }, RESOURCE],
  [{ Resource: "b/*" }, RESOURCE],
  [{ Resource: "arn:aws:s3:::other/*" }, RESOURCE],
  [{ Resource: "arn:aws:s3:::bb/*" }, RESOURCE],
  [{ Resource: "arn:aws:s3:::B/*" }, RESOURCE],
  [{ Resource: "arn:aws:s3:::" }, RESOURCE],
  [{ Resource: "arn:aws:s3:eu-west-1::b/*" }, RESOURCE],
  [{ Resource: "arn:aws:sqs:::b/*" }, RESOURCE],
  [{ Resource: ["arn:aws:s3:::b/*", "arn:aws:s3:::other"] }, RESOURCE],
  [{ Resource: undefined, NotResource: "arn:aws:s3:::other/*" }, RESOURCE],
  [{ Resource: "arn:aws-cn:s3:::b/*" }, RESOURCE],
  [{ Resource: "arn:aws:s3:::b/a/${aws:username}/*" }, undefined],
  [{ Principal: undefined }, "Missing required field Principal"],
  [{ NotPrincipal: "*" }, `${TWICE} Principal`],
  [{ Principal: undefined, NotPrincipal: "*" }, "Allow with NotPrincipal is not allowed."],
  [{ Principal: undefined, NotPrincipal: "*", Effect: "Deny" }, undefined],
  [{ Principal: {} }, "Missing required field Principal cannot be empty!"],
  [{ Principal: { AWS: [] } }, PRINCIPAL],
  [{ Principal: ["*"] }, PRINCIPAL],
  [{ Principal: "111122223333" }, PRINCIPAL],
  [{ Principal: { aws: "*" } }, PRINCIPAL],
  [{ Principal: { AWS: 111122223333 } }, PRINCIPAL],
  [{ Condition: [] }, SYNTAX],
  [{ Condition: null }, SYNTAX],
  [{ Condition: { StringEquals: "a" } }, SYNTAX],
  [{ Condition: { StringEquals: { "aws:username": null } } }, SYNTAX],
  [{ Condition: { StringEquals: { "aws:username": {} } } }, SYNTAX],
  [{ Condition: { StringEquals: { "aws:username": [["a"]] } } }, SYNTAX],
  [{ Condition: {} }, undefined],
  [{ Condition: { StringEqual: { "aws:username": "a" } } }, "Invalid Condition type : StringEqual"],
  [{ Condition: { NullIfExists: { a: "true" } } }, "Invalid Condition type : NullIfExists"],
  [{ Condition: { constructor: { a: "b" } } }, "Invalid Condition type : constructor"],
  [{ Condition: { "ForEach:Bool": { a: "true" } } }, "Invalid Condition type : ForEach:Bool"],
  [{ Condition: { StringEquals: { "aws:user": "a" } } }, KEY],
  [{ Condition: { StringEquals: { "s3:x-acl": "a" } } }, KEY],
  [{ Condition: { StringEquals: { "ec2:Region": "a" } } }, KEY],
  [{ Condition: { StringEquals: { "s3:ExistingObjectTag/": "a" } } }, KEY],
  [{ Condition: { StringEquals: { "S3:existingobjecttag/k": "a" } } }, undefined],
  [{ Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/33" } } }, ADDRESS],
  [{ Condition: { IpAddress: { "aws:SourceIp": "10.0.0" } } }, ADDRESS],
  [{ Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8/8" } } }, ADDRESS],
  [{ Condition: { IpAddress: { "aws:SourceIp": "2001:db8::/129" } } }, ADDRESS],
  [{ Condition: { IpAddress: { "aws:SourceIp": "${aws:SourceIp}" } } }, ADDRESS],
];

function reasonOf(text: string, kind: "bucket" | "identity" | "session"): string | undefined {
  try {
    parsePolicy(text, kind, { origin: "a test", bucket: "b" });
  } catch (cause) {
    if (cause instanceof PolicyError) return cause.message;
    throw cause;
  }
  return undefined;
}

function short(text: string): string {
  return text.length > 150 ? `${text.slice(0, 150)}… (${text.length})` : text;
}

const documents = [
  ...TEXTS,
  ...MEMBERS.map(([more, reason]) =>
    [JSON.stringify({ Statement: VALID, ...more }), reason] as const
  ),
  ...ELEMENTS.map(([more, reason]) =>
    [JSON.stringify({ Version: "2012-10-17", Statement: { ...VALID, ...more } }), reason] as const
  ),
];
for (const [text, reason] of documents) {
  Deno.test(`bucket policy ${short(text)}: ${reason ?? "right"}`, () => {
    strictEqual(reasonOf(text, "bucket"), reason);
  });
}

Deno.test("a policy may be put only with principals that exist", () => {
  const text = JSON.stringify({
    Statement: { ...VALID, Principal: { AWS: "arn:aws:iam::111122223333:user/ann" } },
  });
  const parse = (exists: boolean) => () =>
    parsePolicy(text, "bucket", { origin: "a test", bucket: "b", hasPrincipal: () => exists });
  doesNotThrow(parse(true));
  throws(parse(false), { name: "PolicyError", message: PRINCIPAL });
});
