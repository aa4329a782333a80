/**
 * Users without the bypass who try at random to get rid of versions under a lock, while every worker runs with short days.
 * @module
 */

import { ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { NatsServer } from "../../scripts/nats_server.ts";
import type { Gateway } from "../../src/commands/serve.ts";
import { putInlinePolicy } from "../../src/iam/changes/rights.ts";
import { formatKeptLifecycle } from "../../src/s3/lifecycle_document.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { LockInput } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import type { NatsStore } from "../../src/nats/store.ts";
import { signedRequest } from "../api/test_gateway.ts";
import { objectInput } from "../contract/inputs.ts";
import { Random } from "../simulation/random.ts";
import { newAttack, type Target } from "./random_attacks.ts";
import { openStore, sameBytes } from "./store_on_server.ts";
import { OPS, startGateway } from "./users_gateway.ts";
import { ACCOUNT, addUser, keyOf, withUsers } from "./users_on_server.ts";

/** A version that nobody may remove, unless a user who may do so has asked to lift its hold. */
type Protected = Target & { readonly bytes: Uint8Array; readonly lock: LockInput };

/** What happened. */
export type AttackReport = {
  readonly operations: number;
  readonly seconds: number;
  /** How often each attack was answered so. */
  readonly answers: ReadonlyMap<string, number>;
  readonly protected: number;
  /** Versions without a lock that lifecycle rules removed meanwhile, or users. */
  readonly unprotectedGone: number;
  readonly problems: readonly string[];
};

const BUCKET = "vault" as BucketName;
/** Rules that remove everything that may go. */
const EVERYTHING = formatKeptLifecycle({
  rules: [{
    id: "everything",
    isEnabled: true,
    filter: { form: "filter", tags: new Map() },
    expiration: { days: 1 },
    noncurrent: { days: 1 },
  }],
  minimumSize: "varies_by_storage_class",
});
const KEYS = ["a", "a/1", "b", "c"] as ObjectKey[];
/** Milliseconds that lifecycle rules get in the end, at most. */
const PATIENCE = 60_000;
/** Versions without a lock that are left to the rules in the end. */
const UNPROTECTED = 3;
const FLAGS = [
  ...["--lifecycle.day", "1s", "--sweep.interval", "1s", "--sweep.min-age", "1s"],
  ...["--trash.grace", "1s"],
];

/** What each user may do: everything that takes no lock away, by a list of what is allowed or of what is not. */
const USERS: Readonly<Record<string, object>> = {
  mallory: {
    Allow: ["s3:*"],
    Deny: ["s3:BypassGovernanceRetention", "s3:PutObjectLegalHold"],
  },
  oscar: {
    Allow: ["s3:Put*", "s3:Delete*", "s3:Get*", "s3:List*", "s3:AbortMultipartUpload"],
    Deny: ["s3:PutObjectLegalHold", "s3:BypassGovernanceRetention"],
  },
  // May lift a hold.
  heidi: { Allow: ["s3:*"], Deny: ["s3:BypassGovernanceRetention"] },
};

/** Attacks, and reads every protected version back. */
export async function runLockAttacks(
  server: NatsServer,
  { operations, atOnce, seed }: {
    readonly operations: number;
    /** Operations that begin together. One more version is protected before them. */
    readonly atOnce: number;
    readonly seed: number;
  },
): Promise<AttackReport> {
  const began = performance.now();
  const random = new Random(seed);
  await using one = await startGateway(server, [{ admin: true }], FLAGS);
  await using other = await startGateway(server, [{ admin: true }], FLAGS);
  await using opened = await openStore(server.url, withUsers());
  const { store } = opened;
  await prepare(one.gateway, store);
  await Promise.all([one, other].map(({ gateway }) => knowsUsers(gateway)));
  const kept: Protected[] = [];
  const answers = new Map<string, number>();
  const problems: string[] = [];
  const attack = async (): Promise<void> => {
    const name = random.pick(Object.keys(USERS));
    const { what, method, target, headers, body, lifts } = newAttack(random, KEYS, kept);
    if (lifts !== undefined && name === "heidi") lifts.isLifted = true;
    const { gateway } = random.chance(0.5) ? one : other;
    const signer = { accessKeyId: keyOf(name), secret: `secret of ${name}`, now: new Date() };
    const hash = createHash("md5").update(body ?? "").digest("base64");
    const all = { ...headers, ...(body !== undefined && { "content-md5": hash }) };
    const send = { ...signer, headers: all, ...(body !== undefined && { body }) };
    const response = await gateway(signedRequest(method, target, send));
    await response.body?.cancel();
    const kind = `${what} ${response.status}`;
    answers.set(kind, (answers.get(kind) ?? 0) + 1);
  };
  for (let i = 0; i < operations; i += atOnce) {
    kept.push(await protect(store, random, i));
    await Promise.all(Array.from({ length: atOnce }, attack));
    if (i % 500 === 0) problems.push(...await check(store, kept));
  }
  const gone = await leaveToLifecycle(store);
  problems.push(...await check(store, kept));
  return {
    operations,
    seconds: Math.round((performance.now() - began) / 1000),
    answers,
    protected: kept.length,
    unprotectedGone: gone,
    problems,
  };
}

/** Resolves when a gateway knows the users, which another one has added. */
async function knowsUsers(gateway: Gateway): Promise<void> {
  for (const name of Object.keys(USERS)) {
    const signer = { accessKeyId: keyOf(name), secret: `secret of ${name}` };
    for (const deadline = Date.now() + PATIENCE;;) {
      const signed = { ...signer, now: new Date() };
      const response = await gateway(signedRequest("HEAD", `/${BUCKET}`, signed));
      if (response.ok) break;
      ok(Date.now() < deadline, `${name} is still unknown: ${response.status}`);
      await delay(50);
    }
  }
}

async function prepare(gateway: Gateway, store: NatsStore): Promise<void> {
  const headers = { "x-amz-bucket-object-lock-enabled": "true" };
  const made = await gateway(
    signedRequest("PUT", `/${BUCKET}`, { ...OPS, now: new Date(), headers }),
  );
  ok(made.ok, await made.text());
  await store.administration.giveTo(BUCKET, ACCOUNT);
  for (const [name, lists] of Object.entries(USERS)) {
    await store.users.change(addUser(name));
    const Statement = Object.entries(lists)
      .map(([Effect, Action]) => ({ Effect, Action, Resource: "*" }));
    const document = JSON.stringify({ Version: "2012-10-17", Statement });
    const user = { account: ACCOUNT, name, kind: "user", policy: "all" } as const;
    await store.users.change((directory) => putInlinePolicy(directory, { ...user, document }));
  }
}

/** Puts a version under a lock. */
async function protect(store: Store, random: Random, number: number): Promise<Protected> {
  const key = random.pick(KEYS);
  const bytes = new Uint8Array(random.pick([1, 1000, 200_000])).fill(number % 251);
  const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 24 * 3600 * 1000);
  const lock: LockInput = random.pick([
    { retention: { mode: "COMPLIANCE", until } },
    { retention: { mode: "GOVERNANCE", until } },
    { legalHold: true },
    { legalHold: true, retention: { mode: "COMPLIANCE", until } },
  ]);
  const { versionId: id } = await store.putObject(BUCKET, key, objectInput(bytes, { lock }));
  ok(id !== undefined);
  return { key, id, bytes, lock, isLifted: false };
}

