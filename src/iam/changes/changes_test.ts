/** What changes of accounts, users, groups, keys and policies do, and what they refuse. */

import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { isS3Error } from "../../s3/errors.ts";
import { createMemoryUsers } from "../../store/memory/users.ts";
import { Directory } from "../directory.ts";
import type { Change } from "../entities.ts";
import type { Sources } from "../identifiers.ts";
import {
  createAccount,
  createAccountAlias,
  deleteAccount,
  deleteAccountAlias,
  findAccount,
} from "./accounts.ts";
import {
  addUserToGroup,
  createGroup,
  deleteGroup,
  MAX_GROUPS,
  MAX_GROUPS_OF_USER,
  removeUserFromGroup,
  updateGroup,
} from "./groups.ts";
import { createAccessKey, deleteAccessKey, updateAccessKey } from "./keys.ts";
import {
  createPolicy,
  createPolicyVersion,
  deletePolicy,
  deletePolicyVersion,
  setDefaultPolicyVersion,
  tagPolicy,
  untagPolicy,
} from "./policies.ts";
import {
  attachPolicy,
  deleteInlinePolicy,
  detachPolicy,
  MAX_ATTACHED,
  putInlinePolicy,
} from "./rights.ts";
import {
  createUser,
  deleteUser,
  setBoundary,
  setDisabled,
  tagUser,
  untagUser,
  updateUser,
} from "./users.ts";

const ACCOUNT = "111122223333";
const OTHER = "444455556666";
const NOW = new Date("2024-05-01T10:00:00Z");
const DOCUMENT =
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}';
const READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const READERS = `arn:aws:iam::${ACCOUNT}:policy/team/readers`;

/** Random bytes that differ from call to call. */
function createSources(): Sources {
  let calls = 0;
  return { now: NOW, random: (size) => new Uint8Array(size).fill(++calls) };
}
const sources = createSources();

type Plan = (directory: Directory) => readonly Change[];

/** Applies plans one after another. */
function apply(directory: Directory, ...plans: readonly Plan[]): Directory {
  return plans.reduce((before, plan) => before.with(plan(before)), directory);
}

const alice = { account: ACCOUNT, name: "alice" };
const staff = { account: ACCOUNT, name: "staff" };
const user = { ...alice, kind: "user" } as const;
const group = { ...staff, kind: "group" } as const;
const readers = { account: ACCOUNT, arn: READERS };
const member = { account: ACCOUNT, group: "staff", user: "alice" };

/** A user, a group and a policy without anything. */
const FEW = apply(
  new Directory(),
  (d) => createUser(d, alice, sources),
  (d) => createGroup(d, staff, sources),
  (d) =>
    createPolicy(
      d,
      { account: ACCOUNT, name: "readers", path: "/team/", document: DOCUMENT },
      sources,
    ),
);
const key = { pair: { id: "AKIAEXAMPLE000000001", secret: "secret" } };
const used = apply(FEW, (d) => createAccessKey(d, { ...alice, ...key }, sources));

const repeat = (count: number, plan: (d: Directory, i: number) => readonly Change[]): Plan[] =>
  Array.from({ length: count }, (_, i) => (d) => plan(d, i));
const policies = repeat(
  MAX_ATTACHED,
  (d, i) => createPolicy(d, { account: ACCOUNT, name: `p${i}`, document: DOCUMENT }, sources),
);
const attach = (owner: typeof user | typeof group): Plan[] =>
  repeat(
    MAX_ATTACHED,
    (d, i) => attachPolicy(d, { ...owner, arn: `arn:aws:iam::${ACCOUNT}:policy/p${i}` }),
  );
const versions = repeat(
  4,
  (d) => createPolicyVersion(d, { ...readers, document: DOCUMENT, isDefault: false }, sources),
);
const long = (size: number): string => DOCUMENT.replace("s3:*", `s3:${"a".repeat(size)}*`);
const wide = DOCUMENT.replace("{", `{${" ".repeat(40_000)}`);

