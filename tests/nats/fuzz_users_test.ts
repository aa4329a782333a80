/** Mutated records of users: no parser throws, and what it returns can be stored, found and asked for. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createAccessKey } from "../../src/iam/changes/keys.ts";
import { createPolicy, createPolicyVersion } from "../../src/iam/changes/policies.ts";
import { createGroup } from "../../src/iam/changes/groups.ts";
import { putInlinePolicy } from "../../src/iam/changes/rights.ts";
import { createUser } from "../../src/iam/changes/users.ts";
import { Directory, keyOf } from "../../src/iam/directory.ts";
import type { Change, Entity } from "../../src/iam/entities.ts";
import { parseUserSubject, userSubject } from "../../src/nats/layout/user_subjects.ts";
import { formatUserRecord, parseUserRecord } from "../../src/nats/users/record.ts";
import { secretsOf } from "../../src/nats/users/secrets.ts";
import { BLOCKS_NOTHING } from "../../src/s3/public_access_block.ts";
import { mutate, mutateSubject, seeded } from "./mutations.ts";
import { ACCOUNT, sealingOf, sources } from "./users_on_server.ts";

const ROUNDS = 3000;
const secrets = secretsOf({ sealing: sealingOf(1), plaintext: true });
const document =
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}';
const alice = { account: ACCOUNT, name: "Alice" };
const arn = `arn:aws:iam::${ACCOUNT}:policy/team/readers`;

const SETTINGS: Entity = {
  kind: "settings",
  value: { account: ACCOUNT, publicAccessBlock: { ...BLOCKS_NOTHING, BlockPublicPolicy: true } },
};

const PLANS: readonly ((directory: Directory) => readonly Change[])[] = [
  (d) => createUser(d, { ...alice, path: "/a/", tags: [{ key: "team", value: "" }] }, sources),
  (d) => createAccessKey(d, alice, sources),
  (d) => createAccessKey(d, alice, sources),
  (d) => createAccessKey(d, { account: ACCOUNT, name: undefined }, sources),
  (d) => putInlinePolicy(d, { ...alice, kind: "user", policy: "1", document }),
  (d) => putInlinePolicy(d, { ...alice, kind: "user", policy: "0", document }),
  (d) => createGroup(d, { account: ACCOUNT, name: "staff" }, sources),
  (d) => createPolicy(d, { account: ACCOUNT, name: "readers", path: "/team/", document }, sources),
  () => [{ put: SETTINGS }],
  (d) => createPolicyVersion(d, { account: ACCOUNT, arn, document, isDefault: false }, sources),
];
const DIRECTORY = PLANS.reduce((before, plan) => before.with(plan(before)), new Directory());
const ENTITIES: readonly Entity[] = [...DIRECTORY.entities()];

Deno.test("records of every kind are read as they were written", () => {
  strictEqual(new Set(ENTITIES.map(({ kind }) => kind)).size, 5);
  for (const entity of ENTITIES) {
    const key = parseUserSubject(userSubject(keyOf(entity)));
    ok(key !== undefined);
    const parsed = parseUserRecord(key, formatUserRecord(entity, secrets), secrets);
    deepStrictEqual(parsed, { kind: "record", record: { entity, locked: 0, outdated: 0 } });
  }
});

Deno.test("mutated records are entities that can be stored, or cannot be read", () => {
  const texts = ENTITIES.map((entity) => formatUserRecord(entity, secrets));
  const decoder = new TextDecoder();
  const counts = { record: 0, unreadable: 0 };
  for (let seed = 0; seed < ROUNDS; seed++) {
    const entity = ENTITIES[seed % ENTITIES.length] as Entity;
    const text = decoder.decode(mutate(seeded(seed), texts[seed % texts.length] ?? ""));
    try {
      const parsed = parseUserRecord(keyOf(entity), text, secrets);
      counts[parsed.kind]++;
      if (parsed.kind === "unreadable") continue;
      const read = parsed.record.entity;
      strictEqual(userSubject(keyOf(read)), userSubject(keyOf(entity)));
      const again = parseUserRecord(keyOf(read), formatUserRecord(read, secrets), secrets);
      deepStrictEqual(again, { kind: "record", record: { entity: read, locked: 0, outdated: 0 } });
      const directory = DIRECTORY.with([{ put: read }]);
      for (const member of directory.membersOf(ACCOUNT).users) {
        for (const { id } of member.keys) strictEqual(directory.holderOf(id)?.key.id, id);
      }
    } catch (cause) {
      throw new Error(`Seed ${seed}: ${text.slice(0, 500)}`, { cause });
    }
  }
  ok(counts.record > 100 && counts.unreadable > 100, JSON.stringify(counts));
});

Deno.test("mutated subjects of records are those of one entity, or of none", () => {
  const subjects = ENTITIES.map((entity) => userSubject(keyOf(entity)));
  let found = 0;
  for (let seed = 0; seed < ROUNDS; seed++) {
    const subject = mutateSubject(seeded(seed), subjects[seed % subjects.length] ?? "", 2);
    const key = parseUserSubject(subject);
    if (key === undefined) continue;
    found++;
    strictEqual(userSubject(key), subject);
    const isOfAccount = key.kind === "account" || key.kind === "settings";
    ok(isOfAccount ? key.name === "" : /^[\w+=,.@-]{1,128}$/.test(key.name), subject);
  }
  ok(found > 0);
});
