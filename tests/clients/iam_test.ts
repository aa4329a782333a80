/** IAM by aws-cli and boto3, which sign for `us-east-1` whatever region the gateway has. */

import { Buffer } from "node:buffer";
import { deepStrictEqual, fail, match, ok, strictEqual } from "node:assert/strict";
import { ensureAwsCli, ensurePython } from "../../scripts/client_tools.ts";
import { run } from "./client_process.ts";
import { CREDENTIALS, startGateway } from "./gateway_process.ts";

/** The key of an administrator, who may do everything in the account of `--users.account`, and one that seals secrets. */
const ADMINISTRATOR = {
  NATS_S3_USERS_KEY: Buffer.alloc(32, "seal").toString("base64"),
  NATS_S3_CREDENTIALS: JSON.stringify({
    credentials: [{
      accessKey: CREDENTIALS.accessKeyId,
      secretKey: CREDENTIALS.secretAccessKey,
      admin: true,
    }],
  }),
};

const DOCUMENT = JSON.stringify({
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" },
});

Deno.test("boto3 with IAM", async (t) => {
  const python = await ensurePython();
  await using gateway = await startGateway({ env: ADMINISTRATOR });
  const checks = `${import.meta.dirname}/iam_checks.py`;
  const { code, stdout, stderr } = await run(python, [checks], { gateway });
  const results = stdout.split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line) as { readonly name: string; readonly error: string | null }
  );
  for (const { name, error } of results) {
    await t.step(name, () => {
      if (error !== null) fail(error);
    });
  }
  strictEqual(code, 0, stderr);
  strictEqual(results.length, 5);
});

Deno.test("aws iam says which setting is missing", async () => {
  const tool = await ensureAwsCli();
  const { NATS_S3_CREDENTIALS } = ADMINISTRATOR;
  await using gateway = await startGateway({ env: { NATS_S3_CREDENTIALS } });
  const command = ["iam", "create-user", "--user-name", "alice"];
  const { code, stderr } = await run(tool, command, { gateway });
  ok(code !== 0);
  match(stderr, /\(AccessDenied\) when calling the CreateUser operation: .*NATS_S3_USERS_KEY/);
});

Deno.test("aws iam", async () => {
  const tool = await ensureAwsCli();
  await using gateway = await startGateway({
    flags: ["--s3.region", "eu-central-1"],
    env: ADMINISTRATOR,
  });
  const aws = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(tool, ["iam", ...args, "--output", "json"], {
      gateway,
    });
    strictEqual(code, 0, `aws iam ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  const refused = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await run(tool, ["iam", ...args], { gateway });
    ok(code !== 0, `aws iam ${args.join(" ")} succeeded`);
    return stderr;
  };
  const query = async (query: string, ...args: readonly string[]): Promise<unknown> =>
    JSON.parse(await aws(...args, "--query", query));

  const alice = ["--user-name", "alice"];
  match(await query("User.UserId", "create-user", ...alice) as string, /^AIDA/);
  match(
    await refused("create-user", ...alice),
    /\(EntityAlreadyExists\).*User with name alice already exists\./,
  );
  match(
    await refused("get-user", "--user-name", "bob"),
    /\(NoSuchEntity\).*The user with name bob cannot be found\./,
  );
  const policy = ["--policy-name", "all", "--policy-document", DOCUMENT];
  await aws("put-user-policy", ...alice, ...policy);
  deepStrictEqual(
    await query("PolicyDocument", "get-user-policy", ...alice, "--policy-name", "all"),
    JSON.parse(DOCUMENT),
  );
  const id = await query("AccessKey.AccessKeyId", "create-access-key", ...alice);
  deepStrictEqual(
    await query("AccessKeyMetadata[].AccessKeyId", "list-access-keys", ...alice),
    [id],
  );
  const arn = await query("Policy.Arn", "create-policy", ...policy) as string;
  for (let i = 0; i < 2; i++) {
    await aws("create-policy-version", "--policy-arn", arn, "--policy-document", DOCUMENT);
  }
  deepStrictEqual(
    await query("Versions[].VersionId", "list-policy-versions", "--policy-arn", arn),
    ["v3", "v2", "v1"],
  );
  const last = ["--page-size", "1", "--max-items", "3"];
  deepStrictEqual(await query("Policies[].PolicyName", "list-policies", ...last), [
    "all",
    "AdministratorAccess",
    "AmazonS3FullAccess",
  ]);
  const simulation = ["simulate-principal-policy", "--action-names", "s3:GetObject"];
  const source = ["--policy-source-arn", await query("User.Arn", "get-user", ...alice) as string];
  deepStrictEqual(
    await query("EvaluationResults[].EvalDecision", ...simulation, ...source),
    ["allowed"],
  );
  await aws("tag-user", ...alice, "--tags", "Key=team,Value=a", "Key=cost,Value=");
  deepStrictEqual(await query("Tags[].Key", "list-user-tags", ...alice), ["cost", "team"]);
  await aws("delete-user-policy", ...alice, "--policy-name", "all");
  match(
    await refused("delete-user", ...alice),
    /\(DeleteConflict\).*must delete access keys first/,
  );
  await aws("delete-access-key", ...alice, "--access-key-id", String(id));
  await aws("delete-user", ...alice);
  deepStrictEqual(await query("Users", "list-users"), []);
  match(
    await refused("create-role", "--role-name", "r", "--assume-role-policy-document", "{}"),
    /NotImplemented/,
  );
});
