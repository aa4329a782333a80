/** The account as a whole, what the gateway does not have, and who may ask. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { IAM_ACTIONS } from "../../src/operations/iam/table.ts";
import { CONTROL_OPERATIONS, OPERATIONS } from "../../src/operations/table.ts";
import { S3Error } from "../../src/s3/errors.ts";
import { childrenOf } from "../../src/s3/xml_reader.ts";
import { createMemoryUsers } from "../../src/store/memory/users.ts";
import type { RequestRecord } from "../../src/telemetry/request_record.ts";
import {
  createIamGateway,
  DOCUMENT,
  formOf,
  type Input,
  NAMESPACE,
  readAnswer,
  texts,
} from "./iam_client.ts";
import { ACCOUNT, authenticateIn } from "./test_gateway.ts";

Deno.test("an account has one alias", async () => {
  const { must, fails } = await createIamGateway();
  const aliases = async (): Promise<readonly string[]> =>
    texts(await must("ListAccountAliases"), "AccountAliases", "member");
  deepStrictEqual(await aliases(), []);
  for (const alias of ["team-a", "team-b"]) {
    await must("CreateAccountAlias", { AccountAlias: alias });
  }
  deepStrictEqual(await aliases(), ["team-b"]);
  for (const alias of ["ab", "Team", "a--b", "-ab", "a".repeat(64)]) {
    await fails("ValidationError", "CreateAccountAlias", { AccountAlias: alias });
  }
  await fails("InvalidInput", "CreateAccountAlias", { AccountAlias: "123456789012" });
  await fails("NoSuchEntity", "DeleteAccountAlias", { AccountAlias: "team-a" });
  await must("DeleteAccountAlias", { AccountAlias: "team-b" });
  deepStrictEqual(await aliases(), []);
});

Deno.test("the summary and the details of an account show what it has", async () => {
  const { must, createUser, fails } = await createIamGateway();
  await createUser("bob");
  const made = await must("CreatePolicy", { PolicyName: "p", PolicyDocument: DOCUMENT });
  const [PolicyArn = ""] = texts(made, "Policy", "Arn");
  await must("CreateGroup", { GroupName: "devs" });
  await must("AddUserToGroup", { GroupName: "devs", UserName: "bob" });
  await must("AttachGroupPolicy", { GroupName: "devs", PolicyArn });
  await must("PutUserPolicy", { UserName: "bob", PolicyName: "in", PolicyDocument: DOCUMENT });
  await must("PutUserPermissionsBoundary", {
    UserName: "bob",
    PermissionsBoundary: "arn:aws:iam::aws:policy/AmazonS3FullAccess",
  });

  const summary = await must("GetAccountSummary");
  const entries = new Map(
    childrenOf(summary, "SummaryMap").flatMap((map) =>
      childrenOf(map, "entry").map((entry) => [texts(entry, "key")[0], texts(entry, "value")[0]])
    ),
  );
  deepStrictEqual(
    ["Users", "Groups", "Policies", "AccessKeysPerUserQuota", "Roles", "AccountMFAEnabled"]
      .map((key) => entries.get(key)),
    ["1", "1", "1", "2", "0", "0"],
  );

  const details = await must("GetAccountAuthorizationDetails");
  const user = childrenOf(details, "UserDetailList")[0]?.children[0];
  ok(user);
  deepStrictEqual(texts(user, "GroupList", "member"), ["devs"]);
  deepStrictEqual(texts(user, "UserPolicyList", "member", "PolicyName"), ["in"]);
  strictEqual(
    decodeURIComponent(texts(user, "UserPolicyList", "member", "PolicyDocument")[0] ?? ""),
    DOCUMENT,
  );
  deepStrictEqual(
    texts(details, "GroupDetailList", "member", "AttachedManagedPolicies", "member", "PolicyArn"),
    [PolicyArn],
  );
  deepStrictEqual(texts(details, "Policies", "member", "PolicyName"), ["AmazonS3FullAccess", "p"]);
  deepStrictEqual(
    texts(details, "Policies", "member", "PolicyVersionList", "member", "VersionId"),
    ["v2", "v1"],
  );

  const names: (readonly string[])[] = [];
  let marker: string | undefined;
  do {
    const page = await must("GetAccountAuthorizationDetails", {
      MaxItems: "1",
      Filter: ["User", "Group"],
      ...(marker !== undefined && { Marker: marker }),
    });
    names.push([
      ...texts(page, "UserDetailList", "member", "UserName"),
      ...texts(page, "GroupDetailList", "member", "GroupName"),
      ...texts(page, "Policies", "member", "PolicyName"),
    ]);
    [marker] = texts(page, "Marker");
  } while (marker !== undefined);
  deepStrictEqual(names, [["devs"], ["bob"]]);
  await fails("ValidationError", "GetAccountAuthorizationDetails", { Filter: ["Users"] });
});

/** What the gateway does not have, with the element of an empty list or the words of an error. */
const ABSENT: readonly (readonly [action: string, input: Input, answer: string])[] = [
  ["ListMFADevices", { UserName: "bob" }, "MFADevices"],
  ["ListVirtualMFADevices", {}, "VirtualMFADevices"],
  ["ListSSHPublicKeys", { UserName: "bob" }, "SSHPublicKeys"],
  ["ListSigningCertificates", { UserName: "bob" }, "Certificates"],
  ["ListServiceSpecificCredentials", { UserName: "bob" }, "ServiceSpecificCredentials"],
  ["ListRoles", { PathPrefix: "/" }, "Roles"],
  ["ListInstanceProfiles", {}, "InstanceProfiles"],
  ["ListServerCertificates", {}, "ServerCertificateMetadataList"],
  ["ListSAMLProviders", {}, "SAMLProviderList"],
  ["ListOpenIDConnectProviders", {}, "OpenIDConnectProviderList"],
  ["GetLoginProfile", { UserName: "bob" }, "Login Profile for User bob cannot be found."],
  ["DeleteLoginProfile", { UserName: "bob" }, "Login Profile for User bob cannot be found."],
  ["GetLoginProfile", { UserName: "none" }, "The user with name none cannot be found."],
  ["ListMFADevices", { UserName: "none" }, "The user with name none cannot be found."],
  ["GetRole", { RoleName: "r" }, "The role with name r cannot be found."],
  ["GetInstanceProfile", { InstanceProfileName: "i" }, "Instance Profile i cannot be found."],
  [
    "GetAccountPasswordPolicy",
    {},
    `The Password Policy with domain name ${ACCOUNT} cannot be found.`,
  ],
  [
    "GetOpenIDConnectProvider",
    { OpenIDConnectProviderArn: "arn" },
    "OpenIDConnect Provider not found for arn arn",
  ],
  [
    "DeleteSSHPublicKey",
    { UserName: "bob", SSHPublicKeyId: "k" },
    "The Public Key with id k cannot be found.",
  ],
];

