/** `nats-s3 buckets versions` and `restore` on JetStream: what they print, a kill, native writes, and refusals. */

import { Objm } from "@nats-io/obj";
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import type { NatsStore } from "../../src/nats/store.ts";
import { NULL_VERSION, type VersionId } from "../../src/s3/version_id.ts";
import type { ListedVersion, VersionPage } from "../../src/store/listings.ts";
import { bucket, completion, key, MIN_PART_SIZE, OWNER, pattern } from "../contract/inputs.ts";
import { list, put, text, upload } from "../contract/steps.ts";
import { idOf, pageOf, remove } from "../contract/version_steps.ts";
import { PERMISSIONS, startCommand } from "../process/running_command.ts";
import { commandsOn } from "./commands_on_server.ts";
import { openStore } from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

// One server for all, outside of tests, so that none is blamed for its process.
const server = await startNatsServer();
Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());
const run = commandsOn(server);

const ENABLED = new Map([["versioning", "Enabled"]] as const);

/** Registers a test that is given an empty bucket with versioning. */
function test(
  name: string,
  body: (store: NatsStore, native: Objm) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using given = await openStore(server.url);
    const { store, connection } = given;
    await store.createBucket(bucket, OWNER, { documents: ENABLED });
    try {
      await body(store, new Objm(connection));
    } finally {
      // It holds versions, so S3 does not delete it.
      await connection.request(`$JS.API.STREAM.DELETE.OBJ_${bucket}`);
    }
  });
}

async function tick(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 3));
}

async function versionsOf(store: NatsStore): Promise<readonly ListedVersion[]> {
  const all: ListedVersion[] = [];
  let from: VersionPage["next"] = { key: "", version: undefined };
  while (from !== undefined) {
    const page: VersionPage = await pageOf(store, {
      afterKey: from.key,
      afterVersion: from.version,
    });
    all.push(...page.versions);
    from = page.next;
  }
  return all;
}

