/** `nats-s3 users explain` and `nats-s3 buckets usage`, without a running gateway. */

import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { findUser } from "../../src/iam/changes/find.ts";
import { bucket as contract, key } from "../contract/inputs.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { commandsOn } from "./commands_on_server.ts";
import { input, openStore } from "./store_on_server.ts";
import { withUsers } from "./users_on_server.ts";

const [TEAM, OTHER] = ["444455556666", "777788889999"];

function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

Deno.test("nats-s3 users explain says which statement decides", async () => {
  await using server = await startNatsServer();
  await using store = await openStore(server.url, withUsers());
  const run = commandsOn(server);
  await run(`accounts add team --id ${TEAM}`);
  await run(`accounts add other --id ${OTHER}`);
  const { accessKey } = JSON.parse((await run("users add team alice --json")).output);
  await run("users add other bob");
  const photos = "photos" as BucketName;
  await store.store.createBucket(photos, "ops");
  await run(`buckets owner photos ${TEAM}`);
  await store.store.putDocument(
    photos,
    "policy",
    policy(
      {
        Sid: "Office",
        Effect: "Allow",
        Principal: "*",
        Action: "s3:GetObject",
        Resource: "arn:aws:s3:::photos/public/*",
        Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } },
      },
      {
        Effect: "Deny",
        Principal: { AWS: TEAM },
        Action: "s3:DeleteObject",
        Resource: "arn:aws:s3:::photos/*",
        Condition: {
          Bool: { "aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false" },
          StringEquals: { "aws:PrincipalType": "User" },
        },
      },
    ),
  );
  await run("users policy team alice home", {
    operands: [policy({
      Effect: "Allow",
      Action: "s3:*",
      Resource: "arn:aws:s3:::photos/${aws:username}/*",
    })],
  });
  const explain = async (who: string, action: string, resource: string, more = "") =>
    (await run(`users explain ${who} ${action} ${resource}${more}`)).output;
  const mine = "arn:aws:s3:::photos/alice/a";
  const open = "arn:aws:s3:::photos/public/a";
  const home = "Allowed by statement 1 of inline policy home of user alice\n";
  for (const who of ["team/alice", `${TEAM}/ALICE`, accessKey, `arn:aws:iam::${TEAM}:user/alice`]) {
    strictEqual(await explain(who, "s3:GetObject", mine), home, who);
  }
  strictEqual(
    await explain("team/alice", "s3:DeleteObject", mine),
    "Denied by statement 2 of bucket policy\n",
  );
  const unknown = "Condition keys without a value (see --context): aws:sourceip\n";
  strictEqual(
    await explain("team/alice", "s3:GetObject", open),
    `Denied: no policy allows it\n${unknown}`,
  );
  const office = " --context aws:SourceIp=192.0.2.7";
  strictEqual(
    await explain("anonymous", "s3:GetObject", open, office),
    "Allowed by statement Office of bucket policy\n",
  );
  match(
    await explain("other/bob", "s3:GetObject", open, office),
    /^Denied: the policy of the bucket and one of the user must both allow it/,
  );
  const root = "Allowed: the root of the bucket's account may do everything\n";
  strictEqual(await explain("team/root", "s3:PutObject", open), root);
  strictEqual(await explain("ops", "s3:PutObject", open), root);
  strictEqual(
    await explain("ops", "s3:DeleteObject", "arn:aws:s3:::photos/a"),
    root,
    "the denial names another account",
  );
  const { output } = await run(`users explain team/alice s3:GetObject ${mine} --json`);
  deepStrictEqual(JSON.parse(output), {
    allowed: true,
    because: "identity policy",
    statement: { origin: "inline policy home of user alice", number: 1 },
    unknown: [],
  });

  await store.store.putDocument(photos, "policy", "{");
  match(await explain("team/alice", "s3:GetObject", mine), /^Denied: the policy .* cannot be read/);
  await run("users disable team alice");
  match((await run(`users explain team/alice s3:GetObject ${mine}`)).errors, /is disabled/);
  for (
    const [line, reason] of [
      ["nobody s3:GetObject *", /it is no active access key/],
      ["team/carol s3:GetObject *", /cannot be found/],
      ["nowhere/carol s3:GetObject *", /There is no account "nowhere"/],
      ["ops s3:GetObject arn:aws:s3:::missing/a", /There is no bucket "missing"/],
    ] as const
  ) match((await run(`users explain ${line}`)).errors, reason, line);
  for (
    const [line, reason] of [
      ["ops GetObject *", /it has no service/],
      ["ops s3:GetObject photos", /neither an ARN nor/],
      ["ops s3:GetObject arn:aws:s3:::/a", /names no bucket/],
      ["ops s3:GetObject * --context aws:SourceIp", /is not KEY=VALUE/],
    ] as const
  ) await rejects(run(`users explain ${line}`), reason, line);
});

