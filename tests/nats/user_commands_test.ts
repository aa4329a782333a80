/** `nats-s3 accounts`, `nats-s3 users` and `nats-s3 buckets owner`, without a running gateway. */

import { Buffer } from "node:buffer";
import { deepStrictEqual, doesNotMatch, match, ok, rejects, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { call } from "../contract/nats_store.ts";
import { derivedAccount } from "../../src/iam/derived_account.ts";
import { commandsOn, KEY, type Printed } from "./commands_on_server.ts";
import { openStore } from "./store_on_server.ts";
import { sealingOf, withUsers } from "./users_on_server.ts";

const OTHER_KEY = `k2:${Buffer.alloc(32, 2).toString("base64")}`;
const DOCUMENT =
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}';

Deno.test("nats-s3 accounts adds and shows accounts", async () => {
  await using server = await startNatsServer();
  const run = commandsOn(server);
  const added = await run("accounts add team --id 444455556666");
  match(
    added.output,
    /^account {5}444455556666\naccess key {2}AKIA\w{16}\nsecret key {2}\S{40}\n$/,
  );
  const { account, accessKey, secretKey } = JSON.parse(
    (await run("accounts add other --json")).output,
  );
  match(account, /^\d{12}$/);
  strictEqual(secretKey.length, 40);
  const { errors, code } = await run("accounts add TEAM");
  deepStrictEqual([code, errors], [1, "Account with name TEAM already exists.\n"]);

  const list = await run("accounts list");
  match(list.output, /^ACCOUNT +NAME +ALIAS +USERS\n/);
  match(list.output, /444455556666 +team +- +0\n/);
  const shown = JSON.parse((await run("accounts show other --json")).output);
  deepStrictEqual([shown.account, shown.keys[0].id], [account, accessKey]);
  doesNotMatch((await run("accounts show other")).output, new RegExp(secretKey.slice(0, 10)));
  strictEqual((await run("accounts show nobody")).errors, 'There is no account "nobody"\n');
});

Deno.test("nats-s3 accounts and users print a new key as a profile of aws-cli", async () => {
  await using server = await startNatsServer();
  const run = commandsOn(server);
  const secrets = "aws_access_key_id = AKIA\\w{16}\naws_secret_access_key = \\S{40}\n$";
  for (
    const [line, head] of [
      ["accounts add team --id 444455556666", "# root of account 444455556666"],
      ["users add team alice", "# alice of account 444455556666"],
      ["users rotate team alice", "# alice of account 444455556666"],
      ["users rotate team", "# root of account 444455556666"],
    ] as const
  ) {
    match(
      (await run(`${line} --profile a-1`)).output,
      new RegExp(`^\\[a-1\\]\n${head}\n${secrets}`),
    );
  }
  await rejects(async () => await run("users rotate team --profile a --json"), /Choose one/);
  await rejects(
    async () => await run("users rotate team", { operands: ["--profile", "a]b"] }),
    /Cannot use --profile "a]b"/,
  );
});

