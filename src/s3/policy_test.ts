import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { formatPublicRead, isPublicRead, parsePolicy } from "./policy.ts";

const STATEMENT = {
  Effect: "Allow",
  Principal: "*",
  Action: "s3:GetObject",
  Resource: "arn:aws:s3:::photos/*",
};
const POLICY = { Version: "2012-10-17", Statement: [STATEMENT] };

function withStatement(change: Readonly<Record<string, unknown>>): unknown {
  return { ...POLICY, Statement: [{ ...STATEMENT, ...change }] };
}

Deno.test("parsePolicy() knows each spelling of the policy for everybody", () => {
  for (
    const policy of [
      POLICY,
      JSON.parse(formatPublicRead("photos")),
      { ...POLICY, Id: "Web" },
      { ...POLICY, Statement: STATEMENT },
      withStatement({ Sid: "PublicReadGetObject" }),
      withStatement({ Principal: { AWS: "*" } }),
      withStatement({ Principal: { AWS: ["*"] } }),
      withStatement({ Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::photos/*"] }),
    ]
  ) {
    for (const text of [JSON.stringify(policy), JSON.stringify(policy, null, 2)]) {
      deepStrictEqual(parsePolicy(text), { kind: "public-read", bucket: "photos" }, text);
    }
  }
});

Deno.test("parsePolicy() takes nothing else for it", () => {
  const { Effect: _effect, ...withoutEffect } = STATEMENT;
  for (
    const policy of [
      {},
      { Statement: [STATEMENT] },
      { ...POLICY, Version: "2008-10-17" },
      { ...POLICY, Id: 1 },
      { ...POLICY, Extra: "" },
      { ...POLICY, Statement: [] },
      { ...POLICY, Statement: [STATEMENT, STATEMENT] },
      { ...POLICY, Statement: [[STATEMENT]] },
      { ...POLICY, Statement: "Allow" },
      { ...POLICY, Statement: [withoutEffect] },
      withStatement({ Effect: "Deny" }),
      withStatement({ Effect: "allow" }),
      withStatement({ Sid: 1 }),
      withStatement({ Condition: {} }),
      withStatement({ NotAction: "s3:PutObject" }),
      withStatement({ Principal: "alice" }),
      withStatement({ Principal: ["*"] }),
      withStatement({ Principal: { AWS: "*", Service: "x" } }),
      withStatement({ Principal: { Service: "*" } }),
      withStatement({ Principal: { AWS: ["*", "*"] } }),
      withStatement({ Action: "s3:*" }),
      withStatement({ Action: ["s3:GetObject", "s3:PutObject"] }),
      withStatement({ Resource: "arn:aws:s3:::photos" }),
      withStatement({ Resource: "arn:aws:s3:::photos/a/*" }),
      withStatement({ Resource: "arn:aws:s3:::pho*/*" }),
      withStatement({ Resource: "arn:aws:s3:::${aws:username}/*" }),
      withStatement({ Resource: "arn:aws:s3:::/*" }),
      withStatement({ Resource: "*" }),
      withStatement({ Resource: { AWS: "*" } }),
    ]
  ) {
    const text = JSON.stringify(policy);
    deepStrictEqual(parsePolicy(text), { kind: "other" }, text);
  }
});

Deno.test("parsePolicy() takes a policy that says something twice for another one", () => {
  const text = JSON.stringify(POLICY);
  for (
    const twice of [
      text.replace('"Effect"', '"Effect":"Deny","Effect"'),
      text.replace('"Principal"', '"Principal":"alice","Principal"'),
      text.replace('"Statement"', '"Statement":[],"Statement"'),
    ]
  ) deepStrictEqual(parsePolicy(twice), { kind: "other" }, twice);
});

Deno.test("parsePolicy() refuses what is not JSON of an object", () => {
  for (
    const text of ["", " {}", "\ufeff{}", "[]", "null", '"{}"', "{", "{'a':1}", "{".repeat(1e5)]
  ) {
    throws(() => parsePolicy(text), { code: "MalformedPolicy" }, text.slice(0, 10));
  }
});

Deno.test("isPublicRead() is true only of the bucket that the policy names", () => {
  const text = formatPublicRead("photos");
  strictEqual(isPublicRead(text, "photos"), true);
  strictEqual(isPublicRead(text, "photo"), false);
  strictEqual(isPublicRead("{}", "photos"), false);
  strictEqual(isPublicRead("{", "photos"), false);
});