Deno.test("nats-s3 users explain takes several values of condition keys, and knows the actions", async () => {
  await using server = await startNatsServer();
  await using store = await openStore(server.url, withUsers());
  const run = commandsOn(server);
  await run(`accounts add team --id ${TEAM}`);
  await run("users add team alice");
  await store.store.users.change((directory) => {
    const user = findUser(directory, TEAM, "alice");
    const value = { ...user, tags: new Map([["Team", "blue"], ["team", "red"]]) };
    return [{ put: { kind: "user", value } }];
  });
  const explain = async (condition: object, ...context: readonly string[]) => {
    await run("users policy team alice p", {
      operands: [policy({ Effect: "Allow", Action: "s3:*", Resource: "*", Condition: condition })],
    });
    return (await run("users explain team/alice s3:ListAllMyBuckets *", {
      operands: context.flatMap((text) => ["--context", text]),
    })).output.split(/\W/, 1)[0];
  };
  const isOwn = { StringEquals: { "aws:ResourceAccount": TEAM } };
  strictEqual(await explain(isOwn), "Allowed", "what is in no bucket is the caller's");
  const [prefix, keys] = ["s3:prefix=a,b=c", ["aws:TagKeys=a", "aws:tagkeys=b"]];
  const isBoth = { "ForAllValues:StringEquals": { "aws:TagKeys": ["a", "b"] } };
  strictEqual(await explain({ StringEquals: { "s3:prefix": "a,b=c" } }, prefix), "Allowed");
  strictEqual(await explain(isBoth, ...keys, prefix), "Allowed");
  strictEqual(await explain(isBoth, ...keys, "aws:TagKeys=c"), "Denied");
  strictEqual(
    await explain({ "ForAnyValue:StringEquals": { "aws:TagKeys": "a" } }, ...keys),
    "Allowed",
  );
  for (const value of ["blue", "red"]) {
    const condition = { "ForAnyValue:StringEquals": { "aws:PrincipalTag/team": value } };
    strictEqual(await explain(condition), "Allowed", value);
  }

  for (
    const [action, isKnown] of [
      ["s3:GetObject", true],
      ["S3:getobject", true],
      ["s3:PutBucketVersioning", true],
      ["iam:CreateUser", true],
      ["sts:GetCallerIdentity", true],
      ["s3:HeadObject", false],
      ["iam:MakeUser", false],
      ["ec2:RunInstances", false],
    ] as const
  ) {
    const { errors } = await run(`users explain team/alice ${action} *`);
    strictEqual(errors.includes(`knows no action "${action}"`), !isKnown, `${action} ${errors}`);
  }
});

Deno.test("nats-s3 buckets usage sums bytes and objects by account", async () => {
  await using server = await startNatsServer();
  await using store = await openStore(server.url, withUsers());
  const run = commandsOn(server);
  await run(`accounts add team --id ${TEAM}`);
  for (const name of [contract, "photos", "papers"]) {
    await store.store.createBucket(name as BucketName, "ops");
  }
  await store.store.putObject(contract, key("a"), input(new Uint8Array(5)));
  await store.store.putObject("photos" as BucketName, key("b"), input(new Uint8Array(3)));
  await store.store.putObject("photos" as BucketName, key("c"), input(new Uint8Array(3)));
  await run(`buckets owner photos ${TEAM}`);
  await run(`buckets owner papers ${TEAM}`);
  const { buckets, accounts } = JSON.parse((await run("buckets usage --json")).output);
  const seen = (list: readonly Record<string, unknown>[], name: string): unknown =>
    list.map((row) => [row[name], row["account"], row["objects"], Number(row["bytes"]) > 0]);
  const home = "000000000000";
  deepStrictEqual(seen(buckets, "bucket"), [
    ["contract", home, 1, true],
    ["papers", TEAM, 0, true],
    ["photos", TEAM, 2, true],
  ]);
  deepStrictEqual(seen(accounts, "buckets"), [[1, home, 1, true], [2, TEAM, 2, true]]);
  deepStrictEqual(accounts.map(({ name }: { name: string | null }) => name), [null, "team"]);
  match(
    (await run("buckets usage")).output,
    /photos +444455556666 .* 2 +6 B +0 +0 B +0\n[^]*444455556666 +team +2 .* 2 +6 B +0 +0 B +0\n/,
  );
});

Deno.test("nats-s3 buckets usage counts noncurrent versions and delete markers", async () => {
  await using server = await startNatsServer();
  await using store = await openStore(server.url, withUsers());
  const kept = "kept" as BucketName;
  const documents = new Map([["versioning", "Enabled"]] as const);
  await store.store.createBucket(kept, "ops", { documents });
  for (const size of [5, 7, 11]) {
    await store.store.putObject(kept, key("a"), input(new Uint8Array(size)));
  }
  await store.store.putObject(kept, key("b"), input(new Uint8Array(13)));
  await store.store.deleteObject(kept, key("b"), { precondition: {} });
  const run = commandsOn(server);
  const { buckets, accounts } = JSON.parse((await run("buckets usage --json")).output);
  for (
    const [{ objects, objectBytes, noncurrentVersions, noncurrentBytes, deleteMarkers }] of [
      buckets,
      accounts,
    ]
  ) {
    deepStrictEqual(
      [objects, objectBytes, noncurrentVersions, noncurrentBytes, deleteMarkers],
      [1, 11, 3, 25, 1],
    );
  }
  match((await run("buckets usage")).output, /kept .* 1 +11 B +3 +25 B +1\n/);
});
