import { strictEqual } from "node:assert/strict";
import { parseConditions } from "./conditions.ts";

type Row = readonly [operator: string, wanted: string, given: string, holds: boolean];

const NEW_YEAR = "2026-01-01T00:00:00Z";

const DATES: readonly Row[] = [
  ["DateEquals", NEW_YEAR, NEW_YEAR, true],
  ["DateEquals", "2026", NEW_YEAR, true],
  ["DateEquals", "2026-01", NEW_YEAR, true],
  ["DateEquals", "2026-01-01", NEW_YEAR, true],
  ["DateEquals", "2026-01-01T00:00Z", NEW_YEAR, true],
  ["DateEquals", "2026-01-01T00:00:00.000Z", NEW_YEAR, true],
  ["DateEquals", "2026-01-01T01:00:00+01:00", NEW_YEAR, true],
  ["DateEquals", "2025-12-31T19:00:00-05:00", NEW_YEAR, true],
  ["DateEquals", "1767225600", NEW_YEAR, true],
  ["DateEquals", NEW_YEAR, "1767225600", true],
  ["DateEquals", "2026-01-01T00:00:01Z", NEW_YEAR, false],
  ["DateEquals", NEW_YEAR, "yesterday", false],
  ["DateEquals", NEW_YEAR, "", false],
  ["DateNotEquals", NEW_YEAR, NEW_YEAR, false],
  ["DateNotEquals", NEW_YEAR, "2026-01-01T00:00:01Z", true],
  ["DateNotEquals", NEW_YEAR, "yesterday", true],
  ["DateLessThan", NEW_YEAR, "2025-12-31T23:59:59.999Z", true],
  ["DateLessThan", NEW_YEAR, NEW_YEAR, false],
  ["DateLessThan", NEW_YEAR, "yesterday", false],
  ["DateLessThanEquals", NEW_YEAR, NEW_YEAR, true],
  ["DateLessThanEquals", NEW_YEAR, "2026-01-01T00:00:00.001Z", false],
  ["DateGreaterThan", NEW_YEAR, NEW_YEAR, false],
  ["DateGreaterThan", NEW_YEAR, "2026-01-01T00:00:00.001Z", true],
  ["DateGreaterThan", "0", NEW_YEAR, true],
  ["DateGreaterThanEquals", NEW_YEAR, NEW_YEAR, true],
  ["DateGreaterThanEquals", NEW_YEAR, "2025-12-31T23:59:59Z", false],
];