Deno.test("what the gateway does not have is an empty list, or cannot be found", async () => {
  const { must, fails } = await createIamGateway();
  await must("CreateUser", { UserName: "bob" });
  for (const [action, input, answer] of ABSENT) {
    if (answer.includes(" ")) {
      strictEqual(await fails("NoSuchEntity", action, input), answer);
      continue;
    }
    const result = await must(action, input);
    strictEqual(result.children[0]?.name, answer);
    deepStrictEqual(result.children[0]?.children, []);
    deepStrictEqual(texts(result, "IsTruncated"), ["false"]);
  }
  strictEqual(await fails("NotImplemented", "CreateRole", {}), "CreateRole is not implemented");
});

Deno.test("every action is denied to a user without rights, before it finds or changes anything", async () => {
  const { call, createUser, users } = await createIamGateway();
  const bob = await createUser("bob");
  await createUser("carol");
  const before = users.current();
  const all: Input = {
    UserName: "carol",
    GroupName: "g",
    PolicyName: "p",
    PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/p`,
    PolicyDocument: DOCUMENT,
    PermissionsBoundary: "arn:aws:iam::aws:policy/AdministratorAccess",
    VersionId: "v1",
    AccessKeyId: "AKIANONE",
    Status: "Inactive",
    AccountAlias: "alias",
    RoleName: "r",
    InstanceProfileName: "i",
    ServerCertificateName: "c",
    SAMLProviderArn: "arn",
    OpenIDConnectProviderArn: "arn",
    SSHPublicKeyId: "k",
    CertificateId: "c",
    ServiceSpecificCredentialId: "c",
    SerialNumber: "s",
    PolicySourceArn: `arn:aws:iam::${ACCOUNT}:user/carol`,
    ActionNames: ["s3:GetObject"],
    PolicyInputList: [DOCUMENT],
    TagKeys: ["a"],
    Tags: [{ Key: "a", Value: "b" }],
  };
  ok(IAM_ACTIONS.length > 100);
  strictEqual(new Set(IAM_ACTIONS.map(({ name }) => name)).size, IAM_ACTIONS.length);
  for (const { name } of IAM_ACTIONS) {
    const { code, status, message } = await call(name, all, bob);
    strictEqual(code, "AccessDenied", `${name}: ${code} ${message}`);
    strictEqual(status, 403);
    match(
      message,
      new RegExp(
        `^User: arn:aws:iam::${ACCOUNT}:user/bob is not authorized to perform: iam:${name} on resource: (\\*|arn:aws:iam::\\S+)$`,
      ),
    );
  }
  strictEqual(users.current(), before);
});

Deno.test("policies and users of another account are out of reach", async () => {
  const { fails, must } = await createIamGateway();
  const PolicyArn = "arn:aws:iam::999999999999:policy/p";
  for (const action of ["GetPolicy", "DeletePolicy", "ListEntitiesForPolicy"]) {
    await fails("AccessDenied", action, { PolicyArn });
  }
  await must("CreateUser", { UserName: "bob" });
  await fails("NoSuchEntity", "AttachUserPolicy", { UserName: "bob", PolicyArn });
});

Deno.test("IAM is signed for us-east-1, whatever the region of the gateway", async () => {
  const { call, send } = await createIamGateway({
    region: "eu-central-1",
    authenticate: authenticateIn("eu-central-1"),
  });
  strictEqual((await call("ListUsers")).code, undefined);
  strictEqual((await call("ListUsers", {}, undefined, { region: "eu-central-1" })).code, undefined);
  const other = await call("ListUsers", {}, undefined, { region: "eu-west-1" });
  strictEqual(other.code, "SignatureDoesNotMatch");
  const sts = await send("POST", "/", {
    service: "sts",
    region: "us-east-1",
    statesHash: false,
    body: "Action=GetCallerIdentity&Version=2011-06-15",
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
  strictEqual(sts.status, 200, await sts.text());
});

Deno.test("the service of the signature, else the version, says which API is meant", async () => {
  const { call, send } = await createIamGateway();
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const listUsers = formOf("ListUsers", {});
  const got = await send("GET", `/?${listUsers}`, { service: "iam", statesHash: false });
  strictEqual((await readAnswer(got, "ListUsers")).code, undefined);
  const body = formOf("GetCallerIdentity", {}, "2011-06-15");
  const mixed = await call("ListUsers", {}, undefined, { body });
  strictEqual(mixed.code, "InvalidAction");
  strictEqual(mixed.message, "Could not find operation GetCallerIdentity for version 2011-06-15");
  for (const [action, code] of [["NoSuchAction", "InvalidAction"], ["", "InvalidAction"]]) {
    strictEqual((await call(action ?? "")).code, code);
  }
  const malformed = await call("ListUsers", {}, undefined, { body: "Action=%zz" });
  strictEqual(malformed.code, "MalformedQueryString");
  const unsigned = await send("POST", "/", { anonymous: true, body: listUsers, headers: form });
  strictEqual((await readAnswer(unsigned, "ListUsers")).code, "MissingAuthenticationToken");
  const wrong = await send("POST", "/", { service: "s3", body: listUsers, headers: form });
  strictEqual(
    (await readAnswer(wrong, "ListUsers")).message,
    "Credential should be scoped to correct service: 'iam'.",
  );
  const forSts = await send("POST", "/", { service: "sts", body: listUsers, headers: form });
  strictEqual((await forSts.text()).includes(NAMESPACE), false);
});

Deno.test("a form of IAM holds a long policy, and is bounded", async () => {
  const { call, must } = await createIamGateway();
  await must("CreateUser", { UserName: "bob" });
  const put = (length: number) =>
    call("PutUserPolicy", {
      UserName: "bob",
      PolicyName: "p",
      PolicyDocument: DOCUMENT,
      Unknown: "a".repeat(length),
    });
  strictEqual((await put(100 * 1024)).code, undefined);
  strictEqual((await put(128 * 1024)).code, "MaxMessageLengthExceeded");
});

Deno.test("no action has the name of an operation of S3, so that metrics tell them apart", () => {
  const names = new Set(OPERATIONS.map(({ name }) => name));
  for (const { name } of CONTROL_OPERATIONS) names.add(name);
  deepStrictEqual(IAM_ACTIONS.filter(({ name }) => names.has(name)), []);
});

Deno.test("actions are recorded by their names, and failures of the store reach the client", async () => {
  const records: RequestRecord[] = [];
  const users = createMemoryUsers();
  const { call } = await createIamGateway({
    users: {
      ...users,
      change: () =>
        Promise.reject(
          new S3Error("AccessDenied", {}, { message: "NATS_S3_USERS_KEY is not set" }),
        ),
    },
    observe: (record) => void records.push(record),
  });
  const refused = await call("CreateUser", { UserName: "bob" });
  deepStrictEqual([refused.status, refused.code, refused.message], [
    403,
    "AccessDenied",
    "NATS_S3_USERS_KEY is not set",
  ]);
  await call("ListUsers");
  deepStrictEqual(
    records.slice(1).map(({ operation, user, status, code }) => [operation, user, status, code]),
    [["CreateUser", "alice", 403, "AccessDenied"], ["ListUsers", "alice", 200, undefined]],
  );
});