const REFUSED: readonly (readonly [code: string, message: RegExp, plan: Plan, on?: Directory])[] = [
  [
    "EntityAlreadyExists",
    /^User with name ALICE already exists\.$/,
    (d) => createUser(d, { ...alice, name: "ALICE" }, sources),
  ],
  ["ValidationError", /userName/, (d) => createUser(d, { ...alice, name: "" }, sources)],
  [
    "ValidationError",
    /userName.*equal to 64/,
    (d) => createUser(d, { ...alice, name: "a".repeat(65) }, sources),
  ],
  [
    "ValidationError",
    /^The specified value for userName is invalid\./,
    (d) => createUser(d, { ...alice, name: "a b" }, sources),
  ],
  [
    "ValidationError",
    /for path is invalid/,
    (d) => createUser(d, { ...alice, name: "b", path: "a/" }, sources),
  ],
  [
    "ValidationError",
    /for path is invalid/,
    (d) => createUser(d, { ...alice, name: "b", path: "//" }, sources),
  ],
  [
    "ValidationError",
    /path.*512/,
    (d) => createUser(d, { ...alice, name: "b", path: `/${"a".repeat(511)}/` }, sources),
  ],
  ["InvalidInput", /^Duplicate tag keys found/, (d) =>
    createUser(d, {
      ...alice,
      name: "b",
      tags: [{ key: "a", value: "" }, { key: "A", value: "" }],
    }, sources)],
  [
    "InvalidInput",
    /reserved/,
    (d) => tagUser(d, { ...alice, tags: [{ key: "AWS:a", value: "" }] }),
  ],
  ["ValidationError", /key/, (d) => tagUser(d, { ...alice, tags: [{ key: "", value: "" }] })],
  ["ValidationError", /key/, (d) => tagUser(d, { ...alice, tags: [{ key: "a*", value: "" }] })],
  [
    "ValidationError",
    /value/,
    (d) => tagUser(d, { ...alice, tags: [{ key: "a", value: "a".repeat(257) }] }),
  ],
  ["LimitExceeded", /50/, (d) =>
    tagUser(d, {
      ...alice,
      tags: Array.from({ length: 51 }, (_, i) => ({ key: `k${i}`, value: "" })),
    })],
  [
    "NoSuchEntity",
    /not attachable/,
    (d) =>
      createUser(d, { ...alice, name: "b", boundary: "arn:aws:iam::aws:policy/None" }, sources),
  ],
  [
    "NoSuchEntity",
    /^The user with name bob cannot be found\.$/,
    (d) => updateUser(d, { account: ACCOUNT, name: "bob", newName: "b" }),
  ],
  ["NoSuchEntity", /alice/, (d) => deleteUser(d, { account: OTHER, name: "alice" })],
  [
    "EntityAlreadyExists",
    /^User with name Bob already/,
    (d) => updateUser(d, { ...alice, newName: "Bob" }),
    apply(FEW, (d) => createUser(d, { ...alice, name: "bob" }, sources)),
  ],
  ["DeleteConflict", /must delete access keys first/, (d) => deleteUser(d, alice), used],
  [
    "DeleteConflict",
    /must delete policies first/,
    (d) => deleteUser(d, alice),
    apply(FEW, (d) => putInlinePolicy(d, { ...user, policy: "p", document: DOCUMENT })),
  ],
  [
    "DeleteConflict",
    /must detach all policies first/,
    (d) => deleteUser(d, alice),
    apply(FEW, (d) => attachPolicy(d, { ...user, arn: READ_ONLY })),
  ],
  [
    "DeleteConflict",
    /must remove users from group first/,
    (d) => deleteUser(d, alice),
    apply(FEW, (d) => addUserToGroup(d, member)),
  ],
  [
    "LimitExceeded",
    /AccessKeysPerUser: 2$/,
    (d) => createAccessKey(d, alice, sources),
    apply(used, (d) => createAccessKey(d, alice, sources)),
  ],
  [
    "EntityAlreadyExists",
    /AKIAEXAMPLE000000001/,
    (d) => createAccessKey(d, { account: OTHER, name: undefined, ...key }, sources),
    used,
  ],
  [
    "NoSuchEntity",
    /^The Access Key with id A cannot be found\.$/,
    (d) => deleteAccessKey(d, { ...alice, id: "A" }, sources),
  ],
  [
    "NoSuchEntity",
    /Access Key with id A /,
    (d) => updateAccessKey(d, { ...alice, id: "A", isActive: false }, sources),
  ],
  [
    "EntityAlreadyExists",
    /^Group with name Staff already/,
    (d) => createGroup(d, { ...staff, name: "Staff" }, sources),
  ],
  [
    "NoSuchEntity",
    /^The group with name none cannot be found\.$/,
    (d) => addUserToGroup(d, { ...member, group: "none" }),
  ],
  [
    "NoSuchEntity",
    /user with name none/,
    (d) => removeUserFromGroup(d, { ...member, user: "none" }),
  ],
  [
    "LimitExceeded",
    /GroupsPerAccount: 300$/,
    (d) => createGroup(d, { account: ACCOUNT, name: "more" }, sources),
    FEW.with(
      Array.from(
        { length: MAX_GROUPS - 1 },
        (_, i) => createGroup(FEW, { account: ACCOUNT, name: `g${i}` }, sources),
      ).flat(),
    ),
  ],
  [
    "LimitExceeded",
    /GroupsPerUser: 10$/,
    (d) => addUserToGroup(d, member),
    apply(
      FEW,
      ...repeat(
        MAX_GROUPS_OF_USER,
        (d, i) => createGroup(d, { account: ACCOUNT, name: `g${i}` }, sources),
      ),
      ...repeat(MAX_GROUPS_OF_USER, (d, i) => addUserToGroup(d, { ...member, group: `g${i}` })),
    ),
  ],
  [
    "DeleteConflict",
    /must remove users from group first/,
    (d) => deleteGroup(d, staff),
    apply(FEW, (d) => addUserToGroup(d, member)),
  ],
  [
    "DeleteConflict",
    /must delete policies first/,
    (d) => deleteGroup(d, staff),
    apply(FEW, (d) => putInlinePolicy(d, { ...group, policy: "p", document: DOCUMENT })),
  ],
  [
    "DeleteConflict",
    /must detach all policies first/,
    (d) => deleteGroup(d, staff),
    apply(FEW, (d) => attachPolicy(d, { ...group, arn: READ_ONLY })),
  ],
  [
    "MalformedPolicyDocument",
    /./,
    (d) => putInlinePolicy(d, { ...user, policy: "p", document: "{" }),
  ],
  [
    "MalformedPolicyDocument",
    /./,
    (d) => putInlinePolicy(d, { ...group, policy: "p", document: "[]" }),
  ],
  [
    "MalformedPolicyDocument",
    /characters/,
    (d) => putInlinePolicy(d, { ...user, policy: "p", document: DOCUMENT.replace("s3", "\u0100") }),
  ],
  [
    "ValidationError",
    /policyName/,
    (d) => putInlinePolicy(d, { ...user, policy: "a/b", document: DOCUMENT }),
  ],
  [
    "LimitExceeded",
    /^Maximum policy size of 2048 bytes exceeded for user alice$/,
    (d) => putInlinePolicy(d, { ...user, policy: "q", document: long(1000) }),
    apply(FEW, (d) => putInlinePolicy(d, { ...user, policy: "p", document: long(1000) })),
  ],
  [
    "LimitExceeded",
    /^Maximum policy size of 5120 bytes exceeded for group staff$/,
    (d) => putInlinePolicy(d, { ...group, policy: "p", document: long(5120) }),
  ],
  ["ValidationError", /32768/, (d) => putInlinePolicy(d, { ...user, policy: "p", document: wide })],
  [
    "NoSuchEntity",
    /^The user policy with name p cannot be found\.$/,
    (d) => deleteInlinePolicy(d, { ...user, policy: "p" }),
  ],
  [
    "NoSuchEntity",
    /^The group policy with name p cannot be found\.$/,
    (d) => deleteInlinePolicy(d, { ...group, policy: "p" }),
  ],
  [
    "NoSuchEntity",
    /does not exist or is not attachable/,
    (d) => attachPolicy(d, { ...user, arn: "arn:aws:iam::aws:policy/None" }),
  ],
  [
    "NoSuchEntity",
    /does not exist or is not attachable/,
    (d) => attachPolicy(d, { ...user, account: OTHER, arn: READERS }),
    apply(FEW, (d) => createUser(d, { account: OTHER, name: "alice" }, sources)),
  ],
  [
    "LimitExceeded",
    /PoliciesPerUser: 10$/,
    (d) => attachPolicy(d, { ...user, arn: READ_ONLY }),
    apply(FEW, ...policies, ...attach(user)),
  ],
  [
    "LimitExceeded",
    /PoliciesPerGroup: 10$/,
    (d) => attachPolicy(d, { ...group, arn: READ_ONLY }),
    apply(FEW, ...policies, ...attach(group)),
  ],
  ["NoSuchEntity", /was not found/, (d) => detachPolicy(d, { ...user, arn: READ_ONLY })],
  [
    "EntityAlreadyExists",
    /^A policy called Readers already exists\. Duplicate names/,
    (d) => createPolicy(d, { account: ACCOUNT, name: "Readers", document: DOCUMENT }, sources),
  ],
  [
    "LimitExceeded",
    /PolicySize: 6144$/,
    (d) => createPolicy(d, { account: ACCOUNT, name: "p", document: long(6144) }, sources),
  ],
  ["ValidationError", /description/, (d) =>
    createPolicy(d, {
      account: ACCOUNT,
      name: "p",
      document: DOCUMENT,
      description: "a".repeat(1001),
    }, sources)],
  [
    "DeleteConflict",
    /attached to entities/,
    (d) => deletePolicy(d, readers),
    apply(FEW, (d) => setBoundary(d, { ...alice, boundary: READERS })),
  ],
  [
    "DeleteConflict",
    /attached to entities/,
    (d) => deletePolicy(d, { ...readers, force: true }),
    apply(FEW, (d) => attachPolicy(d, { ...group, arn: READERS })),
  ],
  [
    "DeleteConflict",
    /more than one version/,
    (d) => deletePolicy(d, readers),
    apply(FEW, ...versions),
  ],
  [
    "LimitExceeded",
    /up to 5 versions/,
    (d) => createPolicyVersion(d, { ...readers, document: DOCUMENT, isDefault: true }, sources),
    apply(FEW, ...versions),
  ],
  [
    "DeleteConflict",
    /default version/,
    (d) => deletePolicyVersion(d, { ...readers, version: "v1" }, sources),
  ],
  [
    "NoSuchEntity",
    /version v9/,
    (d) => deletePolicyVersion(d, { ...readers, version: "v9" }, sources),
  ],
  [
    "NoSuchEntity",
    /version v9/,
    (d) => setDefaultPolicyVersion(d, { ...readers, version: "v9" }, sources),
  ],
  ["NoSuchEntity", /was not found/, (d) => deletePolicy(d, { account: ACCOUNT, arn: READ_ONLY })],
  [
    "NoSuchEntity",
    /was not found/,
    (d) => tagPolicy(d, { account: OTHER, arn: READERS, tags: [] }),
  ],
  [
    "NoSuchEntity",
    /was not found/,
    (d) => untagPolicy(d, { account: ACCOUNT, arn: READERS.replace("/team", ""), keys: [] }),
  ],
  ["ValidationError", /12 digits/, (d) => createAccount(d, { id: "1", name: "a" }, sources)],
  [
    "EntityAlreadyExists",
    /111122223333/,
    (d) => createAccount(d, { id: ACCOUNT, name: "a" }, sources),
  ],
  ["DeleteConflict", /users, groups and policies/, (d) => deleteAccount(d, { id: ACCOUNT })],
  [
    "ValidationError",
    /accountAlias/,
    (d) => createAccountAlias(d, { account: ACCOUNT, alias: "a--b" }, sources),
  ],
  [
    "EntityAlreadyExists",
    /alias team already/,
    (d) => createAccountAlias(d, { account: ACCOUNT, alias: "team" }, sources),
    apply(FEW, (d) => createAccountAlias(d, { account: OTHER, alias: "team" }, sources)),
  ],
  [
    "NoSuchEntity",
    /alias team cannot/,
    (d) => deleteAccountAlias(d, { account: ACCOUNT, alias: "team" }),
  ],
];

