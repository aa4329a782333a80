/** Groups, inline policies and managed policies of IAM. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { createIamGateway, DOCUMENT, texts } from "./iam_client.ts";
import { ACCOUNT } from "./test_gateway.ts";

const ARN = `arn:aws:iam::${ACCOUNT}`;
const ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess";
/** Text that a URL must encode, and that Amazon encodes also. */
const ODD = DOCUMENT.replace('"s3:GetObject"', '["s3:Get*", "s3:it\'s (a) ~!"]');

Deno.test("groups have members, and only an empty one is deleted", async () => {
  const { must, fails } = await createIamGateway();
  for (const name of ["bob", "carol"]) await must("CreateUser", { UserName: name });
  const made = await must("CreateGroup", { GroupName: "devs", Path: "/teams/" });
  const [id = ""] = texts(made, "Group", "GroupId");
  match(id, /^AGPA[A-Z2-7]{17}$/);
  deepStrictEqual(texts(made, "Group", "Arn"), [`${ARN}:group/teams/devs`]);
  await must("CreateGroup", { GroupName: "ops" });
  deepStrictEqual(
    texts(await must("ListGroups", { PathPrefix: "/teams/" }), "Groups", "member", "GroupName"),
    ["devs"],
  );

  for (const name of ["carol", "bob", "bob"]) {
    await must("AddUserToGroup", { GroupName: "devs", UserName: name });
  }
  const group = await must("GetGroup", { GroupName: "devs", MaxItems: "1" });
  deepStrictEqual(texts(group, "Users", "member", "UserName"), ["bob"]);
  const [marker = ""] = texts(group, "Marker");
  const rest = await must("GetGroup", { GroupName: "devs", Marker: marker });
  deepStrictEqual(texts(rest, "Users", "member", "UserName"), ["carol"]);
  deepStrictEqual(
    texts(await must("ListGroupsForUser", { UserName: "bob" }), "Groups", "member", "GroupId"),
    [id],
  );

  await must("UpdateGroup", { GroupName: "devs", NewGroupName: "developers", NewPath: "/" });
  await fails("NoSuchEntity", "GetGroup", { GroupName: "devs" });
  deepStrictEqual(
    texts(await must("ListGroupsForUser", { UserName: "bob" }), "Groups", "member", "Arn"),
    [`${ARN}:group/developers`],
  );
  await fails("DeleteConflict", "DeleteGroup", { GroupName: "developers" });
  await fails("DeleteConflict", "DeleteUser", { UserName: "bob" });
  for (const name of ["bob", "carol"]) {
    await must("RemoveUserFromGroup", { GroupName: "developers", UserName: name });
  }
  await must("DeleteGroup", { GroupName: "developers" });
  await fails("NoSuchEntity", "AddUserToGroup", { GroupName: "developers", UserName: "bob" });
  await fails("EntityAlreadyExists", "CreateGroup", { GroupName: "OPS" });
  await fails("ValidationError", "UpdateGroup", { GroupName: "ops", NewGroupName: "x y" });
});

