/** What policies decide: about calls to IAM themselves, and in simulations. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { XmlElement } from "../../src/s3/xml_reader.ts";
import { childrenOf } from "../../src/s3/xml_reader.ts";
import { createIamGateway, type Input, texts } from "./iam_client.ts";
import { ACCOUNT } from "./test_gateway.ts";

const ARN = `arn:aws:iam::${ACCOUNT}`;

/** Returns a policy document. */
function document(...statements: readonly Readonly<Record<string, unknown>>[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map((one) => ({ Effect: "Allow", Resource: "*", ...one })),
  });
}

Deno.test("policies decide who may call IAM, about whom and under which conditions", async () => {
  const { must, fails, createUser } = await createIamGateway();
  const bob = await createUser("bob");
  await createUser("carol", "/team/");
  await createUser("dave");
  const put = (text: string) =>
    must("PutUserPolicy", { UserName: "bob", PolicyName: "p", PolicyDocument: text });
  await put(document(
    { Action: ["iam:*User*", "iam:AttachUserPolicy"], Resource: `${ARN}:user/team/*` },
    {
      Effect: "Deny",
      Action: "iam:AttachUserPolicy",
      Condition: {
        ArnNotEquals: { "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" },
      },
    },
    {
      Effect: "Deny",
      Action: "iam:CreateUser",
      Condition: { Null: { "aws:RequestTag/team": "true" } },
    },
  ));
  await must("GetUser", { UserName: "carol" }, bob);
  await fails("AccessDenied", "GetUser", { UserName: "dave" }, bob);
  const tags = { Tags: [{ Key: "team", Value: "a" }] };
  await fails("AccessDenied", "CreateUser", { UserName: "eve", Path: "/team/" }, bob);
  await fails("AccessDenied", "CreateUser", { UserName: "eve", ...tags }, bob);
  await must("CreateUser", { UserName: "eve", Path: "/team/", ...tags }, bob);
  const policy = (name: string): Input => ({
    UserName: "carol",
    PolicyArn: `arn:aws:iam::aws:policy/${name}`,
  });
  await must("AttachUserPolicy", policy("AmazonS3ReadOnlyAccess"), bob);
  await fails("AccessDenied", "AttachUserPolicy", policy("AdministratorAccess"), bob);

  // The own keys can be denied, and a boundary restricts them also.
  await must("ListAccessKeys", {}, bob);
  await put(document({ Effect: "Deny", Action: "iam:CreateAccessKey" }));
  await fails("AccessDenied", "CreateAccessKey", {}, bob);
  await must("ListAccessKeys", {}, bob);
  await must("PutUserPermissionsBoundary", {
    UserName: "bob",
    PermissionsBoundary: "arn:aws:iam::aws:policy/AmazonS3FullAccess",
  });
  await fails("AccessDenied", "ListAccessKeys", {}, bob);
  await must("PutUserPermissionsBoundary", {
    UserName: "bob",
    PermissionsBoundary: "arn:aws:iam::aws:policy/IAMReadOnlyAccess",
  });
  await must("ListAccessKeys", {}, bob);
});

Deno.test("a group's policy allows its members, and Amazon's policies do as they say", async () => {
  const { must, fails, createUser } = await createIamGateway();
  const bob = await createUser("bob");
  await must("CreateGroup", { GroupName: "admins" });
  await must("AttachGroupPolicy", {
    GroupName: "admins",
    PolicyArn: "arn:aws:iam::aws:policy/IAMFullAccess",
  });
  await fails("AccessDenied", "CreateUser", { UserName: "eve" }, bob);
  await must("AddUserToGroup", { GroupName: "admins", UserName: "bob" });
  await must("CreateUser", { UserName: "eve" }, bob);
  await must("DeleteUser", { UserName: "eve" }, bob);
  await must("RemoveUserFromGroup", { GroupName: "admins", UserName: "bob" }, bob);
  await fails("AccessDenied", "RemoveUserFromGroup", { GroupName: "admins", UserName: "bob" }, bob);
});

