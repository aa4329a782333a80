/** Refusals of IAM: they repeat what a request names, and tell nothing of what there is. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { IAM_ACTIONS } from "../../src/operations/iam/table.ts";
import { createIamGateway, DOCUMENT, type Input } from "./iam_client.ts";
import { ACCOUNT } from "./test_gateway.ts";

const POLICY = `arn:aws:iam::${ACCOUNT}:policy`;

/** Parameters with which every action can be called; each action reads those that it knows. */
const COMMON: Input = {
  AccountAlias: "somebody",
  ActionNames: ["s3:GetObject"],
  NewPath: "/elsewhere/",
  PolicyDocument: DOCUMENT,
  PolicyInputList: [DOCUMENT],
  PolicyName: "some",
  PermissionsBoundary: `${POLICY}/some`,
  Status: "Inactive",
  TagKeys: ["team"],
  Tags: [{ Key: "team", Value: "blue" }],
  VersionId: "v1",
  RoleName: "role",
  InstanceProfileName: "profile",
  ServerCertificateName: "certificate",
  SAMLProviderArn: `arn:aws:iam::${ACCOUNT}:saml-provider/p`,
  OpenIDConnectProviderArn: `arn:aws:iam::${ACCOUNT}:oidc-provider/p`,
  SSHPublicKeyId: "key",
  CertificateId: "certificate",
  ServiceSpecificCredentialId: "credential",
  SerialNumber: "serial",
};

/** Returns the parameters of a request about a name, an ARN of a policy and a key. */
function about(name: string, arn: string, accessKeyId: string): Input {
  const source = `arn:aws:iam::${ACCOUNT}:user/${name}`;
  return {
    ...COMMON,
    UserName: name,
    GroupName: name,
    PolicyArn: arn,
    PolicySourceArn: source,
    AccessKeyId: accessKeyId,
  };
}

Deno.test("a refusal says the same of what there is and of what there is not", async () => {
  const { must, call, createUser } = await createIamGateway();
  const carol = await createUser("carol");
  const nobody = "AKIAAAAAAAAAAAAAAAAA";
  const outcomes = async () => {
    const found = new Map<string, string>();
    for (const { name } of IAM_ACTIONS) {
      // The names are as long as those that exist, and written otherwise.
      const { code, message } = await call(
        name,
        about("MALLORY", `${POLICY}/secret/plan`, nobody),
        carol,
      );
      found.set(name, `${code} ${message}`);
    }
    return found;
  };
  const before = await outcomes();
  await must("CreateUser", { UserName: "mallory", Path: "/hidden/" });
  await must("CreateGroup", { GroupName: "mallory", Path: "/hidden/" });
  await must("CreatePolicy", { PolicyName: "plan", Path: "/secret/", PolicyDocument: DOCUMENT });
  const after = await outcomes();
  deepStrictEqual(after, before);
  const others = [...after].filter(([, outcome]) => !outcome.startsWith("AccessDenied "));
  deepStrictEqual(others, []);
});

Deno.test("a refusal does not tell who holds an access key", async () => {
  const { must, fails, createUser } = await createIamGateway();
  const carol = await createUser("carol");
  const bob = await createUser("bob", "/hidden/");
  const ask = (AccessKeyId: string) =>
    fails("AccessDenied", "GetAccessKeyLastUsed", { AccessKeyId }, carol);
  const message = await ask(bob.accessKeyId);
  deepStrictEqual(message, await ask("AKIAAAAAAAAAAAAAAAAA"));
  ok(!message.includes("bob"), message);
  // Whoever may ask about every user gets an answer, and whoever may ask about one gets that.
  const allow = (Resource: string) =>
    must("PutUserPolicy", {
      UserName: "carol",
      PolicyName: "ask",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: { Effect: "Allow", Action: "iam:GetAccessKeyLastUsed", Resource },
      }),
    });
  await allow(`arn:aws:iam::${ACCOUNT}:user/hidden/bob`);
  await must("GetAccessKeyLastUsed", { AccessKeyId: bob.accessKeyId }, carol);
  deepStrictEqual(await ask("AKIAAAAAAAAAAAAAAAAA"), message);
  await allow("*");
  await fails(
    "NoSuchEntity",
    "GetAccessKeyLastUsed",
    { AccessKeyId: "AKIAAAAAAAAAAAAAAAAA" },
    carol,
  );
});