/** Reads all protected versions, byte for byte. */
async function check(store: Store, kept: readonly Protected[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { key, id, bytes, lock, isLifted } of kept) {
    const { legalHold = false, retention } = lock;
    if (isLifted && retention === undefined) continue;
    const name = `${key} ${id}, ${JSON.stringify(lock)}`;
    try {
      const content = await store.getObject(BUCKET, key, () => "all", { versionId: id });
      const { info } = content;
      const found = await new Response(content.body).bytes();
      if (!sameBytes(found, bytes)) problems.push(`${name} has other bytes`);
      if (legalHold && !isLifted && info.legalHold !== true) problems.push(`${name} lost its hold`);
      const until = retention !== undefined && "until" in retention ? retention.until.getTime() : 0;
      if ((info.retention?.until.getTime() ?? 0) < until) problems.push(`${name} is shortened`);
      const isWeaker = retention?.mode === "COMPLIANCE" && info.retention?.mode !== "COMPLIANCE";
      if (isWeaker) problems.push(`${name} has a weaker mode`);
    } catch (cause) {
      problems.push(`${name} cannot be read: ${cause}`);
    }
  }
  return problems;
}

/** Leaves versions without a lock to rules that take everything. Returns how many of them the rules have removed. */
async function leaveToLifecycle(store: Store): Promise<number> {
  const key = "without a lock" as ObjectKey;
  const count = async (): Promise<number> => {
    const query = { prefix: key, delimiter: "", afterKey: "", afterVersion: undefined };
    return (await store.listVersions(BUCKET, { ...query, limit: 1000 })).versions.length;
  };
  for (let i = 0; i < UNPROTECTED; i++) {
    await store.putObject(BUCKET, key, objectInput(new Uint8Array(10)));
  }
  await store.putDocument(BUCKET, "lifecycle", EVERYTHING);
  let left = await count();
  for (const deadline = Date.now() + PATIENCE; left >= UNPROTECTED && Date.now() < deadline;) {
    await delay(100);
    left = await count();
  }
  return UNPROTECTED - left;
}