Deno.test("nats-s3 users adds, disables, rotates and removes users", async () => {
  await using server = await startNatsServer();
  const run = commandsOn(server);
  await run("accounts add team --id 444455556666");
  const add = JSON.parse((await run("users add team alice --path /staff/ --json")).output);
  match((await run("users add 444455556666 ALICE")).errors, /already exists/);
  match((await run("users list")).output, /444455556666 +alice +\/staff\/ +1 +enabled\n/);
  await run("users disable team alice");
  match((await run("users list team")).output, /disabled/);
  await run("users disable team alice --undo");

  const second = JSON.parse((await run("users rotate team alice --json")).output);
  match((await run("users rotate team alice")).errors, /Cannot exceed quota for AccessKeysPerUser/);
  const shown = JSON.parse((await run("users show team alice --json")).output);
  deepStrictEqual(shown.keys.map(({ id }: { id: string }) => id), [
    add.accessKey,
    second.accessKey,
  ]);
  deepStrictEqual([shown.arn, shown.disabled], [
    "arn:aws:iam::444455556666:user/staff/alice",
    false,
  ]);
  match((await run("users rotate team alice --finish")).output, new RegExp(second.accessKey));
  await using store = await openStore(server.url, withUsers());
  const directory = await store.store.users.read();
  strictEqual(directory.holderOf(second.accessKey)?.key.secret, second.secretKey);
  strictEqual(directory.holderOf(add.accessKey), undefined);

  match((await run("users rotate team")).output, /^access key {2}AKIA/);
  strictEqual((await run("users remove team alice")).output, "alice: removed\n");
  strictEqual((await run("users list team --json")).output, "[]\n");
  match((await run("users show team alice")).errors, /The user with name alice cannot be found/);
  // An account of the configuration has no record before its first user.
  await run("users add 111122223333 bob");
  match((await run("users list")).output, /111122223333 +bob/);
});

Deno.test("nats-s3 users policy shows and changes policies", async () => {
  await using server = await startNatsServer();
  const run = commandsOn(server);
  const arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
  await run("users add 444455556666 alice");
  const policy = (line: string, ...operands: readonly string[]): Promise<Printed> =>
    run(`users policy 444455556666 alice${line}`, { operands });
  strictEqual((await policy("")).output, "no policies\n");
  strictEqual((await policy(" all", DOCUMENT)).output, "inline    all\n");
  strictEqual((await policy(" all")).output, `${DOCUMENT}\n`);
  strictEqual((await policy(` --attach ${arn}`)).output, `inline    all\nattached  ${arn}\n`);
  strictEqual((await policy(" all --delete")).output, `attached  ${arn}\n`);
  strictEqual((await policy(` --detach ${arn}`)).output, "no policies\n");
  match((await policy(" bad", "{}")).errors, /./);
  match((await policy(" all")).errors, /cannot be found/);
  await run("users policy 444455556666 alice --delete").then(
    () => ok(false, "it needs a name"),
    (error) => match(error.message, /--delete needs the NAME/),
  );
});