Deno.test("changes are refused with the codes and words of Amazon", () => {
  for (const [code, message, plan, directory = FEW] of REFUSED) {
    throws(
      () => plan(directory),
      (error) => isS3Error(error) && error.code === code && message.test(error.message),
      `${code} ${message}`,
    );
  }
});

Deno.test("a new user belongs to an account, which has a record from then on", () => {
  const user = FEW.user(ACCOUNT, "Alice");
  strictEqual(user?.path, "/");
  ok(/^AIDA[A-Z2-7]{17}$/.test(user.id), user.id);
  deepStrictEqual([user.keys, user.attached, user.groups, user.isDisabled], [[], [], [], false]);
  deepStrictEqual([...FEW.accounts.keys()], [ACCOUNT]);
  const named = apply(new Directory(), (d) => createAccount(d, { name: "Team A" }, sources));
  const [account] = named.accounts.values();
  ok(/^\d{12}$/.test(account?.id ?? ""), account?.id);
  strictEqual(findAccount(named, "team a"), account);
});

Deno.test("another name keeps the id, the keys and the groups", () => {
  const before = apply(used, (d) => addUserToGroup(d, member));
  const after = apply(
    before,
    (d) => updateUser(d, { ...alice, newName: "Alicia", newPath: "/a/" }),
    (d) => updateGroup(d, { ...staff, newName: "STAFF" }),
  );
  strictEqual(after.user(ACCOUNT, "alice"), undefined);
  deepStrictEqual(after.user(ACCOUNT, "alicia"), {
    ...before.user(ACCOUNT, "alice"),
    name: "Alicia",
    path: "/a/",
  });
  strictEqual(after.group(ACCOUNT, "staff")?.name, "STAFF");
  strictEqual(after.holderOf(key.pair.id)?.user?.name, "Alicia");
});

