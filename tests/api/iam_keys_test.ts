/** Access keys of IAM: made, listed, switched off and deleted; their secrets are shown once. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { createLog } from "../../src/telemetry/log.ts";
import { createIamGateway, DOCUMENT, texts } from "./iam_client.ts";
import { ACCOUNT } from "./test_gateway.ts";

Deno.test("a key is made, used, switched off and deleted", async () => {
  const { call, must, fails, createUser } = await createIamGateway();
  const bob = await createUser("bob");
  match(bob.accessKeyId, /^AKIA[A-Z2-7]{16}$/);
  match(bob.secret, /^[\w+/]{40}$/);
  const listed = await must("ListAccessKeys", {}, bob);
  const member = listed.children.find(({ name }) => name === "AccessKeyMetadata")?.children[0];
  deepStrictEqual(member?.children.map(({ name, text }) => [name, text]), [
    ["UserName", "bob"],
    ["AccessKeyId", bob.accessKeyId],
    ["Status", "Active"],
    ["CreateDate", "2024-05-01T10:00:00Z"],
  ]);
  const used = await must("GetAccessKeyLastUsed", { AccessKeyId: bob.accessKeyId }, bob);
  deepStrictEqual(texts(used, "UserName"), ["bob"]);
  deepStrictEqual(texts(used, "AccessKeyLastUsed", "ServiceName"), ["N/A"]);

  const status = (Status: string) => ({ AccessKeyId: bob.accessKeyId, UserName: "bob", Status });
  await must("UpdateAccessKey", status("Inactive"));
  strictEqual((await call("GetUser", {}, bob)).code, "InvalidClientTokenId");
  await must("UpdateAccessKey", status("Active"));
  await must("GetUser", {}, bob);
  for (const wrong of ["active", "", "Expired"]) {
    await fails("ValidationError", "UpdateAccessKey", status(wrong));
  }
  await must("DeleteAccessKey", { AccessKeyId: bob.accessKeyId }, bob);
  strictEqual((await call("GetUser", {}, bob)).code, "InvalidClientTokenId");
  strictEqual(
    await fails("NoSuchEntity", "DeleteAccessKey", { AccessKeyId: "AKIANONE", UserName: "bob" }),
    "The Access Key with id AKIANONE cannot be found.",
  );
});

Deno.test("a user rotates the own keys, and nobody else's", async () => {
  const { must, fails, createUser } = await createIamGateway();
  const [bob, carol] = [await createUser("bob"), await createUser("carol")];
  const made = await must("CreateAccessKey", {}, bob);
  const [accessKeyId = ""] = texts(made, "AccessKey", "AccessKeyId");
  const [secret = ""] = texts(made, "AccessKey", "SecretAccessKey");
  deepStrictEqual(texts(made, "AccessKey", "UserName"), ["bob"]);
  strictEqual(
    await fails("LimitExceeded", "CreateAccessKey", {}, bob),
    "Cannot exceed quota for AccessKeysPerUser: 2",
  );
  await must("DeleteAccessKey", { AccessKeyId: bob.accessKeyId }, { accessKeyId, secret });
  await must("ListAccessKeys", { UserName: "BOB" }, { accessKeyId, secret });

  const others = { UserName: "bob", AccessKeyId: accessKeyId, Status: "Inactive" };
  for (
    const action of [
      "CreateAccessKey",
      "ListAccessKeys",
      "UpdateAccessKey",
      "DeleteAccessKey",
      "GetAccessKeyLastUsed",
      "GetUser",
    ]
  ) {
    // A request that names a key alone is about nobody whom the caller may know.
    const resource = action === "GetAccessKeyLastUsed" ? "*" : `arn:aws:iam::${ACCOUNT}:user/bob`;
    strictEqual(
      await fails("AccessDenied", action, others, carol),
      `User: arn:aws:iam::${ACCOUNT}:user/carol is not authorized to perform: iam:${action} on resource: ${resource}`,
    );
  }
  // Somebody else's key that exists and one that does not look the same to the other actions.
  await fails("NoSuchEntity", "DeleteAccessKey", { AccessKeyId: accessKeyId }, carol);
});

Deno.test("the root of an account has keys of its own", async () => {
  const { must } = await createIamGateway();
  const made = await must("CreateAccessKey");
  deepStrictEqual(texts(made, "AccessKey", "UserName"), []);
  const [id = ""] = texts(made, "AccessKey", "AccessKeyId");
  const keys = async (): Promise<readonly string[]> =>
    texts(await must("ListAccessKeys"), "AccessKeyMetadata", "member", "AccessKeyId");
  deepStrictEqual(await keys(), [id]);
  await must("DeleteAccessKey", { AccessKeyId: id });
  deepStrictEqual(await keys(), []);
});

Deno.test("a secret is in the answer that made it, and nowhere else", async () => {
  const lines: string[] = [];
  const records: unknown[] = [];
  const log = createLog({
    level: "debug",
    format: "json",
    write: (_level, line) => void lines.push(line),
  });
  const { must, call, createUser } = await createIamGateway({
    log,
    observe: (record) => void records.push({ ...record }),
  });
  const bob = await createUser("bob");
  await must("PutUserPolicy", {
    UserName: "bob",
    PolicyName: "p",
    PolicyDocument: DOCUMENT,
  });
  const answers = [
    await call("GetUser", { UserName: "bob" }),
    await call("ListAccessKeys", { UserName: "bob" }),
    await call("GetAccountAuthorizationDetails"),
    await call("CreateAccessKey", { UserName: "none" }),
    await call("DeleteUser", { UserName: "bob" }),
  ];
  const shown = JSON.stringify([records, lines, answers.map(({ text }) => text)]);
  strictEqual(records.length > 6, true);
  strictEqual(shown.includes(bob.accessKeyId), true);
  strictEqual(shown.includes(bob.secret), false);
});
