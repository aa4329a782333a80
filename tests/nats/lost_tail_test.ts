/**
 * A stream that has lost its last messages, because of a power failure or a volume that was rolled back: no gateway lists
 * a ghost, misses a key, or deletes a bucket that is not empty.
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { mapAtOnce } from "../../src/collections/map_at_once.ts";
import { isS3Error } from "../../src/s3/errors.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import {
  input,
  openStore,
  someBytes,
  type StoreOnServer,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

async function put(store: Store, bucket: string, ...keys: readonly string[]): Promise<void> {
  await mapAtOnce(keys, 100, async (key) => {
    await store.putObject(bucket as BucketName, key as ObjectKey, input(someBytes(3)));
  });
}

async function remove(store: Store, bucket: string, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await store.deleteObject(bucket as BucketName, key as ObjectKey, { precondition: {} });
  }
}

async function keysOf(store: Store, bucket: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let after: string | undefined = ""; after !== undefined;) {
    const query = { prefix: "", delimiter: "", after, limit: 1000 };
    const page = await store.listObjects(bucket as BucketName, query);
    keys.push(...page.objects.map(({ key }) => key as string));
    after = page.next;
  }
  return keys;
}

/** Lists a bucket, also while JetStream is coming back. */
async function keysSoon(store: Store, bucket: string): Promise<readonly string[]> {
  for (let attempt = 1;; attempt++) {
    try {
      return await keysOf(store, bucket);
    } catch (cause) {
      if (!isS3Error(cause, "ServiceUnavailable") || attempt === 100) throw cause;
      await delay(50);
    }
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function numbered(count: number, prefix = "k"): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(5, "0")}`);
}

async function lastSequence(connection: NatsConnection, bucket: string): Promise<number> {
  const reply = await connection.request(`$JS.API.STREAM.INFO.OBJ_${bucket}`);
  return reply.json<{ state: { last_seq: number } }>().state.last_seq;
}

async function copyFolder(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", { args: ["-a", from, to] }).output();
  ok(success);
}

/** What happens to a bucket before its stream loses its last messages, what is lost, and what happens afterwards. */
type Loss = {
  readonly before?: (store: Store, bucket: string) => Promise<unknown>;
  readonly lost: (store: Store, bucket: string, given: StoreOnServer) => Promise<unknown>;
  readonly after: (
    store: Store,
    bucket: string,
    to: { readonly last: number; readonly connection: NatsConnection },
  ) => Promise<unknown>;
  /** The keys that are there in the end. */
  readonly keys: readonly string[];
};

const LOSSES: Readonly<Record<string, Loss>> = {
  "nobody-wrote": {
    lost: (store, bucket) => put(store, bucket, "lost"),
    after: () => Promise.resolve(),
    keys: ["a", "b"],
  },
  "new-keys": {
    lost: (store, bucket) => put(store, bucket, ...numbered(12, "lost")),
    after: (store, bucket) => put(store, bucket, ...numbered(20, "new")),
    keys: ["a", "b", ...numbered(20, "new")],
  },
  "lost-deletion": {
    lost: (store, bucket) => remove(store, bucket, "a"),
    after: (store, bucket) => put(store, bucket, "new", "new2"),
    keys: ["a", "b", "new", "new2"],
  },
  "lost-everything": {
    before: (store, bucket) => remove(store, bucket, "a", "b"),
    lost: (store, bucket) => put(store, bucket, ...numbered(5, "lost")),
    after: (store, bucket) => put(store, bucket, ...numbered(8, "new")),
    keys: numbered(8, "new"),
  },
  // The sequences that were lost and given again are free: nothing at them is younger.
  "one-key": {
    lost: (store, bucket) => put(store, bucket, "lost", "lost2"),
    async after(store, bucket) {
      for (let i = 0; i < 20; i++) await put(store, bucket, "a");
    },
    keys: ["a", "b"],
  },
  "the-same-key": {
    lost: (store, bucket) => put(store, bucket, "lost", "a"),
    async after(store, bucket) {
      for (let i = 0; i < 20; i++) await put(store, bucket, "a");
    },
    keys: ["a", "b"],
  },
  // As many messages as were lost.
  "to-the-same-end": {
    lost: (store, bucket) => put(store, bucket, "lost", "lost2"),
    async after(store, bucket, { last, connection }) {
      await put(store, bucket, "new");
      while (await lastSequence(connection, bucket) < last) {
        await connection.request(`$O.${bucket}.S3.lock.test`, "");
      }
    },
    keys: ["a", "b", "new"],
  },
  "only-barriers-follow": {
    lost: (store, bucket) => put(store, bucket, "lost"),
    async after(_, bucket, { last, connection }) {
      while (await lastSequence(connection, bucket) < last + 5) {
        await connection.request(`$O.${bucket}.S3.sync`, "");
      }
    },
    keys: ["a", "b"],
  },
  "lost-purge": {
    async lost(_, bucket, { connection }) {
      await connection.request(`$JS.API.STREAM.PURGE.OBJ_${bucket}`);
    },
    after: (store, bucket) => put(store, bucket, "new"),
    keys: ["a", "b", "new"],
  },
  "saved": {
    before: (store, bucket) => put(store, bucket, ...numbered(1500)),
    lost: (store, bucket) => put(store, bucket, "lost"),
    after: (store, bucket) => put(store, bucket, "new", "new2"),
    keys: ["a", "b", ...numbered(1500), "new", "new2"],
  },
  "saved-later": {
    async lost(store, bucket, { connection }) {
      await put(store, bucket, ...numbered(1500, "lost"));
      await keysOf(store, bucket);
      await untilSaved(connection, bucket);
    },
    after: (store, bucket) => put(store, bucket, ...numbered(1600, "new")),
    keys: ["a", "b", ...numbered(1600, "new")],
  },
};

async function untilSaved(connection: NatsConnection, bucket: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    const subjects = await subjectsOfStream(connection, `OBJ_${bucket}`);
    const isSaving = `$O.${bucket}.S3.lock.snapshot` in subjects;
    if (`$O.${bucket}.S3.snapshot` in subjects && !isSaving) return;
    await delay(25);
  }
  throw new Error("Never: the index is saved");
}

Deno.test("a gateway that comes back after a stream lost its tail lists what is there", async (t) => {
  await using given = await storeOnServer({ store: { indexSavedFrom: 1000 } });
  const { server, connection, store } = given;
  await using proxy = new TcpProxy(server.port);
  await using late = await openStore(proxy.url, { indexSavedFrom: 1000 });
  const old = await Deno.makeTempDir();
  try {
    for (const [bucket, { before }] of Object.entries(LOSSES)) {
      await store.createBucket(bucket as BucketName, "alice");
      await put(store, bucket, "a", "b");
      await before?.(store, bucket);
    }
    await keysOf(store, "saved");
    await untilSaved(connection, "saved");
    await server.kill("SIGTERM");
    await copyFolder(server.storeDir, `${old}/data`);
    await server.start();

    const last = new Map<string, number>();
    for (const [bucket, { lost }] of Object.entries(LOSSES)) {
      await keysSoon(late.store, bucket);
      await keysSoon(store, bucket);
      await lost(store, bucket, given);
      await keysOf(late.store, bucket);
      last.set(bucket, await lastSequence(connection, bucket));
    }
    // The late gateway cannot connect while the others go on writing.
    proxy.judge = () => "cut";
    await server.kill("SIGKILL");
    await Deno.remove(server.storeDir, { recursive: true });
    await copyFolder(`${old}/data`, server.storeDir);
    await server.start();
    await using other = await openStore(server.url);
    const direct = await connect({ servers: server.url });
    try {
      for (const [bucket, { after }] of Object.entries(LOSSES)) {
        await after(other.store, bucket, { last: last.get(bucket) ?? 0, connection: direct });
      }
    } finally {
      await direct.close();
    }
    proxy.judge = () => "pass";
    for (const [bucket, { keys }] of Object.entries(LOSSES)) {
      await t.step(bucket, async () => {
        const expected = [...keys].sort();
        deepStrictEqual(await keysOf(other.store, bucket), expected, "a gateway that is new");
        deepStrictEqual(await keysSoon(late.store, bucket), expected, "the one that was away");
        deepStrictEqual(await keysSoon(store, bucket), expected, "the one that was there");
        for (const each of [late.store, store]) {
          await rejects(each.deleteBucket(bucket as BucketName), { code: "BucketNotEmpty" });
        }
        await put(other.store, bucket, "later");
        deepStrictEqual(await keysOf(late.store, bucket), [...expected, "later"].sort());
      });
    }
  } finally {
    await Deno.remove(old, { recursive: true });
  }
});

type Snapshot = { readonly config: unknown; readonly state: unknown };

/** Takes a backup of a stream, as `nats stream backup` does. */
async function backUp(
  connection: NatsConnection,
  stream: string,
): Promise<{ readonly snapshot: Snapshot; readonly chunks: readonly Uint8Array[] }> {
  const chunks: Uint8Array[] = [];
  const inbox = `_INBOX.backup.${stream}`;
  const subscription = connection.subscribe(inbox);
  const reply = await connection.request(
    `$JS.API.STREAM.SNAPSHOT.${stream}`,
    JSON.stringify({ deliver_subject: inbox, no_consumers: true }),
  );
  for await (const message of subscription) {
    if (message.data.length === 0) break;
    chunks.push(message.data.slice());
    message.respond();
  }
  return { snapshot: reply.json<Snapshot>(), chunks };
}

/** Restores a backup, as `nats stream restore` does. */
async function restore(
  connection: NatsConnection,
  stream: string,
  { snapshot, chunks }: Awaited<ReturnType<typeof backUp>>,
): Promise<void> {
  const { config, state } = snapshot;
  const reply = await connection.request(
    `$JS.API.STREAM.RESTORE.${stream}`,
    JSON.stringify({ config, state }),
  );
  const { deliver_subject } = reply.json<{ deliver_subject: string }>();
  for (const chunk of chunks) await connection.request(deliver_subject, chunk);
  const end = await connection.request(deliver_subject, "", { timeout: 10_000 });
  strictEqual(end.json<{ error?: unknown }>().error, undefined);
}

Deno.test("a gateway notices that a stream was restored from a backup while others went on writing", async () => {
  await using given = await storeOnServer({ store: { indexSavedFrom: 1000 } });
  const { server, connection, store } = given;
  await using proxy = new TcpProxy(server.port);
  await using late = await openStore(proxy.url, { indexSavedFrom: 1000 });
  const buckets = ["restored", "restored-saved"];
  const backups = [];
  for (const bucket of buckets) {
    await store.createBucket(bucket as BucketName, "alice");
    await put(store, bucket, "a", "b", ...(bucket === "restored" ? [] : numbered(1200)));
    await keysOf(store, bucket);
    if (bucket !== "restored") await untilSaved(connection, bucket);
    backups.push(await backUp(connection, `OBJ_${bucket}`));
    await put(store, bucket, "lost", "lost2");
    await remove(store, bucket, "a");
    await keysOf(store, bucket);
    await keysOf(late.store, bucket);
  }
  proxy.judge = () => "cut";
  proxy.cut();
  await using other = await openStore(server.url);
  for (const [i, bucket] of buckets.entries()) {
    await connection.request(`$JS.API.STREAM.PURGE.OBJ_${bucket}`); // its files may outlive it otherwise
    await connection.request(`$JS.API.STREAM.DELETE.OBJ_${bucket}`);
    await restore(connection, `OBJ_${bucket}`, backups[i] as (typeof backups)[number]);
    await put(other.store, bucket, ...numbered(6, "new"));
  }
  proxy.judge = () => "pass";
  for (const bucket of buckets) {
    const old = bucket === "restored" ? [] : numbered(1200);
    const expected = ["a", "b", ...old, ...numbered(6, "new")].sort();
    for (const each of [late.store, store, other.store]) {
      deepStrictEqual(await keysSoon(each, bucket), expected);
      await rejects(each.deleteBucket(bucket as BucketName), { code: "BucketNotEmpty" });
    }
  }
});

/** Purges by hand, and the keys that they leave of six that were written one after the other. */
const PURGES: Readonly<Record<string, { readonly purge: unknown; readonly left: number }>> = {
  "everything": { purge: {}, left: 0 },
  "all-but-some": { purge: { keep: 4 }, left: 2 }, // two messages each
  "all-object-info": { purge: { filter: "M.>" }, left: 0 },
};

Deno.test("what was purged by hand while a gateway was away is gone from its listings", async (t) => {
  await using given = await storeOnServer();
  const { server, connection, store } = given;
  await using proxy = new TcpProxy(server.port);
  await using late = await openStore(proxy.url);
  const keys = numbered(6);
  for (const bucket of Object.keys(PURGES)) {
    await store.createBucket(bucket as BucketName, "alice");
    for (const key of keys) await put(store, bucket, key);
    deepStrictEqual(await keysOf(late.store, bucket), keys);
  }
  proxy.judge = () => "cut";
  proxy.cut();
  for (const [bucket, { purge }] of Object.entries(PURGES)) {
    const { filter, ...rest } = purge as { filter?: string };
    const query = { ...rest, ...(filter !== undefined && { filter: `$O.${bucket}.${filter}` }) };
    await connection.request(`$JS.API.STREAM.PURGE.OBJ_${bucket}`, JSON.stringify(query));
    await put(store, bucket, "new");
  }
  proxy.judge = () => "pass";
  for (const [bucket, { left }] of Object.entries(PURGES)) {
    await t.step(bucket, async () => {
      const expected = [...keys.slice(keys.length - left), "new"];
      deepStrictEqual(await keysSoon(late.store, bucket), expected);
      await remove(store, bucket, ...expected);
      await late.store.deleteBucket(bucket as BucketName);
    });
  }
});

Deno.test("what was purged by hand while a gateway listed is gone from its listings", async (t) => {
  await using given = await storeOnServer();
  const { connection, store } = given;
  for (const count of [6, 2000]) {
    await t.step(`${count} keys`, async () => {
      const bucket = `purged-${count}`;
      const keys = numbered(count);
      await store.createBucket(bucket as BucketName, "alice");
      await put(store, bucket, ...keys);
      deepStrictEqual(await keysOf(store, bucket), keys);
      await put(store, bucket, "a");
      deepStrictEqual(await keysOf(store, bucket), ["a", ...keys]);
      const filter = `$O.${bucket}.M.>`;
      await connection.request(`$JS.API.STREAM.PURGE.OBJ_${bucket}`, JSON.stringify({ filter }));
      deepStrictEqual(await keysOf(store, bucket), []);
      await put(store, bucket, "b", "c");
      deepStrictEqual(await keysOf(store, bucket), ["b", "c"]);
      // "b"
      const one = JSON.stringify({ filter: `$O.${bucket}.M.Yg==` });
      await connection.request(`$JS.API.STREAM.PURGE.OBJ_${bucket}`, one);
      deepStrictEqual(await keysOf(store, bucket), ["c"]);
    });
  }
});
