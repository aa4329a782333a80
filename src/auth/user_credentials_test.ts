import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { createAccessKey, updateAccessKey } from "../iam/changes/keys.ts";
import { createAccount } from "../iam/changes/accounts.ts";
import { addUserToGroup, createGroup } from "../iam/changes/groups.ts";
import { createPolicy } from "../iam/changes/policies.ts";
import { attachPolicy, putInlinePolicy } from "../iam/changes/rights.ts";
import { createUser, deleteUser, setBoundary, setDisabled } from "../iam/changes/users.ts";
import { evaluate } from "../iam/evaluate.ts";
import { parsePolicy } from "../iam/policy.ts";
import { Directory } from "../iam/directory.ts";
import type { Change, User } from "../iam/entities.ts";
import { compileIdentity } from "../iam/user_principal.ts";
import { createMemoryUsers } from "../store/memory/users.ts";
import { randomBytes } from "../world/world.ts";
import { parseCredentials } from "./configured_keys.ts";
import { ConfiguredCredentials } from "./credentials.ts";
import { type DirectorySource, UserCredentials } from "./user_credentials.ts";

const ACCOUNT = "111122223333";
const HOME = "999900001111";
const KEY = "AKIAALICE00000000001";
const alice = { account: ACCOUNT, name: "alice" };
const sources = { now: new Date(0), random: randomBytes };
const document = (action: string): string =>
  `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"${action}","Resource":"*"}}`;

type Plan = (directory: Directory) => readonly Change[];

const ALICE: readonly Plan[] = [
  (d) => createAccount(d, { id: ACCOUNT, name: "team" }, sources),
  (d) => createUser(d, alice, sources),
  (d) => createAccessKey(d, { ...alice, pair: { id: KEY, secret: "s" } }, sources),
];

function credentialsOver(
  users: DirectorySource,
  entries: readonly object[] = [{ accessKey: "boss", secretKey: "s" }],
): UserCredentials & { readonly compiled: string[] } {
  const keys = parseCredentials(JSON.stringify({ credentials: entries }));
  const compiled: string[] = [];
  const credentials = new UserCredentials(
    new ConfiguredCredentials(keys, { account: HOME }),
    users,
    (text, origin) => {
      compiled.push(origin);
      return compileIdentity(text, origin);
    },
  );
  return Object.assign(credentials, { compiled });
}

function origins(credentials: UserCredentials): readonly string[] | undefined {
  return credentials.find(KEY)?.principal.policies.map(({ origin }) => origin);
}

Deno.test("UserCredentials finds keys of users, of roots and of the configuration", async () => {
  const users = createMemoryUsers();
  const credentials = credentialsOver(users);
  strictEqual(credentials.refresh(), undefined);
  strictEqual(credentials.find(KEY), undefined);
  strictEqual(credentials.isIsolated, false);
  strictEqual(credentials.find("boss")?.principal.arn, `arn:aws:iam::${HOME}:user/boss`);

  for (const plan of ALICE) await users.change(plan);
  const root = { account: ACCOUNT, name: undefined, pair: { id: "ROOT", secret: "r" } };
  await users.change((d) => createAccessKey(d, root, sources));
  strictEqual(credentials.refresh(), undefined);
  deepStrictEqual(credentials.find(KEY)?.secrets, ["s"]);
  const { arn, name, isRoot, account } = credentials.find(KEY)?.principal ?? {};
  deepStrictEqual([arn, name, isRoot, account], [
    `arn:aws:iam::${ACCOUNT}:user/alice`,
    "alice",
    false,
    ACCOUNT,
  ]);
  strictEqual(credentials.find("ROOT")?.principal.arn, `arn:aws:iam::${ACCOUNT}:root`);
  strictEqual(credentials.find("ROOT")?.principal.isAdmin, false);
  strictEqual(credentials.isIsolated, true, "there is an account");
  ok(credentials.find("boss")?.principal.arn.endsWith(":root"));
  strictEqual(credentials.find(KEY), credentials.find(KEY), "found once");
});