Deno.test("policies that IAM does not understand are refused with the reason", async () => {
  const { must, fails } = await createIamGateway();
  await must("CreateUser", { UserName: "bob" });
  for (
    const [text, reason] of [
      ["{", /Syntax errors/],
      [document({ Action: "GetObject" }), /vendor/],
      [document({ Action: "s3:*", Principal: "*" }), /should not specify a principal/],
      [document({ Action: "s3:*", Resource: "photos" }), /ARN/],
      [document({ Action: "s3:*", Effect: "Permit" }), /Syntax errors/],
      ['{"Version":"2012-10-17","Statement":[]}', /Syntax errors/],
      [document({ Action: "s3:*" }).replace('"Statement"', '"Statement":[],"Statement"'), /./],
    ] as const
  ) {
    for (const action of ["PutUserPolicy", "CreatePolicy"]) {
      const input = { UserName: "bob", PolicyName: "p", PolicyDocument: text };
      match(await fails("MalformedPolicyDocument", action, input), reason);
    }
  }
});

/** Returns the results of a simulation: action, resource and decision. */
function decisions(result: XmlElement): readonly (readonly string[])[] {
  return childrenOf(result, "EvaluationResults").flatMap((list) =>
    childrenOf(list, "member").map((one) => [
      ...texts(one, "EvalActionName"),
      ...texts(one, "EvalDecision"),
    ])
  );
}

Deno.test("SimulatePrincipalPolicy says what a user and a group may do", async () => {
  const { must, fails } = await createIamGateway();
  await must("CreateUser", { UserName: "bob" });
  await must("CreateGroup", { GroupName: "readers" });
  await must("PutGroupPolicy", {
    GroupName: "readers",
    PolicyName: "read",
    PolicyDocument: document({
      Action: "s3:GetObject",
      Resource: "arn:aws:s3:::home/${aws:username}/*",
    }),
  });
  await must("AddUserToGroup", { GroupName: "readers", UserName: "bob" });
  const user = { PolicySourceArn: `${ARN}:user/bob` };
  const own = "arn:aws:s3:::home/bob/a";
  const other = "arn:aws:s3:::home/carol/a";
  const asked = await must("SimulatePrincipalPolicy", {
    ...user,
    ActionNames: ["s3:GetObject", "s3:PutObject"],
    ResourceArns: [own, other],
  });
  deepStrictEqual(decisions(asked), [
    ["s3:GetObject", "implicitDeny"],
    ["s3:PutObject", "implicitDeny"],
  ]);
  deepStrictEqual(
    texts(
      asked,
      "EvaluationResults",
      "member",
      "ResourceSpecificResults",
      "member",
      "EvalResourceDecision",
    ),
    ["allowed", "implicitDeny", "implicitDeny", "implicitDeny"],
  );
  const one = await must("SimulatePrincipalPolicy", {
    ...user,
    ActionNames: ["s3:GetObject"],
    ResourceArns: [own],
  });
  deepStrictEqual(decisions(one), [["s3:GetObject", "allowed"]]);
  const matched = ["EvaluationResults", "member", "MatchedStatements", "member"];
  deepStrictEqual(texts(one, ...matched, "SourcePolicyId"), [
    "inline policy read of group readers",
  ]);
  deepStrictEqual(texts(one, ...matched, "SourcePolicyType"), ["group"]);

  const denied = await must("SimulatePrincipalPolicy", {
    ...user,
    ActionNames: ["s3:GetObject"],
    ResourceArns: [own],
    PolicyInputList: [document({ Effect: "Deny", Action: "s3:*" })],
  });
  deepStrictEqual(decisions(denied), [["s3:GetObject", "explicitDeny"]]);
  const bounded = await must("SimulatePrincipalPolicy", {
    ...user,
    ActionNames: ["s3:GetObject"],
    ResourceArns: [own],
    PermissionsBoundaryPolicyInputList: [document({ Action: "s3:PutObject" })],
  });
  deepStrictEqual(decisions(bounded), [["s3:GetObject", "implicitDeny"]]);
  deepStrictEqual(
    texts(
      bounded,
      "EvaluationResults",
      "member",
      "PermissionsBoundaryDecisionDetail",
      "AllowedByPermissionsBoundary",
    ),
    ["false"],
  );

  // A group has no name that a variable could stand for, unless the request gives one.
  const group = { PolicySourceArn: `${ARN}:group/readers`, ActionNames: ["s3:GetObject"] };
  const missing = await must("SimulatePrincipalPolicy", group);
  deepStrictEqual(
    texts(missing, "EvaluationResults", "member", "MissingContextValues", "member"),
    ["aws:username"],
  );
  const given = await must("SimulatePrincipalPolicy", {
    ...group,
    ResourceArns: [other],
    CallerArn: `${ARN}:user/carol`,
  });
  deepStrictEqual(decisions(given), [["s3:GetObject", "allowed"]]);
  deepStrictEqual(
    texts(await must("GetContextKeysForPrincipalPolicy", user), "ContextKeyNames", "member"),
    ["aws:username"],
  );

  for (const name of ["none", "team/bob"]) {
    const input = { ...group, PolicySourceArn: `${ARN}:user/${name}` };
    await fails("NoSuchEntity", "SimulatePrincipalPolicy", input);
  }
  await fails("AccessDenied", "SimulatePrincipalPolicy", {
    ...group,
    PolicySourceArn: "arn:aws:iam::999999999999:user/bob",
  });
  await fails("InvalidInput", "SimulatePrincipalPolicy", {
    ...group,
    PolicySourceArn: `${ARN}:instance/bob`,
  });
});