Deno.test("a user is removed with everything only by force", () => {
  const before = apply(
    used,
    (d) => addUserToGroup(d, member),
    (d) => attachPolicy(d, { ...user, arn: READ_ONLY }),
  );
  const after = apply(before, (d) => deleteUser(d, { ...alice, force: true }));
  strictEqual(after.user(ACCOUNT, "alice"), undefined);
  strictEqual(after.holderOf(key.pair.id), undefined);
  deepStrictEqual(apply(after, (d) => deleteGroup(d, staff)).membersOf(ACCOUNT).groups, []);
});

Deno.test("keys of a root are kept by its account", () => {
  const root = { account: OTHER, name: undefined };
  const directory = apply(
    FEW,
    (d) => createAccessKey(d, root, sources),
    (d) => createAccessKey(d, { ...root, ...key }, sources),
    (d) => updateAccessKey(d, { ...root, id: key.pair.id, isActive: false }, sources),
  );
  const keys = directory.accounts.get(OTHER)?.keys ?? [];
  deepStrictEqual(keys.map(({ isActive }) => isActive), [true, false]);
  ok(/^AKIA[A-Z2-7]{16}$/.test(keys[0]?.id ?? ""), keys[0]?.id);
  ok(/^[\w+/]{40}$/.test(keys[0]?.secret ?? ""));
  strictEqual(directory.holderOf(key.pair.id)?.user, undefined);
  const left = apply(directory, (d) => deleteAccessKey(d, { ...root, id: key.pair.id }, sources));
  strictEqual(left.accounts.get(OTHER)?.keys.length, 1);
});