for (const kind of ["User", "Group"] as const) {
  const owner = { [`${kind}Name`]: "staff" };

  Deno.test(`inline policies of a ${kind.toLowerCase()} are kept as they were put`, async () => {
    const { must, fails } = await createIamGateway();
    await must(`Create${kind}`, owner);
    for (const [name, document] of [["b", DOCUMENT], ["a", "{}"], ["a", ODD]] as const) {
      const input = { ...owner, PolicyName: name, PolicyDocument: document };
      if (document === "{}") await fails("MalformedPolicyDocument", `Put${kind}Policy`, input);
      else await must(`Put${kind}Policy`, input);
    }
    deepStrictEqual(
      texts(await must(`List${kind}Policies`, owner), "PolicyNames", "member"),
      ["a", "b"],
    );
    const got = await must(`Get${kind}Policy`, { ...owner, PolicyName: "a" });
    deepStrictEqual(texts(got, `${kind}Name`), ["staff"]);
    const [encoded = ""] = texts(got, "PolicyDocument");
    match(encoded, /^[\w.~%-]+$/);
    strictEqual(decodeURIComponent(encoded), ODD);
    await fails("DeleteConflict", `Delete${kind}`, owner);
    for (const name of ["a", "b"]) {
      await must(`Delete${kind}Policy`, { ...owner, PolicyName: name });
    }
    strictEqual(
      await fails("NoSuchEntity", `Get${kind}Policy`, { ...owner, PolicyName: "a" }),
      `The ${kind.toLowerCase()} policy with name a cannot be found.`,
    );
    await must(`Delete${kind}`, owner);
    await fails("NoSuchEntity", `Put${kind}Policy`, {
      ...owner,
      PolicyName: "a",
      PolicyDocument: DOCUMENT,
    });
  });

  Deno.test(`managed policies are attached to a ${kind.toLowerCase()} and detached`, async () => {
    const { must, fails } = await createIamGateway();
    await must(`Create${kind}`, owner);
    const made = await must("CreatePolicy", {
      PolicyName: "readers",
      Path: "/team/",
      PolicyDocument: DOCUMENT,
    });
    const [own = ""] = texts(made, "Policy", "Arn");
    strictEqual(own, `${ARN}:policy/team/readers`);
    for (const PolicyArn of [own, ADMINISTRATOR, own]) {
      await must(`Attach${kind}Policy`, { ...owner, PolicyArn });
    }
    const attached = async (input = {}): Promise<readonly string[]> =>
      texts(
        await must(`ListAttached${kind}Policies`, { ...owner, ...input }),
        "AttachedPolicies",
        "member",
        "PolicyArn",
      );
    deepStrictEqual(await attached(), [own, ADMINISTRATOR]);
    deepStrictEqual(await attached({ PathPrefix: "/team/" }), [own]);
    const entities = await must("ListEntitiesForPolicy", { PolicyArn: own });
    deepStrictEqual(texts(entities, `Policy${kind}s`, "member", `${kind}Name`), ["staff"]);
    const none = await must("ListEntitiesForPolicy", { PolicyArn: own, EntityFilter: "Role" });
    deepStrictEqual(texts(none, `Policy${kind}s`, "member"), []);
    const [count] = texts(await must("GetPolicy", { PolicyArn: own }), "Policy", "AttachmentCount");
    strictEqual(count, "1");
    await fails("DeleteConflict", "DeletePolicy", { PolicyArn: own });
    for (const PolicyArn of [own, ADMINISTRATOR]) {
      await must(`Detach${kind}Policy`, { ...owner, PolicyArn });
    }
    strictEqual(
      await fails("NoSuchEntity", `Detach${kind}Policy`, { ...owner, PolicyArn: own }),
      `Policy ${own} was not found.`,
    );
    strictEqual(
      await fails("NoSuchEntity", `Attach${kind}Policy`, { ...owner, PolicyArn: `${own}x` }),
      `Policy ${own}x does not exist or is not attachable.`,
    );
    await fails("ValidationError", `Attach${kind}Policy`, { ...owner, PolicyArn: "arn:aws" });
    await must("DeletePolicy", { PolicyArn: own });
  });
}