test("nats-s3 buckets versions lists versions, markers and locks, the newest first", async (store) => {
  const first = await put(store, "a b", "one");
  const marker = idOf(await remove(store, "a b"));
  const second = await put(store, "a b", "three");
  await put(store, "a b c", "x");
  const exact = await run(`buckets versions ${bucket}`, { operands: ["a b", "--exact"] });
  strictEqual(exact.code, 0, exact.errors);
  const rows = exact.output.trim().split("\n").map((line) => line.split(/ {2,}/));
  deepStrictEqual(rows, [
    ["KEY", "VERSION", "MODIFIED", "SIZE", "ETAG", "STATE"],
    ...[[second, "5", "current"], [undefined, "-", "delete marker"], [first, "3", "-"]].map(
      (row, i) => {
        const [info, size, state] = row as [typeof first | undefined, string, string];
        const shown = rows[i + 1]?.[2] ?? "";
        match(shown, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
        if (info !== undefined) strictEqual(shown, info.modified.toISOString());
        return [`"a b"`, info?.versionId ?? marker, shown, size, info?.etag ?? "-", state];
      },
    ),
  ]);

  await store.putDocument(bucket, "objectLock", "{}");
  const until = new Date(Date.now() + 60_000);
  const retention = { mode: "GOVERNANCE", until } as const;
  await store.changeLock(bucket, key("a b"), { kind: "retention", retention, bypass: false });
  await store.changeLock(bucket, key("a b"), { kind: "hold", legalHold: true });
  const lines = (await run(`buckets versions ${bucket} --json`)).output.trim().split("\n");
  const [json] = lines;
  strictEqual(lines.length, 4);
  const { modified: _, ...shown } = JSON.parse(json ?? "");
  deepStrictEqual(shown, {
    key: "a b",
    versionId: second.versionId,
    size: 5,
    etag: second.etag,
    current: true,
    marker: false,
    retention: { mode: "GOVERNANCE", until: until.toISOString() },
    legalHold: true,
  });
  const table = (await run(`buckets versions ${bucket}`)).output;
  match(table, /current, GOVERNANCE until [\d\-T:.]+Z, legal hold\n/);
  await store.changeLock(bucket, key("a b"), { kind: "hold", legalHold: false });
});

test("nats-s3 buckets restore goes on after a kill and restores nothing twice", async (store) => {
  const KEYS = 40;
  const names = Array.from({ length: KEYS }, (_, i) => `tree/${i}`);
  const each = async (change: (name: string, i: number) => Promise<unknown>): Promise<void> => {
    for (const [i, name] of names.entries()) await change(name, i);
  };
  await each((name, i) => put(store, name, i % 8 === 0 ? pattern(300_000, i) : `old ${i}`));
  const pieces = [pattern(MIN_PART_SIZE), pattern(10)];
  const { id, parts } = await upload(store, "tree/parts", pieces);
  const { etag } = await store.completeUpload(bucket, key("tree/parts"), id, completion(parts));
  await put(store, "other", "old");
  await tick();
  const time = (await store.serverTime(bucket)).toISOString();
  await tick();
  await each((name, i) => i % 2 === 0 ? put(store, name, "bad") : remove(store, name));
  await put(store, "tree/parts", "bad");
  await put(store, "tree/new", "bad");
  await put(store, "other", "bad");
  const before = await versionsOf(store);

  const line = ["buckets", "restore", bucket, "tree/", "--as-of", time];
  let done = 0;
  {
    await using proxy = new TcpProxy(server.port);
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    proxy.judge = ({ direction, subject }) => {
      const isCommit = direction === "to server" && subject.startsWith(`$O.${bucket}.M.`);
      if (!isCommit) return "pass";
      if (done < 15) done++;
      else {
        stop();
        return "drop";
      }
      return "pass";
    };
    const env = {
      NATS_S3_NATS_SERVERS: proxy.url,
      NATS_S3_CREDENTIALS: JSON.stringify({ credentials: [{ accessKey: "a", secretKey: "s" }] }),
    };
    await using killed = startCommand(["run", ...PERMISSIONS, "main.ts", ...line], { env });
    await Promise.race([
      stopped,
      killed.ended().then(() => {
        throw new Error(killed.output);
      }),
    ]);
    await killed.stop("SIGKILL").catch(() => {});
  }
  strictEqual((await versionsOf(store)).length - before.length, done);

  const { code, output, errors } = await run(line.join(" "));
  strictEqual(errors, "");
  strictEqual(code, 0);
  match(output, new RegExp(`left ${done} as they are\n$`));
  const after = await versionsOf(store);
  strictEqual(after.length, before.length + KEYS + 2);
  const ids = new Set(after.map(({ versionId }) => versionId));
  ok(before.every(({ versionId }) => ids.has(versionId)), "no version was removed");

  strictEqual((await store.readObject(bucket, key("tree/parts"))).etag, etag);
  strictEqual(await text(store, "tree/1"), "old 1");
  const { keys } = await list(store, { prefix: "tree/" });
  strictEqual(keys.includes("tree/new"), false);
  strictEqual(keys.length, KEYS + 1);
  strictEqual(await text(store, "other"), "bad");
  match((await run(line.join(" "))).output, /restored 0 objects \(0 B\), deleted 0, left 42 as/);
  strictEqual((await versionsOf(store)).length, after.length);
});

test(
  "nats-s3 buckets restore says what it would do, and what is not known",
  async (store, native) => {
    const objects = await native.open(bucket);
    const versions: VersionId[] = [];
    for (const body of ["one", "two"]) {
      versions.push(idOf(await put(store, "k", body)));
      await tick();
    }
    await put(store, "new", "x");
    const listed = await versionsOf(store);
    const timeOf = (id: VersionId | undefined): string =>
      listed.find(({ versionId }) => versionId === id)?.modified.toISOString() ?? "";
    const line = `buckets restore ${bucket} --as-of ${timeOf(versions[0])}`;
    const dry = await run(`${line} --dry-run`);
    strictEqual(dry.errors, "");
    match(dry.output, /^would restore "k" from 0000000002/m);
    match(dry.output, /^would delete "new", which did not exist$/m);
    match(dry.output, /would restore 1 objects \(3 B\), would delete 1, left 0 as they are\n$/);
    deepStrictEqual(await versionsOf(store), listed);
    const [json = ""] = (await run(`${line} --dry-run --json`)).output.split("\n").sort().slice(1);
    const { dryRun, kind } = JSON.parse(json);
    deepStrictEqual([dryRun, kind], [true, "deleted"]);

    // A native write destroys the current version and is the version null.
    await tick();
    await objects.putBlob({ name: "k" }, new TextEncoder().encode("native"));
    const third = await put(store, "k", "three");
    const younger = (await versionsOf(store)).find(({ versionId }) => versionId === NULL_VERSION);
    const at = (time: Date | string): Promise<string> =>
      store.versionAsOf(bucket, key("k"), new Date(time)).then((found) =>
        "versionId" in found ? found.versionId : found.kind
      );
    ok(younger !== undefined);
    strictEqual(
      await at(younger.modified),
      third.modified > younger.modified ? "null" : idOf(third),
    );
    strictEqual(await at(timeOf(versions[1])), "unknown");
    const unknown = await run(`buckets restore ${bucket} k --as-of ${timeOf(versions[1])}`);
    strictEqual(unknown.code, 1);
    match(unknown.output, /^left "k": a version null that is younger took the place/m);
    match(unknown.errors, /^1 keys of bucket "contract" were left alone because it is not known/);
    strictEqual(await text(store, "k"), "three");
  },
);

test("nats-s3 buckets restore explains what it refuses", async (store) => {
  const refusal = async (line: string): Promise<string> => {
    const { code, errors } = await run(`buckets restore ${line}`);
    strictEqual(code, 1);
    return errors;
  };
  await rejects(refusal(`${bucket}`), /Missing --as-of: name a time/);
  await rejects(refusal(`${bucket} --as-of tomorrow`), /neither a time such as .* nor a duration/);
  match(await refusal(`${bucket} --as-of 2099-01-01T00:00:00Z`), /is in the future/);
  match(await refusal(`nowhere --as-of 1h`), /There is no bucket "nowhere"/);
  await store.createBucket("plain" as typeof bucket, OWNER);
  match(await refusal("plain --as-of 1h"), /Bucket "plain" never had versioning/);
  const { output, code } = await run(`buckets restore ${bucket} --as-of 1h`);
  strictEqual(code, 0);
  match(output, /restored 0 objects/);
});
