import { strictEqual } from "node:assert/strict";
import { parsePolicy } from "./policy.ts";
import { PolicyError } from "./policy_error.ts";

const VALID = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
const SYNTAX = "Syntax errors in policy.";
const VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
const FEW = "Resource vendor must be fully qualified and cannot contain regexes.";
const LEGACY = "The policy failed legacy parsing";
const PRINCIPAL = "Policy document should not specify a principal.";
const ACTIONS = "Policy statement must contain actions.";
const RESOURCES = "Policy statement must contain resources.";

type Row = readonly [Readonly<Record<string, unknown>> | string, reason: string | undefined];

/** Texts, or members beside a right version and statement. */
const DOCUMENTS: readonly Row[] = [
  ["", SYNTAX],
  ["This is not a json document", SYNTAX],
  ["{not valid json", SYNTAX],
  ["{}", SYNTAX],
  [` ${JSON.stringify({ Version: "2012-10-17", Statement: VALID })}`, SYNTAX],
  ['{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}', SYNTAX],
  [`{"Version":${"[".repeat(100_000)}`, SYNTAX],
  [{}, undefined],
  [{ Version: undefined }, "Policy document must be version 2012-10-17 or greater."],
  [{ Version: "2008-10-17" }, undefined],
  [{ Version: "2013-10-17" }, SYNTAX],
  [{ Version: 2012 }, SYNTAX],
  [{ Id: "a" }, undefined],
  [{ Id: ["a"] }, SYNTAX],
  [{ Id: {} }, SYNTAX],
  [{ "Extra field": "value" }, SYNTAX],
  [{ Statement: undefined }, SYNTAX],
  [{ Statement: null }, SYNTAX],
  [{ Statement: [] }, SYNTAX],
  [{ Statement: "hello" }, SYNTAX],
  [{ Statement: [VALID, VALID] }, undefined],
  [
    { Statement: [{ ...VALID, Sid: "Dup" }, { ...VALID, Sid: "Dup" }] },
    "Statement IDs (SID) in a single policy must be unique.",
  ],
];

/** Elements of the only statement. */
const ELEMENTS: readonly Row[] = [
  [{ Sid: "Abc1" }, undefined],
  [{ Sid: "" }, undefined],
  [{ Sid: {} }, SYNTAX],
  [
    { Sid: "a-b" },
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
  ],
  [{ Effect: undefined }, SYNTAX],
  [{ Effect: "Maybe" }, SYNTAX],
  [{ "Extra field": "value" }, SYNTAX],
  [{ Principal: "*" }, PRINCIPAL],
  [{ NotPrincipal: { AWS: "111122223333" } }, PRINCIPAL],
  [{ Action: undefined }, ACTIONS],
  [{ Action: [] }, ACTIONS],
  [{ Action: undefined, Resource: undefined }, ACTIONS],
  [{ Action: 123 }, SYNTAX],
  [{ NotAction: "s3:PutObject" }, SYNTAX],
  [{ Action: "" }, VENDOR],
  [{ Action: "GetObject" }, VENDOR],
  [{ Action: "s3:" }, VENDOR],
  [{ Action: undefined, NotAction: "GetObject" }, VENDOR],
  [{ Action: ":GetObject" }, "Vendor  is not valid"],
  [{ Action: "iam :Get" }, "Vendor iam  is not valid"],
  [{ Action: "*" }, undefined],
  [{ Action: "ec2:RunInstances" }, undefined],
  [{ Action: "s3:GetObjekt" }, undefined],
  [{ Resource: undefined }, RESOURCES],
  [{ Resource: [] }, RESOURCES],
  [{ Resource: { a: "arn:aws:s3:::b" } }, SYNTAX],
  [{ NotResource: "foo" }, SYNTAX],
  [{ Resource: "invalid" }, 'Resource invalid must be in ARN format or "*".'],
  [
    { Resource: undefined, NotResource: "invalid resource" },
    'Resource invalid resource must be in ARN format or "*".',
  ],
  [
    { Resource: "s3::example-bucket/*" },
    'Partition "" is not valid for resource "arn::example-bucket/*:*:*:*".',
  ],
  [
    { Resource: "arn:aws2:s3:::example-bucket/*" },
    'Partition "aws2" is not valid for resource "arn:aws2:s3:::example-bucket/*".',
  ],
  [{ Resource: "arn:aws" }, FEW],
  [{ Resource: "arn:aws:s3::example_bucket" }, LEGACY],
  [{ Resource: "arn:aws:s3:::b" }, undefined],
  [{ Resource: "arn:aws:dynamodb:eu-west-1:111122223333:table/t" }, undefined],
  [{ Resource: "arn:aws:s3:::${aws:username}" }, undefined],
  [{ Condition: [] }, SYNTAX],
  [{ Condition: "a" }, SYNTAX],
  [{ Condition: { a: "b" } }, SYNTAX],
  [{ Condition: { DateGreaterThan: "b" } }, SYNTAX],
  [{ Condition: { DateGreaterThan: [] } }, SYNTAX],
  [{ Condition: { DateGreaterThan: { a: {} } } }, SYNTAX],
  [{ Condition: { DateGreaterThan: { a: "yesterday" } } }, SYNTAX],
  [{ Condition: { DateGreaterThan: { a: "2026-01-01T00:00:00" } } }, SYNTAX],
  [{ Condition: { NumericEquals: { a: "ten" } } }, SYNTAX],
  [{ Condition: { NumericEquals: { a: "0x10" } } }, SYNTAX],
  [{ Condition: { Bool: { a: "yes" } } }, SYNTAX],
  [{ Condition: { BinaryEquals: { a: "%" } } }, SYNTAX],
  [{ Condition: { NullIfExists: { a: "true" } } }, SYNTAX],
  [{ Condition: { Null: { a: "maybe" } } }, SYNTAX],
  [{ Condition: { ArnLike: { a: "ann" } } }, LEGACY],
  [{ Condition: { ArnLike: { a: "arn:aws:iam::*" } } }, LEGACY],
  [{ Condition: { StringEquals: { "no:such": "key" } } }, undefined],
];

const documents = [
  ...DOCUMENTS.map(([text, reason]) => {
    if (typeof text === "string") return [text, reason] as const;
    return [JSON.stringify({ Version: "2012-10-17", Statement: VALID, ...text }), reason] as const;
  }),
  ...ELEMENTS.map(([more, reason]) => {
    const statement = { ...VALID, ...more as Readonly<Record<string, unknown>> };
    return [JSON.stringify({ Version: "2012-10-17", Statement: statement }), reason] as const;
  }),
];

for (const [text, reason] of documents) {
  const shown = text.length > 150 ? `${text.slice(0, 150)}… (${text.length})` : text;
  Deno.test(`policy of an identity ${shown}: ${reason ?? "right"}`, () => {
    for (const kind of ["identity", "session"] as const) {
      strictEqual(reasonOf(text, kind), reason);
    }
  });
}

function reasonOf(text: string, kind: "identity" | "session"): string | undefined {
  try {
    parsePolicy(text, kind, { origin: "a test" });
  } catch (cause) {
    if (cause instanceof PolicyError) return cause.message;
    throw cause;
  }
  return undefined;
}
