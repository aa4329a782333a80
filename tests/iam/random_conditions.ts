/**
 * Random conditions for `random_questions.ts`.
 * @module
 */

import type { Random } from "../nats/mutations.ts";

/** Operators that one kind of key is tested with, the keys, and values. */
type Family = {
  readonly operators: readonly string[];
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
};

const COMPARISONS = [
  ...["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"],
];

const FAMILIES: readonly Family[] = [
  {
    operators: [
      ...["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase"],
      ...["StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"],
    ],
    keys: ["s3:prefix", "aws:username", "aws:PrincipalTag/team", "aws:TagKeys", "AWS:tagkeys"],
    values: [
      ...["a", "ab", "A", "a*", "?", "*", "", "ann", "${aws:username}", "${*}", "a${*}"],
      ...["${aws:PrincipalTag/team, 'x'}", "${aws:PrincipalTag/team}*", "${aws:UserName}?"],
    ],
  },
  {
    operators: COMPARISONS.map((name) => `Numeric${name}`),
    keys: ["s3:max-keys"],
    values: ["1", "2", 2, "10", "2.0", "-1", 1000],
  },
  {
    operators: COMPARISONS.map((name) => `Date${name}`),
    keys: ["aws:CurrentTime", "aws:EpochTime"],
    values: [
      ...["2026-01-01T00:00:00Z", "1767225600", "2026-06-15T14:00:00+02:00", "2026-06"],
      ...["2026-06-15T12:00:00.000Z", 1781524800, "2026-01-01"],
    ],
  },
  {
    operators: ["Bool"],
    keys: ["aws:SecureTransport"],
    values: ["true", "false", true, false],
  },
  { operators: ["BinaryEquals"], keys: ["aws:Referer"], values: ["YWI=", "YQ=="] },
  {
    operators: ["IpAddress", "NotIpAddress"],
    keys: ["aws:SourceIp"],
    values: [
      ...["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "10.1.2.2/31", "0.0.0.0/0", "192.168.0.1/32"],
      ...["2001:db8::/32", "2001:db8::1", "::/0", "10.2.0.0/17"],
    ],
  },
  {
    operators: ["ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"],
    keys: ["aws:PrincipalArn", "aws:SourceArn"],
    values: [
      ...["arn:aws:iam::111122223333:user/*", "arn:aws:iam::*:user/ann", "arn:*:s3:::*"],
      ...["arn:aws:iam::1111????3333:*", "arn:aws:iam::111122223333:user/${aws:username}"],
      ...["arn:aws:s3:::b", "arn:aws:sns:*:*:t:u", "arn:aws:sns:*:t:u"],
      ...["arn:aws:iam::${aws:PrincipalAccount}:user/ann", "*"],
    ],
  },
];

/** Chooses a value. */
export function oneOf<Value>(random: Random, values: readonly Value[]): Value {
  return values[random(values.length)] as Value;
}

/** Chooses one value, or a list of one to three. */
export function someOf<Value>(
  random: Random,
  values: readonly Value[],
): Value | readonly Value[] {
  if (random(2) === 0) return oneOf(random, values);
  return Array.from({ length: 1 + random(3) }, () => oneOf(random, values));
}

/** Makes an element `Condition`, in half of the cases. */
export function randomConditions(random: Random): Readonly<Record<string, unknown>> {
  if (random(2) === 0) return {};
  const entries = Array.from({ length: 1 + random(2) }, () => randomOperator(random));
  return { Condition: Object.fromEntries(entries) };
}

function randomOperator(random: Random): readonly [string, Readonly<Record<string, unknown>>] {
  const { operators, keys, values } = oneOf(random, FAMILIES);
  const key = oneOf(random, keys);
  if (random(12) === 0) return ["Null", { [key]: someOf(random, ["true", "false", true]) }];
  const set = oneOf(random, ["", "", "", "ForAllValues:", "ForAnyValue:"]);
  const suffix = random(4) === 0 ? "IfExists" : "";
  const wanted = { [key]: someOf(random, values) };
  return [`${set}${oneOf(random, operators)}${suffix}`, wanted];
}