Deno.test("SimulateCustomPolicy takes all policies and values from the request", async () => {
  const { must, fails } = await createIamGateway();
  const policy = document({
    Action: "s3:ListBucket",
    Condition: { StringEquals: { "s3:prefix": ["a/", "b/"] } },
  });
  const ask = (more: Input) =>
    must("SimulateCustomPolicy", {
      PolicyInputList: [policy],
      ActionNames: ["s3:ListBucket"],
      ...more,
    });
  const without = await ask({});
  deepStrictEqual(decisions(without), [["s3:ListBucket", "implicitDeny"]]);
  deepStrictEqual(texts(without, "EvaluationResults", "member", "EvalResourceName"), ["*"]);
  deepStrictEqual(
    texts(without, "EvaluationResults", "member", "MissingContextValues", "member"),
    ["s3:prefix"],
  );
  const entry = { ContextKeyName: "s3:Prefix", ContextKeyType: "string" };
  for (const [value, decision] of [["b/", "allowed"], ["c/", "implicitDeny"]] as const) {
    const given = await ask({
      ContextEntries: [{ ...entry, "ContextKeyValues.member.1": value }],
    });
    deepStrictEqual(decisions(given), [["s3:ListBucket", decision]]);
  }

  const resourcePolicy = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { AWS: `${ARN}:user/bob` },
      Action: "s3:GetObject",
      Resource: "arn:aws:s3:::photos/*",
    },
  });
  const across = {
    ActionNames: ["s3:GetObject"],
    ResourceArns: ["arn:aws:s3:::photos/a"],
    CallerArn: `${ARN}:user/bob`,
    ResourcePolicy: resourcePolicy,
  };
  deepStrictEqual(decisions(await ask(across)), [["s3:GetObject", "allowed"]]);
  const foreign = { ...across, ResourceOwner: "arn:aws:iam::999999999999:root" };
  deepStrictEqual(decisions(await ask(foreign)), [["s3:GetObject", "implicitDeny"]]);

  const keys = await must("GetContextKeysForCustomPolicy", {
    PolicyInputList: [policy, document({ Action: "s3:*", Resource: "arn:aws:s3:::${aws:userid}" })],
  });
  deepStrictEqual(texts(keys, "ContextKeyNames", "member"), ["aws:userid", "s3:prefix"]);

  for (
    const [input, code] of [
      [{ PolicyInputList: ["{"] }, "InvalidInput"],
      [{ ActionNames: ["ListBucket"] }, "InvalidInput"],
      [{ ActionNames: [] }, "ValidationError"],
      [{ PolicyInputList: [] }, "ValidationError"],
      [{ ResourceArns: ["photos"] }, "InvalidInput"],
      [{ ResourcePolicy: resourcePolicy }, "InvalidInput"],
      [{ CallerArn: "bob" }, "InvalidInput"],
    ] as const
  ) {
    await fails(code, "SimulateCustomPolicy", {
      PolicyInputList: [policy],
      ActionNames: ["s3:ListBucket"],
      ...input,
    });
  }
});

Deno.test("a page of a simulation has a thousand pairs of actions and resources at most", async () => {
  const { must } = await createIamGateway();
  const names = (count: number, name: string) =>
    Array.from({ length: count }, (_, i) => `${name}${i}`);
  const input = {
    PolicyInputList: [document({ Action: "s3:*" })],
    ActionNames: names(30, "s3:A"),
    ResourceArns: names(100, "arn:aws:s3:::b"),
  };
  const first = await must("SimulateCustomPolicy", input);
  strictEqual(decisions(first).length, 10);
  const [Marker = ""] = texts(first, "Marker");
  const second = await must("SimulateCustomPolicy", { ...input, Marker });
  deepStrictEqual(decisions(second)[0], ["s3:A10", "allowed"]);
});