const NETWORKS: readonly Row[] = [
  ["IpAddress", "10.1.2.3", "10.1.2.3", true],
  ["IpAddress", "10.1.2.3", "10.1.2.4", false],
  ["IpAddress", "10.1.2.3/32", "10.1.2.3", true],
  ["IpAddress", "10.1.2.3/32", "10.1.2.2", false],
  ["IpAddress", "10.1.2.2/31", "10.1.2.3", true],
  ["IpAddress", "10.1.2.2/31", "10.1.2.4", false],
  ["IpAddress", "10.1.0.0/16", "10.1.255.255", true],
  ["IpAddress", "10.1.0.0/16", "10.2.0.0", false],
  ["IpAddress", "10.1.2.3/16", "10.1.9.9", true],
  ["IpAddress", "10.0.0.0/8", "10.255.255.255", true],
  ["IpAddress", "10.0.0.0/8", "11.0.0.0", false],
  ["IpAddress", "192.0.2.128/25", "192.0.2.127", false],
  ["IpAddress", "192.0.2.128/25", "192.0.2.128", true],
  ["IpAddress", "0.0.0.0/0", "255.255.255.255", true],
  ["IpAddress", "0.0.0.0/0", "2001:db8::1", false],
  ["IpAddress", "0.0.0.0/1", "127.0.0.1", true],
  ["IpAddress", "0.0.0.0/1", "128.0.0.1", false],
  ["IpAddress", "10.0.0.0/8", "::ffff:10.1.2.3", true],
  ["IpAddress", "10.0.0.0/8", "::ffff:11.1.2.3", false],
  ["IpAddress", "10.0.0.0/8", "ten", false],
  ["IpAddress", "10.0.0.0/8", "", false],
  ["IpAddress", "10.0.0.0/8", "10.1.2.3, 1.1.1.1", false],
  ["IpAddress", "2001:db8::/32", "2001:db8::1", true],
  ["IpAddress", "2001:DB8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true],
  ["IpAddress", "2001:db8::/32", "2001:db9::", false],
  ["IpAddress", "2001:db8::/32", "10.1.2.3", false],
  ["IpAddress", "2001:db8::/33", "2001:db8:8000::1", false],
  ["IpAddress", "2001:db8::1", "2001:db8:0:0:0:0:0:1", true],
  ["IpAddress", "2001:db8::1", "2001:db8::2", false],
  ["IpAddress", "::/0", "2001:db8::1", true],
  ["IpAddress", "::1/128", "::1", true],
  ["NotIpAddress", "10.0.0.0/8", "10.1.2.3", false],
  ["NotIpAddress", "10.0.0.0/8", "11.0.0.0", true],
  ["NotIpAddress", "10.0.0.0/8", "2001:db8::1", true],
  ["NotIpAddress", "10.0.0.0/8", "ten", true],
];

const ANN = "arn:aws:iam::111122223333:user/ann";

const ARNS: readonly Row[] = [
  ["ArnEquals", ANN, ANN, true],
  ["ArnEquals", ANN, "arn:aws:iam::111122223333:user/Ann", false],
  ["ArnEquals", "arn:aws:iam::111122223333:user/*", ANN, true],
  ["ArnEquals", "*", ANN, true],
  ["ArnLike", "arn:aws:iam::*:user/ann", ANN, true],
  ["ArnLike", "arn:aws:iam::1111????3333:user/ann", ANN, true],
  ["ArnLike", "arn:aws:iam::1111???3333:user/ann", ANN, false],
  ["ArnLike", "arn:aws:*:*:*:*", ANN, true],
  ["ArnLike", "arn:*:*:*:*:ann", ANN, false],
  ["ArnLike", "arn:*:*:*:*:*ann", ANN, true],
  ["ArnLike", "arn:aws:iam::111122223333:root", ANN, false],
  ["ArnLike", "arn:aws:sns:*:1:t", "arn:aws:sns:eu-west-1:1:t", true],
  ["ArnLike", "arn:aws:sns:*:1:t", "arn:aws:sns:a:b:1:t", false],
  ["ArnLike", "arn:aws:sns:*:1:t:*", "arn:aws:sns:a:1:t:u:v", true],
  ["ArnLike", "arn:aws:sns:eu-*:1:t", "arn:aws:sns:us-east-1:1:t", false],
  ["ArnLike", "arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b:c", true],
  ["ArnLike", "arn:aws:s3:::b/*", "arn:aws:s3:::b", false],
  ["ArnLike", ANN, "ann", false],
  ["ArnLike", "arn:aws:iam::111122223333:user/*", "arn:aws:iam", false],
  ["ArnLike", "arn:aws:iam::${aws:PrincipalAccount}:user/ann", ANN, true],
  ["ArnLike", "arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}", ANN, true],
  ["ArnLike", "arn:aws:iam::${aws:PrincipalTag/none}:user/ann", ANN, false],
  ["ArnNotEquals", ANN, ANN, false],
  ["ArnNotEquals", ANN, "arn:aws:iam::111122223333:user/bob", true],
  ["ArnNotLike", "arn:aws:iam::*:user/*", ANN, false],
  ["ArnNotLike", "arn:aws:iam::*:role/*", ANN, true],
  ["ArnNotLike", "arn:aws:iam::*:role/*", "ann", true],
];

const OTHERS: readonly Row[] = [
  ["Bool", "${aws:username}", "ann", true],
  ["Bool", "${aws:PrincipalTag/none}", "true", false],
];

const CONTEXT: Readonly<Record<string, string>> = {
  "aws:username": "ann",
  "aws:principalaccount": "111122223333",
};

for (const [operator, wanted, given, holds] of [DATES, NETWORKS, ARNS, OTHERS].flat()) {
  Deno.test(`${operator} "${wanted}" ${holds ? "holds" : "does not hold"} for "${given}"`, () => {
    const conditions = parseConditions({ [operator]: { key: wanted } }, true);
    const context = { get: (key: string) => key === "key" ? given : CONTEXT[key] };
    strictEqual(conditions.every((condition) => condition.holds(context)), holds);
  });
}