Deno.test("versions of a policy are numbered on, and never twice", () => {
  const directory = apply(
    FEW,
    ...versions,
    (d) => deletePolicyVersion(d, { ...readers, version: "v5" }, sources),
    (d) => createPolicyVersion(d, { ...readers, document: DOCUMENT, isDefault: true }, sources),
    (d) => deletePolicyVersion(d, { ...readers, version: "v1" }, sources),
  );
  const policy = directory.policyOf(READERS);
  deepStrictEqual(policy?.versions.map(({ id }) => id), ["v2", "v3", "v4", "v6"]);
  strictEqual(policy?.defaultVersion, "v6");
  const back = apply(
    directory,
    (d) => setDefaultPolicyVersion(d, { ...readers, version: "v2" }, sources),
  );
  strictEqual(back.policyOf(READERS)?.defaultVersion, "v2");
});

Deno.test("what is so already is no change and no error", () => {
  const directory = apply(
    FEW,
    (d) => addUserToGroup(d, member),
    (d) => attachPolicy(d, { ...user, arn: READERS }),
  );
  deepStrictEqual(addUserToGroup(directory, member), []);
  deepStrictEqual(attachPolicy(directory, { ...user, arn: READERS }), []);
  deepStrictEqual(removeUserFromGroup(FEW, member), []);
});