Deno.test("nats-s3 users check lists what each key of the configuration would lose, and buckets owner mends it", async () => {
  await using server = await startNatsServer();
  await using store = await openStore(server.url, withUsers({}, { defaultOwner: undefined }));
  const create = (bucket: string, owner: string): Promise<void> =>
    store.store.createBucket(bucket as BucketName, owner);
  await create("photos", "backup");
  await create("papers", "reports");
  await create("old", "nobody");
  const run = commandsOn(server);
  const { output } = await run("users check --json");
  const all = ["old", "papers", "photos"];
  deepStrictEqual(JSON.parse(output), [
    { accessKey: "ops", account: "000000000000", isAdmin: true, keeps: all, loses: [] },
    {
      accessKey: "backup",
      account: derivedAccount("backup"),
      isAdmin: false,
      keeps: ["photos"],
      loses: ["old", "papers"],
    },
    {
      accessKey: "reports",
      account: "111122223333",
      isAdmin: false,
      keeps: ["papers"],
      loses: ["old", "photos"],
    },
  ]);
  match((await run("users check")).output, /backup +\d{12} +no +1 +old, papers\n/);

  const credentials = JSON.stringify({ credentials: [{ accessKey: "a", secretKey: "s" }] });
  const silent = await run("users check", { env: { NATS_S3_CREDENTIALS: credentials } });
  match(silent.output, /No key is an administrator's/);
  const record = async (): Promise<unknown> => {
    const { message } = await call<{ readonly message: { readonly data: string } }>(
      store.connection,
      "STREAM.MSG.GET.OBJ_photos",
      { last_by_subj: "$O.photos.S3.bucket.owner" },
    );
    return JSON.parse(atob(message.data));
  };
  strictEqual(
    (await run("buckets owner photos 111122223333")).output,
    "photos: account 111122223333\n",
  );
  deepStrictEqual(await record(), { owner: "backup", account: "111122223333" });
  strictEqual((await store.store.readBucket("photos" as BucketName)).owner, "backup");
  match((await run("buckets owner missing 111122223333")).errors, /There is no bucket/);
  match((await run("buckets owner photos team")).errors, /There is no account "team"/);
});

Deno.test("nats-s3 users export prints an encrypted file, and import reads it elsewhere", async () => {
  await using server = await startNatsServer();
  const run = commandsOn(server);
  await run("accounts add team --id 444455556666");
  const { accessKey, secretKey } = JSON.parse((await run("users add team alice --json")).output);
  const env = { NATS_S3_USERS_PASSPHRASE: "correct horse battery" };
  const files = [
    (await run("users export")).output,
    (await run("users export", { env })).output,
  ] as const;
  for (const file of files) {
    ok(!file.includes("alice") && !file.includes(secretKey));
    strictEqual(JSON.parse(file).version, 1);
  }

  const other = { NATS_S3_USERS_KEY: OTHER_KEY };
  await using empty = await startNatsServer();
  const elsewhere = commandsOn(empty);
  const refuse = async (input: string, env: Readonly<Record<string, string>>): Promise<string> => {
    const { code, errors } = await elsewhere("users import", { input, env });
    strictEqual(code, 1);
    return errors;
  };
  match(await refuse(files[0], other), /key "k1" is another one/);
  match(await refuse(files[1], other), /set NATS_S3_USERS_PASSPHRASE/);
  const wrong = { ...other, NATS_S3_USERS_PASSPHRASE: "wrong horse battery" };
  match(await refuse(files[1], wrong), /cannot be opened/);
  match(await refuse(files[0].replace("nats-s3 users", "other"), {}), /It is not a file/);
  match(await refuse(files[0].replace(/"created": "\d/, '"created": "1'), {}), /cannot be opened/);

  const imported = await elsewhere("users import", { input: files[1], env: { ...other, ...env } });
  strictEqual(imported.output, "2 of 2 records stored\n");
  await using store = await openStore(empty.url, withUsers({ sealing: sealingOf(2) }));
  const directory = await store.store.users.read();
  strictEqual(directory.holderOf(accessKey)?.key.secret, secretKey);

  const again = { input: files[0], env: { NATS_S3_USERS_KEY: `${OTHER_KEY},${KEY}` } };
  strictEqual((await elsewhere("users import", again)).output, "0 of 2 records stored\n");
  await elsewhere("users disable team alice", { env: other });
  match((await elsewhere("users import", again)).errors, /another user alice .*--replace/);
  const replaced = await elsewhere("users import --replace", again);
  strictEqual(replaced.output, "1 of 2 records stored\n");
  match((await elsewhere("users export")).errors, /The file would lack 2 access keys/);
  await using bare = await startNatsServer();
  const unsealed = await commandsOn(bare)("users export", { env: { NATS_S3_USERS_KEY: "" } });
  match(unsealed.errors, /Set NATS_S3_USERS_KEY or NATS_S3_USERS_PASSPHRASE/);
});

Deno.test("nats-s3 users says what is wrong before it connects", async () => {
  const run = commandsOn({ url: "nats://127.0.0.1:1" });
  for (
    const [line, message] of [
      ["users", /Missing verb: the verbs are add, list/],
      ["users fly", /Unknown verb "fly"/],
      ["users add team", /Wrong number of operands: nats-s3 users add ACCOUNT USER/],
      ["users add team alice --finish", /Unexpected flag "--finish"/],
      ["users add team alice --objects 3", /Unknown flag "--objects"/],
      ["accounts add team --id 12", /Cannot use --id "12"/],
      ["users policy team alice p {} --delete", /Choose one/],
    ] as const
  ) await rejects(run(line), message, line);
});
