/**
 * Random policies and questions from small alphabets, so that statements match often.
 * @module
 */

import type { Context } from "../../src/iam/context.ts";
import type { Question } from "../../src/iam/evaluate.ts";
import { parsePolicy } from "../../src/iam/policy.ts";
import type { Principal } from "../../src/iam/principal.ts";
import type { Random } from "../nats/mutations.ts";
import type { PolicyTexts } from "./naive_evaluator.ts";
import { oneOf, randomConditions, someOf } from "./random_conditions.ts";

/** The account that owns the bucket, and another. */
export const [MINE, OTHER] = ["111122223333", "444455556666"];

/** A question, and all policies that it meets. */
export type Case = { readonly question: Question; readonly texts: PolicyTexts };

const BUCKET = "arn:aws:s3:::b";
const ACTIONS = [
  ...["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:GetBucketPolicy"],
  ...["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"],
];
const ACTION_PATTERNS = [
  ...["s3:GetObject", "s3:PutObject", "s3:*", "*", "s3:Get*", "S3:getobject", "s3:?etObject"],
  ...["s3:*Bucket*", "s3:*", "s3:*BucketPolicy", "s3:ListBucket", "s3:*Object"],
];
const KEYS = ["a", "ab", "ann/k", "x/k", "a*", "bob/k", "cyd/ab"];
const KEY_PATTERNS = [
  ...["*", "*", "a*", "?b", "*/k", "${aws:username}/*", "${aws:PrincipalTag/team, 'x'}*"],
  ...["a${*}", "${s3:prefix}", "${aws:tagkeys}*", "??*", "a", "*b*"],
];
const USERS = [
  ...[`arn:aws:iam::${MINE}:user/ann`, `arn:aws:iam::${MINE}:user/staff/bob`],
  `arn:aws:iam::${OTHER}:user/cyd`,
];
const PRINCIPALS = [
  ...[...USERS, "*", MINE, OTHER, `arn:aws:iam::${MINE}:root`, `arn:aws:iam::${OTHER}:root`],
  ...USERS,
];

/** Makes a case. */
export function randomCase(random: Random): Case {
  const who = randomPrincipal(random);
  const policies = (most: number): readonly string[] =>
    Array.from({ length: random(most + 1) }, () => randomPolicy(random, identityStatement));
  const isUser = who !== undefined && !who.isRoot;
  const texts: PolicyTexts = {
    own: isUser ? policies(2) : [],
    boundaries: isUser && random(4) === 0 ? [randomPolicy(random, identityStatement)] : [],
    sessions: who !== undefined && random(5) === 0 ? policies(2) : [],
    bucket: random(4) === 0 ? undefined : randomPolicy(random, bucketStatement),
  };
  const action = oneOf(random, ACTIONS);
  const isAboutBucket = action.includes("Bucket");
  const question: Question = {
    principal: who && { ...who, ...compileOwn(texts) },
    action: random(8) === 0 ? action.toUpperCase() : action,
    resource: isAboutBucket ? BUCKET : `${BUCKET}/${oneOf(random, KEYS)}`,
    resourceAccount: oneOf(random, [MINE, MINE, MINE, OTHER]),
    context: randomContext(random, who),
  };
  return { question, texts };
}

/** Returns the question of a case, asked under other policies. */
export function withTexts({ question }: Case, texts: PolicyTexts): Case {
  const { principal } = question;
  return {
    question: { ...question, principal: principal && { ...principal, ...compileOwn(texts) } },
    texts,
  };
}

/** Compiles what a caller carries. */
function compileOwn(
  { own, boundaries, sessions }: PolicyTexts,
): Pick<Principal, "policies" | "limits"> {
  const origin = "a random policy";
  const identity = (text: string) => parsePolicy(text, "identity", { origin });
  const session = (text: string) => parsePolicy(text, "session", { origin });
  return {
    policies: own.map(identity),
    limits: [...boundaries.map(identity), ...sessions.map(session)],
  };
}