Deno.test("tags are replaced and removed without regard to case", () => {
  const directory = apply(
    FEW,
    (d) => tagUser(d, { ...alice, tags: [{ key: "Team", value: "a" }, { key: "x", value: "" }] }),
    (d) => tagUser(d, { ...alice, tags: [{ key: "team", value: "b" }] }),
    (d) => untagUser(d, { ...alice, keys: ["X", "none"] }),
    (d) => tagPolicy(d, { ...readers, tags: [{ key: "é", value: "1" }] }),
    (d) => setDisabled(d, { ...alice, isDisabled: true }),
  );
  deepStrictEqual(directory.user(ACCOUNT, "alice")?.tags, new Map([["team", "b"]]));
  strictEqual(directory.user(ACCOUNT, "alice")?.isDisabled, true);
  deepStrictEqual(directory.policyOf(READERS)?.tags, new Map([["é", "1"]]));
  strictEqual(
    apply(directory, (d) => untagPolicy(d, { ...readers, keys: ["É"] }))
      .policyOf(READERS)?.tags.size,
    0,
  );
});

Deno.test("of two users with one name one is made, and of three keys two", async () => {
  const users = createMemoryUsers(FEW.entities());
  const twice = await Promise.allSettled(
    ["Bob", "bob"].map((name) => users.change((d) => createUser(d, { ...alice, name }, sources))),
  );
  deepStrictEqual(twice.map(({ status }) => status), ["fulfilled", "rejected"]);
  const thrice = await Promise.allSettled(
    [1, 2, 3].map(() => users.change((d) => createAccessKey(d, alice, sources))),
  );
  deepStrictEqual(thrice.map(({ status }) => status), ["fulfilled", "fulfilled", "rejected"]);
  strictEqual((await users.read()).user(ACCOUNT, "alice")?.keys.length, 2);
  const before = users.current();
  await rejects(users.change((d) => deleteUser(d, { ...alice, name: "none" })));
  strictEqual(users.current(), before);
});