Deno.test("UserCredentials refuses keys that are inactive, of disabled users and of removed ones", async () => {
  const users = createMemoryUsers();
  const credentials = credentialsOver(users);
  for (const plan of ALICE) await users.change(plan);
  for (
    const [change, isKnown] of [
      [(d) => updateAccessKey(d, { ...alice, id: KEY, isActive: false }, sources), false],
      [(d) => updateAccessKey(d, { ...alice, id: KEY, isActive: true }, sources), true],
      [(d) => setDisabled(d, { ...alice, isDisabled: true }), false],
      [(d) => setDisabled(d, { ...alice, isDisabled: false }), true],
      [(d) => deleteUser(d, { ...alice, force: true }), false],
    ] as readonly (readonly [Plan, boolean])[]
  ) {
    await users.change(change);
    credentials.refresh();
    strictEqual(credentials.find(KEY) !== undefined, isKnown);
  }
  strictEqual(credentials.isIsolated, true);
});

Deno.test("UserCredentials compiles each policy of a user and of the user's groups once", async () => {
  const users = createMemoryUsers();
  const credentials = credentialsOver(users);
  const staff = { account: ACCOUNT, name: "staff" };
  const bound = `arn:aws:iam::${ACCOUNT}:policy/bound`;
  const readOnly = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
  for (
    const plan of [
      ...ALICE,
      (d) =>
        putInlinePolicy(d, { ...alice, kind: "user", policy: "own", document: document("s3:a") }),
      (d) => attachPolicy(d, { ...alice, kind: "user", arn: readOnly }),
      (d) => createGroup(d, staff, sources),
      (d) =>
        putInlinePolicy(d, { ...staff, kind: "group", policy: "g", document: document("s3:b") }),
      (d) => addUserToGroup(d, { account: ACCOUNT, group: "staff", user: "alice" }),
      (d) =>
        createPolicy(d, { account: ACCOUNT, name: "bound", document: document("s3:c") }, sources),
      (d) => setBoundary(d, { ...alice, boundary: bound }),
    ] as readonly Plan[]
  ) await users.change(plan);
  credentials.refresh();
  const expected = ["inline policy own of user alice", readOnly, "inline policy g of group staff"];
  deepStrictEqual(origins(credentials), expected);
  deepStrictEqual(credentials.find(KEY)?.principal.limits.map(({ origin }) => origin), [bound]);
  strictEqual(credentials.compiled.length, 4);

  await users.change((d) => createUser(d, { account: ACCOUNT, name: "bob" }, sources));
  credentials.refresh();
  deepStrictEqual(origins(credentials), expected);
  strictEqual(credentials.compiled.length, 4, "they have not changed");
});