Deno.test("a managed policy has versions, of which one is in force", async () => {
  const { call, must, fails } = await createIamGateway();
  const made = await call("CreatePolicy", {
    PolicyName: "p",
    PolicyDocument: DOCUMENT,
    Description: "What <p> allows",
    Tags: [{ Key: "a", Value: "1" }],
  });
  const PolicyArn = `${ARN}:policy/p`;
  deepStrictEqual(texts(made.result, "Policy", "DefaultVersionId"), ["v1"]);
  const got = await must("GetPolicy", { PolicyArn });
  deepStrictEqual(texts(got, "Policy", "Description"), ["What <p> allows"]);
  deepStrictEqual(texts(got, "Policy", "Tags", "member", "Key"), ["a"]);
  const versions = async (): Promise<readonly string[]> =>
    texts(await must("ListPolicyVersions", { PolicyArn }), "Versions", "member", "VersionId");
  for (const SetAsDefault of ["true", "false", "false", "false"]) {
    await must("CreatePolicyVersion", { PolicyArn, PolicyDocument: ODD, SetAsDefault });
  }
  deepStrictEqual(await versions(), ["v5", "v4", "v3", "v2", "v1"]);
  match(
    await fails("LimitExceeded", "CreatePolicyVersion", { PolicyArn, PolicyDocument: DOCUMENT }),
    /up to 5 versions/,
  );
  const current = await must("GetPolicyVersion", { PolicyArn, VersionId: "v2" });
  deepStrictEqual(texts(current, "PolicyVersion", "IsDefaultVersion"), ["true"]);
  strictEqual(decodeURIComponent(texts(current, "PolicyVersion", "Document")[0] ?? ""), ODD);
  await fails("DeleteConflict", "DeletePolicyVersion", { PolicyArn, VersionId: "v2" });
  await fails("DeleteConflict", "DeletePolicy", { PolicyArn });
  await must("SetDefaultPolicyVersion", { PolicyArn, VersionId: "v4" });
  for (const VersionId of ["v1", "v2", "v3", "v5"]) {
    await must("DeletePolicyVersion", { PolicyArn, VersionId });
  }
  deepStrictEqual(await versions(), ["v4"]);
  await fails("NoSuchEntity", "GetPolicyVersion", { PolicyArn, VersionId: "v2" });
  await fails("EntityAlreadyExists", "CreatePolicy", {
    PolicyName: "P",
    PolicyDocument: DOCUMENT,
  });
  await must("DeletePolicy", { PolicyArn });
  await fails("NoSuchEntity", "GetPolicy", { PolicyArn });
});

Deno.test("Amazon's policies are listed, read and never changed", async () => {
  const { must, fails } = await createIamGateway();
  await must("CreatePolicy", { PolicyName: "own", PolicyDocument: DOCUMENT });
  const list = async (input: Readonly<Record<string, string>>): Promise<readonly string[]> =>
    texts(await must("ListPolicies", input), "Policies", "member", "PolicyName");
  const amazon = [
    "AdministratorAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
  ];
  deepStrictEqual(await list({ Scope: "AWS" }), amazon);
  deepStrictEqual(await list({ Scope: "Local" }), ["own"]);
  deepStrictEqual(await list({}), ["own", ...amazon]);
  deepStrictEqual(await list({ OnlyAttached: "true" }), []);
  await must("CreateUser", { UserName: "bob", PermissionsBoundary: ADMINISTRATOR });
  deepStrictEqual(await list({ OnlyAttached: "true" }), ["AdministratorAccess"]);
  deepStrictEqual(await list({ PolicyUsageFilter: "PermissionsPolicy" }), []);
  deepStrictEqual(await list({ PolicyUsageFilter: "PermissionsBoundary" }), [
    "AdministratorAccess",
  ]);
  await fails("ValidationError", "ListPolicies", { Scope: "local" });

  const version = await must("GetPolicyVersion", { PolicyArn: ADMINISTRATOR, VersionId: "v1" });
  deepStrictEqual(
    JSON.parse(decodeURIComponent(texts(version, "PolicyVersion", "Document")[0] ?? "")),
    { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
  );
  for (
    const [action, input] of [
      ["DeletePolicy", {}],
      ["CreatePolicyVersion", { PolicyDocument: DOCUMENT }],
      ["SetDefaultPolicyVersion", { VersionId: "v1" }],
      ["TagPolicy", { Tags: [{ Key: "a", Value: "b" }] }],
    ] as const
  ) {
    await fails("AccessDenied", action, { PolicyArn: ADMINISTRATOR, ...input });
  }
});
