/** Users of IAM: made, described, listed, renamed, tagged, bounded and deleted. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { updateUser } from "../../src/iam/changes/users.ts";
import { createMemoryUsers } from "../../src/store/memory/users.ts";
import { createIamGateway, DOCUMENT, texts } from "./iam_client.ts";
import { ACCOUNT } from "./test_gateway.ts";

const ARN = `arn:aws:iam::${ACCOUNT}`;
const READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

Deno.test("a user is made, described and deleted", async () => {
  const { call, must, fails } = await createIamGateway();
  const made = await call("CreateUser", {
    UserName: "bob",
    Path: "/staff/",
    PermissionsBoundary: READ_ONLY,
    Tags: [{ Key: "team", Value: "a+b" }, { Key: "x", Value: "" }],
  });
  const [id = ""] = texts(made.result, "User", "UserId");
  match(id, /^AIDA[A-Z2-7]{17}$/);
  strictEqual(
    made.text.replace(id, "ID").replace(/REQUEST\d+/, "REQUEST"),
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<CreateUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateUserResult><User>' +
      "<Path>/staff/</Path><UserName>bob</UserName><UserId>ID</UserId>" +
      `<Arn>${ARN}:user/staff/bob</Arn><CreateDate>2024-05-01T10:00:00Z</CreateDate>` +
      "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>" +
      `<PermissionsBoundaryArn>${READ_ONLY}</PermissionsBoundaryArn></PermissionsBoundary>` +
      "<Tags><member><Key>team</Key><Value>a+b</Value></member>" +
      "<member><Key>x</Key><Value></Value></member></Tags></User></CreateUserResult>" +
      "<ResponseMetadata><RequestId>REQUEST</RequestId></ResponseMetadata></CreateUserResponse>",
  );
  const described = await call("GetUser", { UserName: "BOB" });
  strictEqual(
    described.text.split("Result>")[1],
    made.text.split("Result>")[1]?.replace(
      "CreateUser",
      "GetUser",
    ),
  );

  await must("DeleteUserPermissionsBoundary", { UserName: "bob" });
  deepStrictEqual(
    texts(await must("GetUser", { UserName: "bob" }), "User", "PermissionsBoundary"),
    [],
  );
  await must("PutUserPermissionsBoundary", { UserName: "bob", PermissionsBoundary: READ_ONLY });
  await must("UpdateUser", { UserName: "bob", NewUserName: "Robert", NewPath: "/" });
  const [renamed] = texts(await must("GetUser", { UserName: "robert" }), "User", "UserId");
  strictEqual(renamed, id);
  strictEqual(
    await fails("NoSuchEntity", "GetUser", { UserName: "bob" }),
    "The user with name bob cannot be found.",
  );
  const deleted = await call("DeleteUser", { UserName: "robert" });
  strictEqual(deleted.text.includes("Result"), false, deleted.text);
  await fails("NoSuchEntity", "DeleteUser", { UserName: "robert" });
});

Deno.test("GetUser without a name describes the caller", async () => {
  const { must, createUser } = await createIamGateway();
  const bob = await createUser("bob", "/staff/");
  deepStrictEqual(texts(await must("GetUser", {}, bob), "User", "Arn"), [`${ARN}:user/staff/bob`]);
  const root = await must("GetUser");
  deepStrictEqual(texts(root, "User", "Arn"), [`${ARN}:root`]);
  deepStrictEqual(texts(root, "User", "UserId"), [ACCOUNT]);
  deepStrictEqual(texts(root, "User", "UserName"), []);
});

Deno.test("lists are in pages, and go on where they stopped", async () => {
  const { must, fails } = await createIamGateway();
  for (const name of ["e", "B", "d", "a", "c"]) {
    await must("CreateUser", { UserName: name, Path: name === "d" ? "/other/" : "/team/" });
  }
  const all: string[] = [];
  let marker: string | undefined;
  let pages = 0;
  do {
    const page = await must("ListUsers", {
      MaxItems: "2",
      ...(marker !== undefined && { Marker: marker }),
    });
    all.push(...texts(page, "Users", "member", "UserName"));
    [marker] = texts(page, "Marker");
    deepStrictEqual(texts(page, "IsTruncated"), [String(marker !== undefined)]);
    // A user who goes while the list is read takes no other one along.
    if (++pages === 1) await must("DeleteUser", { UserName: "B" });
  } while (marker !== undefined);
  deepStrictEqual(all, ["a", "B", "c", "d", "e"]);
  const found = await must("ListUsers", { PathPrefix: "/team/" });
  deepStrictEqual(texts(found, "Users", "member", "UserName"), ["a", "c", "e"]);
  for (const input of [{ MaxItems: "0" }, { MaxItems: "1001" }, { MaxItems: "x" }]) {
    await fails("ValidationError", "ListUsers", input);
  }
  for (const marker of ["", "%", "a b"]) {
    strictEqual(await fails("InvalidInput", "ListUsers", { Marker: marker }), "Invalid Marker.");
  }
});

Deno.test("tags of users and policies are set, listed and removed", async () => {
  const { must, fails } = await createIamGateway();
  await must("CreateUser", { UserName: "bob" });
  const policy = await must("CreatePolicy", { PolicyName: "p", PolicyDocument: DOCUMENT });
  const [arn = ""] = texts(policy, "Policy", "Arn");
  for (
    const [kind, target] of [
      ["User", { UserName: "bob" }],
      ["Policy", { PolicyArn: arn }],
    ] as const
  ) {
    const keys = async (): Promise<readonly string[]> =>
      texts(await must(`List${kind}Tags`, target), "Tags", "member", "Key");
    deepStrictEqual(await keys(), []);
    await must(`Tag${kind}`, {
      ...target,
      Tags: [{ Key: "b", Value: "1" }, { Key: "a", Value: "2" }, { Key: "c", Value: "" }],
    });
    deepStrictEqual(await keys(), ["a", "b", "c"]);
    const page = await must(`List${kind}Tags`, { ...target, MaxItems: "2" });
    deepStrictEqual(texts(page, "IsTruncated"), ["true"]);
    await must(`Untag${kind}`, { ...target, TagKeys: ["A", "c", "none"] });
    deepStrictEqual(await keys(), ["b"]);
    await fails("InvalidInput", `Tag${kind}`, { ...target, Tags: [{ Key: "aws:x", Value: "" }] });
    await fails("ValidationError", `Tag${kind}`, { ...target, Tags: [{ Key: "x" }] });
  }
});

Deno.test("of simultaneous requests for one name or a third key the last are refused", async () => {
  const { call, users } = await createIamGateway();
  const same = await Promise.all(
    ["bob", "Bob", "BOB"].map((UserName) => call("CreateUser", { UserName })),
  );
  deepStrictEqual(same.map(({ code }) => code).sort(), [
    "EntityAlreadyExists",
    "EntityAlreadyExists",
    undefined,
  ]);
  const keys = await Promise.all(
    [1, 2, 3].map(() => call("CreateAccessKey", { UserName: "bob" })),
  );
  deepStrictEqual(keys.map(({ code }) => code).sort(), ["LimitExceeded", undefined, undefined]);
  // Each answer has the key that its own request made.
  const made = keys.flatMap(({ result, code }) =>
    code === undefined ? texts(result, "AccessKey", "AccessKeyId") : []
  );
  deepStrictEqual(
    made.toSorted(),
    users.current()?.user(ACCOUNT, "bob")?.keys.map(({ id }) => id).sort(),
  );
  ok(made[0] !== made[1]);
});

Deno.test("a user or group may be renamed by those who may change the old and the new one", async () => {
  const { must, call, fails, createUser } = await createIamGateway();
  const bob = await createUser("bob", "/dev/");
  const policyOn = (...resources: readonly string[]): Promise<unknown> =>
    must("PutUserPolicy", {
      UserName: "bob",
      PolicyName: "p",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: {
          Effect: "Allow",
          Action: ["iam:UpdateUser", "iam:UpdateGroup"],
          Resource: resources.map((resource) => `${ARN}:${resource}`),
        },
      }),
    });
  await policyOn("user/dev/*", "group/dev/*");
  await must("CreateUser", { UserName: "eve", Path: "/dev/" });
  await must("CreateGroup", { GroupName: "eve", Path: "/dev/" });
  for (const kind of ["User", "Group"]) {
    const eve = { [`${kind}Name`]: "eve" };
    await fails("AccessDenied", `Update${kind}`, { ...eve, NewPath: "/admin/" }, bob);
    await must(`Update${kind}`, { ...eve, NewPath: "/dev/a/" }, bob);
    await policyOn("user/dev/*", "group/dev/*", "user/admin/*", "group/admin/*");
    strictEqual((await call(`Update${kind}`, { ...eve, NewPath: "/admin/" }, bob)).code, undefined);
    await policyOn("user/dev/a/eve", "group/dev/*", "user/admin/eve", "group/admin/eve");
    await fails("AccessDenied", `Update${kind}`, { ...eve, [`New${kind}Name`]: "ann" }, bob);
    await policyOn("user/dev/*", "group/dev/*");
  }
});

Deno.test("a change that another one overtook is allowed again, or refused", async () => {
  const users = createMemoryUsers();
  let isOvertaken = false;
  const { must, call, createUser } = await createIamGateway({
    users: {
      ...users,
      // Another gateway moves the user between the permission and the change.
      async change(plan) {
        if (isOvertaken) {
          isOvertaken = false;
          await users.change((d) =>
            updateUser(d, { account: ACCOUNT, name: "eve", newPath: "/admin/" })
          );
        }
        return await users.change(plan);
      },
    },
  });
  const bob = await createUser("bob");
  const statement = { Effect: "Allow", Action: "iam:DeleteUser", Resource: `${ARN}:user/dev/*` };
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statement });
  await must("PutUserPolicy", { UserName: "bob", PolicyName: "p", PolicyDocument });
  for (const isLate of [true, false]) {
    await must("CreateUser", { UserName: "eve", Path: "/dev/" });
    isOvertaken = isLate;
    const eve = { UserName: "eve" };
    const outcome = await call("DeleteUser", eve, bob);
    strictEqual(outcome.code, isLate ? "AccessDenied" : undefined);
    if (isLate) await must("DeleteUser", eve);
  }
});