Deno.test("UserCredentials lets a user do nothing who has a policy that nobody understands", async () => {
  const users = createMemoryUsers();
  const credentials = credentialsOver(users);
  const user: User = {
    ...alice,
    id: "AIDAALICE000000000000",
    path: "/",
    created: sources.now,
    tags: new Map(),
    keys: [{ id: KEY, secret: "s", isActive: true, created: sources.now }],
    inline: new Map([["good", document("s3:*")], ["bad", '{"Version":"2030-01-01"}']]),
    attached: [],
    groups: [],
    boundary: undefined,
    isDisabled: false,
  };
  await users.change(ALICE[0] as Plan);
  await users.change(() => [{ put: { kind: "user", value: user } }]);
  credentials.refresh();
  const principal = credentials.find(KEY)?.principal;
  // A bucket policy that names the user would allow it.
  const bucketPolicy = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/alice` },
      Action: "s3:*",
      Resource: ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
    },
  });
  const resource = parsePolicy(bucketPolicy, "bucket", { origin: "bucket policy", bucket: "b" });
  const question = {
    principal,
    action: "s3:GetObject",
    resource: "arn:aws:s3:::b/k",
    resourceAccount: ACCOUNT,
    context: { get: () => undefined },
  };
  strictEqual(evaluate(question, { resource }).because, "explicit deny");
});

Deno.test("UserCredentials knows the principals that a bucket policy may name", async () => {
  const users = createMemoryUsers();
  const credentials = credentialsOver(users);
  const key = `arn:aws:iam::${HOME}:user/boss`;
  strictEqual(credentials.hasPrincipal(key), true, "everybody is unlimited");
  for (const plan of ALICE) await users.change(plan);
  credentials.refresh();
  for (
    const [arn, isKnown] of [
      [`arn:aws:iam::${ACCOUNT}:user/alice`, true],
      [`arn:aws:iam::${ACCOUNT}:user/team/alice`, false],
      [`arn:aws:iam::${ACCOUNT}:user/bob`, false],
      [`arn:aws:iam::${HOME}:user/alice`, false],
      [`arn:aws:iam::${ACCOUNT}:root`, true],
      [`arn:aws:iam::${HOME}:root`, true],
      ["arn:aws:iam::555555555555:root", false],
      ["arn:aws:iam::root", false],
      [`arn:aws:iam::${ACCOUNT}:group/staff`, false],
      [key, false],
    ] as const
  ) strictEqual(credentials.hasPrincipal(arn), isKnown, arn);
});

Deno.test("UserCredentials waits for a directory that is not known to be current", async () => {
  const users = createMemoryUsers();
  for (const plan of ALICE) await users.change(plan);
  const failure = new Error("nobody answers");
  let isReachable = false;
  const credentials = credentialsOver({
    current: () => undefined,
    read: () => isReachable ? users.read() : Promise.reject(failure),
  });
  await rejects(credentials.refresh() ?? Promise.resolve(), failure);
  strictEqual(credentials.find(KEY), undefined);
  isReachable = true;
  await credentials.refresh();
  deepStrictEqual(credentials.find(KEY)?.secrets, ["s"]);
});

Deno.test("UserCredentials isolates accounts although their only record cannot be read", () => {
  const directory = new Directory([], [{ kind: "account", account: ACCOUNT, name: "" }]);
  const credentials = credentialsOver({ current: () => directory, read: () => Promise.reject() });
  strictEqual(credentials.refresh(), undefined);
  strictEqual(credentials.isIsolated, true);
  strictEqual(credentials.find("boss")?.principal.isAdmin, false);
});

Deno.test("UserCredentials lets a user do nothing whose group cannot be read", async () => {
  const users = createMemoryUsers();
  for (
    const plan of [
      ...ALICE,
      (d) =>
        putInlinePolicy(d, { ...alice, kind: "user", policy: "p", document: document("s3:*") }),
      (d) => createGroup(d, { account: ACCOUNT, name: "g" }, sources),
      (d) => addUserToGroup(d, { account: ACCOUNT, group: "g", user: "alice" }),
    ] as readonly Plan[]
  ) await users.change(plan);
  const mayRead = (directory: Directory): boolean => {
    const credentials = credentialsOver({ current: () => directory, read: () => Promise.reject() });
    credentials.refresh();
    const principal = credentials.find(KEY)?.principal;
    ok(principal !== undefined);
    return evaluate({
      principal,
      action: "s3:GetObject",
      resource: "arn:aws:s3:::b/k",
      resourceAccount: ACCOUNT,
      context: { get: () => undefined },
    }, {}).allowed;
  };
  const directory = await users.read();
  strictEqual(mayRead(directory), true);
  const group = { kind: "group", account: ACCOUNT, name: "g" } as const;
  strictEqual(mayRead(directory.with([{ remove: group }])), false, "it might have denied");
});

Deno.test("UserCredentials accepts no key that two records claim, in whatever order", async () => {
  const users = createMemoryUsers();
  for (const plan of ALICE) await users.change(plan);
  const directory = await users.read();
  const first = directory.user(ACCOUNT, "alice");
  ok(first !== undefined);
  const copy: Change = {
    put: { kind: "user", value: { ...first, id: "AIDACOPY000000000001", name: "bob" } },
  };
  const both = directory.with([copy]);
  const again = new Directory([...both.entities()].reverse());
  for (const current of [both, again]) {
    const credentials = credentialsOver({ current: () => current, read: () => Promise.reject() });
    credentials.refresh();
    strictEqual(credentials.find(KEY), undefined);
  }
  throws(() => createAccessKey(both, { ...alice, pair: { id: KEY, secret: "s" } }, sources), {
    code: "EntityAlreadyExists",
  });
});