function randomPrincipal(random: Random): Principal | undefined {
  const kind = random(8);
  if (kind === 0) return undefined;
  const empty = { tags: new Map<string, string>(), policies: [], limits: [] };
  if (kind <= 2) {
    const account = oneOf(random, [MINE, OTHER]);
    const arn = `arn:aws:iam::${account}:root`;
    const isAdmin = random(4) === 0;
    return { ...empty, account, arn, userId: account, name: undefined, isRoot: true, isAdmin };
  }
  const arn = oneOf(random, USERS);
  const account = arn.split(":")[4] ?? "";
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  return { ...empty, account, arn, userId: `AIDA${name}`, name, isRoot: false, isAdmin: false };
}

function randomContext(random: Random, who: Principal | undefined): Context {
  const maybe = <Value>(values: readonly Value[]): Value | undefined =>
    random(4) === 0 ? undefined : oneOf(random, values);
  const values: Readonly<Record<string, string | readonly string[] | undefined>> = {
    "aws:username": who?.name,
    "aws:principalarn": who?.arn,
    "aws:principalaccount": who?.account,
    "aws:userid": who?.userId,
    "aws:sourcearn": maybe([`${BUCKET}/a`, BUCKET, "arn:aws:sns:eu-west-1:1:t:u", "none"]),
    "aws:principaltag/team": maybe(["a", "ab", "a*", "ann"]),
    "s3:prefix": maybe<string | readonly string[]>(["a", "ab", "ann", "", ["a", "x"], "A"]),
    "s3:max-keys": maybe(["1", "2", "10", "1000", "2.0"]),
    "aws:currenttime": maybe(["2026-01-01T00:00:00Z", "2026-06-15T12:00:00Z"]),
    "aws:epochtime": maybe(["1767225600", "1781524800"]),
    "aws:securetransport": maybe(["true", "false"]),
    "aws:sourceip": maybe(["10.1.2.3", "10.2.0.1", "192.168.0.1", "2001:db8::1", "2001:db9::1"]),
    "aws:tagkeys": maybe([["a"], ["a", "ab"], ["x", "a*"], [], ["ab", "A"]]),
    "aws:referer": maybe(["ab", "YWI=", "a"]),
  };
  return { get: (key) => values[key] };
}

/** Makes a policy of one to three statements. */
export function randomPolicy(
  random: Random,
  statement: (random: Random) => Readonly<Record<string, unknown>>,
): string {
  const list = Array.from({ length: 1 + random(3) }, () => {
    const elements = statement(random);
    // NotPrincipal is not allowed with Allow.
    const isDeny = "NotPrincipal" in elements || random(3) === 0;
    return { Effect: isDeny ? "Deny" : "Allow", ...elements, ...randomConditions(random) };
  });
  return JSON.stringify({
    Version: random(6) === 0 ? "2008-10-17" : "2012-10-17",
    Statement: list.length === 1 ? list[0] : list,
  });
}

/** Makes a statement of an identity, without its effect and conditions. */
export function identityStatement(random: Random): Readonly<Record<string, unknown>> {
  const resources = () => random(3) === 0 ? "*" : bucketResources(random);
  return {
    [random(6) === 0 ? "NotAction" : "Action"]: someOf(random, ACTION_PATTERNS),
    [random(6) === 0 ? "NotResource" : "Resource"]: resources(),
  };
}

/** Makes a statement of a bucket, without its effect and conditions. */
export function bucketStatement(random: Random): Readonly<Record<string, unknown>> {
  return {
    [random(8) === 0 ? "NotPrincipal" : "Principal"]: randomPrincipals(random),
    [random(6) === 0 ? "NotAction" : "Action"]: someOf(random, ACTION_PATTERNS),
    [random(6) === 0 ? "NotResource" : "Resource"]: bucketResources(random),
  };
}

/** Every action fits one of them, or the policy would be malformed. */
function bucketResources(random: Random): readonly string[] {
  return [BUCKET, `${BUCKET}/${oneOf(random, KEY_PATTERNS)}`];
}

function randomPrincipals(random: Random): unknown {
  switch (random(8)) {
    case 0:
    case 1:
      return "*";
    case 2:
      return { Service: "logging.s3.amazonaws.com" };
    case 3:
      return { AWS: someOf(random, PRINCIPALS), Federated: ["graph.facebook.com"] };
  }
  return { AWS: someOf(random, PRINCIPALS) };
}
