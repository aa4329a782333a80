/**
 * Replays the requests that Terraform's aws_iam_* resources make, from creation to destruction, in their order.
 *
 * They were recorded from Terraform's AWS provider 5.100 with one user, two groups and two policies.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createIamGateway, DOCUMENT, type IamGateway, type Input, texts } from "./iam_client.ts";
import { ACCOUNT } from "./test_gateway.ts";

/** A request, and a text that its answer shows; an answer that is an error shows its code. */
type Step = readonly [action: string, input: Input, shows?: string];

const alice = { UserName: "alice" };
const devs = { GroupName: "devs" };
const ops = { GroupName: "ops" };
const read = { PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/team/read` };
const second = { PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/second` };
const readOnly = { PolicyArn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" };
const inline = { PolicyName: "inline" };
const document = { PolicyDocument: DOCUMENT };
const team = (value: string): Input => ({ Tags: [{ Key: "team", Value: value }] });

/** Makes everything. */
const CREATE: readonly Step[] = [
  ["CreatePolicy", {
    ...document,
    ...team("one"),
    Description: "reads",
    Path: "/team/",
    PolicyName: "read",
  }, read.PolicyArn],
  ["CreatePolicy", { ...document, Description: "", Path: "/", PolicyName: "second" }],
  ["CreateGroup", { ...ops, Path: "/" }],
  ["CreateGroup", { ...devs, Path: "/team/" }],
  ["CreateUser", {
    ...alice,
    ...team("one"),
    Path: "/team/",
    PermissionsBoundary: "arn:aws:iam::aws:policy/AmazonS3FullAccess",
  }],
  ["CreateAccountAlias", { AccountAlias: "team-a" }],
  ["CreateAccessKey", alice, "<SecretAccessKey>"],
  ["PutUserPolicy", { ...alice, ...inline, ...document }],
  ["PutGroupPolicy", { ...devs, ...inline, ...document }],
  ["AttachUserPolicy", { ...alice, ...read }],
  ["AttachGroupPolicy", { ...devs, ...readOnly }],
  ["AddUserToGroup", { ...ops, ...alice }],
  ["AddUserToGroup", { ...devs, ...alice }],
  ["AttachGroupPolicy", { ...ops, ...second }],
  ["AttachUserPolicy", { ...alice, ...second }],
];

/** Reads everything, as after its creation and for every plan. */
const refresh = (version: string): readonly Step[] => [
  ["GetUser", alice, "AmazonS3FullAccess"],
  ["GetGroup", ops, "<UserName>alice</UserName>"],
  ["GetGroup", devs, "<IsTruncated>false</IsTruncated>"],
  ["GetPolicy", read, "<Description>reads</Description>"],
  ["GetPolicyVersion", { ...read, VersionId: version }, "<IsDefaultVersion>true"],
  ["GetPolicy", second, `<DefaultVersionId>${version}</DefaultVersionId>`],
  ["GetPolicyVersion", { ...second, VersionId: version }, "%22Version%22%3A%222012-10-17%22"],
  ["ListAccountAliases", {}, "<member>team-a</member>"],
  ["ListAccessKeys", alice, "<Status>Active</Status>"],
  ["GetUserPolicy", { ...alice, ...inline }, "<PolicyName>inline</PolicyName>"],
  ["GetGroupPolicy", { ...devs, ...inline }, "<GroupName>devs</GroupName>"],
  ["ListGroupsForUser", alice, "<GroupName>ops</GroupName>"],
  ["ListAttachedUserPolicies", alice, read.PolicyArn],
  ["ListAttachedGroupPolicies", devs, readOnly.PolicyArn],
  ["ListEntitiesForPolicy", second, "<UserName>alice</UserName>"],
];

/** Changes tags, paths and policies. */
const UPDATE: readonly Step[] = [
  ["TagUser", { ...alice, ...team("two") }],
  ["UpdateGroup", { ...devs, NewGroupName: "devs", NewPath: "/other/" }],
  ["TagPolicy", { ...read, ...team("two") }],
  ["ListPolicyVersions", second, "<VersionId>v1</VersionId>"],
  ["CreatePolicyVersion", { ...second, ...document, SetAsDefault: "true" }, "v2"],
  ["UpdateUser", { ...alice, NewUserName: "alice", NewPath: "/other/" }],
  ["ListPolicyVersions", read],
  ["CreatePolicyVersion", { ...read, ...document, SetAsDefault: "true" }, "v2"],
  ["PutUserPolicy", { ...alice, ...inline, ...document }],
  ["PutGroupPolicy", { ...devs, ...inline, ...document }],
  // Somebody else adds what force_destroy has to remove.
  ["CreateAccessKey", alice],
  ["PutUserPolicy", { ...alice, ...document, PolicyName: "extra" }],
];

/** Destroys everything; `force_destroy` of the user removes what Terraform did not make. */
const DESTROY: readonly Step[] = [
  ["DeleteAccessKey", { ...alice, AccessKeyId: "{0}" }],
  ["DeleteAccountAlias", { AccountAlias: "team-a" }],
  ["DetachGroupPolicy", { ...ops, ...second }],
  ["RemoveUserFromGroup", { ...ops, ...alice }],
  ["DeleteUserPolicy", { ...alice, ...inline }],
  ["RemoveUserFromGroup", { ...devs, ...alice }],
  ["DetachGroupPolicy", { ...devs, ...readOnly }],
  ["DeleteGroupPolicy", { ...devs, ...inline }],
  ["DetachUserPolicy", { ...alice, ...second }],
  ["DetachUserPolicy", { ...alice, ...read }],
  ["DeleteGroup", devs],
  ["DeleteGroup", ops],
  ["ListPolicyVersions", second],
  ["DeletePolicyVersion", { ...second, VersionId: "v1" }],
  ["DeletePolicy", second],
  ["ListPolicyVersions", read],
  ["DeletePolicyVersion", { ...read, VersionId: "v1" }],
  ["DeletePolicy", read],
  ["ListGroupsForUser", alice],
  ["ListUserPolicies", alice, "<member>extra</member>"],
  ["DeleteUserPolicy", { ...alice, PolicyName: "extra" }],
  ["ListAttachedUserPolicies", alice],
  ["ListAccessKeys", alice],
  ["DeleteAccessKey", { ...alice, AccessKeyId: "{1}" }],
  ["ListSSHPublicKeys", alice],
  ["ListVirtualMFADevices", { AssignmentStatus: "Assigned" }],
  ["ListMFADevices", alice],
  ["DeleteLoginProfile", alice, "NoSuchEntity"],
  ["ListSigningCertificates", alice],
  ["ListServiceSpecificCredentials", alice],
  ["DeleteUser", alice],
];

/** Sends steps; `{0}` stands for the id of the first access key that was made. */
async function replay({ call }: IamGateway, steps: readonly Step[], keys: string[]): Promise<void> {
  for (const [action, input, shows = ""] of steps) {
    const filled = Object.fromEntries(
      Object.entries(input).map(([name, value]) => [
        name,
        typeof value === "string" ? value.replace(/^\{(\d)\}$/, (_, i) => keys[i] ?? "") : value,
      ]),
    );
    const { code, text, result } = await call(action, filled);
    strictEqual(code, shows === "NoSuchEntity" ? shows : undefined, `${action}: ${text}`);
    ok(text.includes(shows), `${action}: ${text}`);
    keys.push(...texts(result, "AccessKey", "AccessKeyId"));
  }
}

Deno.test("Terraform's aws_iam_*: every request gets Amazon's answer", async () => {
  const gateway = await createIamGateway();
  const keys: string[] = [];
  await replay(gateway, [...CREATE, ...refresh("v1"), ...UPDATE, ...refresh("v2")], keys);
  await replay(gateway, DESTROY, keys);
  deepStrictEqual(
    [...gateway.users.current()?.entities() ?? []].map(({ kind }) => kind),
    ["account"],
  );
  // What is destroyed already is no error for Terraform if it cannot be found.
  await replay(
    gateway,
    [
      ["GetUser", alice, "NoSuchEntity"],
      ["GetPolicy", read, "NoSuchEntity"],
      ["GetGroup", devs, "NoSuchEntity"],
      ["GetUserPolicy", { ...alice, ...inline }, "NoSuchEntity"],
      ["ListGroupsForUser", alice, "NoSuchEntity"],
      ["ListAttachedUserPolicies", alice, "NoSuchEntity"],
      ["ListAccessKeys", alice, "NoSuchEntity"],
      ["ListEntitiesForPolicy", second, "NoSuchEntity"],
    ],
    keys,
  );
});
