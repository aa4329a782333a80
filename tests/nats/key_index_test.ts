/** The index of a bucket's keys: what happens to its stream and its consumer, and a listing is right all the same. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { mapAtOnce } from "../../src/collections/map_at_once.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { S3Error } from "../../src/s3/errors.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import {
  input,
  openStore,
  read,
  sharedServer,
  someBytes,
  STORE_OPTIONS,
  type StoreOnServer,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "index" as BucketName;
const stream = "OBJ_index";
/** Few enough that none waits for seconds on a busy machine. */
const PUTS_AT_ONCE = 256;

async function keysOf(store: Store, prefix = ""): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let after: string | undefined = ""; after !== undefined;) {
    const page = await store.listObjects(bucket, { prefix, delimiter: "", after, limit: 1000 });
    keys.push(...page.objects.map(({ key }) => key as string));
    after = page.next;
  }
  return keys;
}

async function put(store: Store, ...keys: readonly string[]): Promise<void> {
  await mapAtOnce(keys, PUTS_AT_ONCE, async (key) => {
    await store.putObject(bucket, key as ObjectKey, input(someBytes(3)));
  });
}

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `k${String(i).padStart(5, "0")}`);
}

async function api<T>(connection: NatsConnection, method: string, body?: unknown): Promise<T> {
  const reply = await connection.request(
    `$JS.API.${method}`,
    body === undefined ? undefined : JSON.stringify(body),
  );
  const answer = reply.json<T & { error?: { description: string } }>();
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.description}`);
  return answer;
}

type ConsumerInfo = { readonly name: string; readonly config: { readonly opt_start_seq?: number } };

async function consumersOf(connection: NatsConnection): Promise<readonly ConsumerInfo[]> {
  const list = await api<{ consumers: ConsumerInfo[] | null }>(
    connection,
    `CONSUMER.LIST.${stream}`,
    {},
  );
  return list.consumers ?? [];
}

/** Waits for what happens in the background. */
async function until(isTrue: () => Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Never: ${what}`);
}

Deno.test("a consumer that somebody deletes is made again behind what it delivered", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await put(store, "a", "b");
  deepStrictEqual(await keysOf(store), ["a", "b"]);
  const [consumer] = await consumersOf(connection);
  ok(consumer !== undefined);
  await api(connection, `CONSUMER.DELETE.${stream}.${consumer.name}`);
  await put(store, "c");
  deepStrictEqual(await keysOf(store), ["a", "b", "c"]);
  const [next] = await consumersOf(connection);
  ok((next?.config.opt_start_seq ?? 0) > 2, "it did not begin again");
});

Deno.test("a gap in what a consumer delivers is noticed, and filled", async () => {
  await using given = await storeOnServer({ on });
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url);
  await given.store.createBucket(bucket, "alice");
  await put(given.store, "a");
  deepStrictEqual(await keysOf(other.store), ["a"]);
  let dropped = 0;
  proxy.judge = ({ direction, subject }) => {
    const isLost = direction === "to client" && subject.startsWith("$O.index.M.") &&
      dropped++ === 0;
    return isLost ? "drop" : "pass";
  };
  await put(given.store, "b");
  await put(given.store, "c");
  deepStrictEqual(await keysOf(other.store), ["a", "b", "c"]);
  ok(dropped > 1);
});

Deno.test("a lost connection costs a listing nothing but time", async () => {
  await using given = await storeOnServer({ on });
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url);
  await given.store.createBucket(bucket, "alice");
  const expected: string[] = [];
  for (let i = 0; i < 5; i++) {
    expected.push(`k${i}`);
    await put(given.store, `k${i}`);
    if (i > 0) proxy.cut();
    let listed: readonly string[] | undefined;
    await until(async () => {
      listed = await keysOf(other.store).catch(() => undefined);
      return listed !== undefined;
    }, "a listing after a reconnect");
    deepStrictEqual(listed, expected);
  }
});

Deno.test("a connection that is lost while an index is loaded answers 503, and loading goes on", async () => {
  await using given = await storeOnServer({ on });
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url);
  await given.store.createBucket(bucket, "alice");
  const keys = numbered(8000);
  await put(given.store, ...keys);
  let seen = 0;
  proxy.judge = ({ direction, subject }) => {
    const isInfo = direction === "to client" && subject.startsWith("$O.index.M.");
    return isInfo && ++seen === 4000 ? "cut" : "pass";
  };
  await rejects(keysOf(other.store), (error: S3Error) => error.code === "ServiceUnavailable");
  await until(
    async () => (await keysOf(other.store).catch(() => [])).length === keys.length,
    "all keys after the reconnect",
  );
  const starts = (await consumersOf(given.connection)).map(({ config }) =>
    config.opt_start_seq ?? 0
  );
  ok(starts.some((start) => start > 3000), `it began again from the first message: ${starts}`);
});

Deno.test("a bucket that a native client deletes and makes again shows nothing of the old one", async () => {
  await using given = await storeOnServer({ on });
  const { store, native } = given;
  await native.create("index");
  await put(store, "old/a", "old/b");
  strictEqual((await keysOf(store)).length, 2);
  // nats-server may bring a stream that is made again up with what the deleted one held: so it is emptied first.
  const destroy = async (): Promise<void> => {
    await given.connection.request("$JS.API.STREAM.PURGE.OBJ_index");
    await (await native.open("index")).destroy();
  };
  await destroy();
  await rejects(keysOf(store), (error: S3Error) => error.code === "NoSuchBucket");
  const again = await native.create("index");
  // More messages than the old one had.
  for (let i = 0; i < 20; i++) await again.putBlob({ name: `new/${i % 3}` }, someBytes(3));
  deepStrictEqual(await keysOf(store), ["new/0", "new/1", "new/2"]);
  await destroy();
  const third = await native.create("index");
  await third.putBlob({ name: "third" }, someBytes(3));
  deepStrictEqual(await keysOf(store), ["third"]);
  // Nobody lists in between, and the new stream is longer than what was read of the old one.
  await destroy();
  const fourth = await native.create("index");
  for (const name of ["4/a", "4/b", "4/c"]) await fourth.putBlob({ name }, someBytes(3));
  deepStrictEqual(await keysOf(store), ["4/a", "4/b", "4/c"]);
});

Deno.test("a bucket that is deleted while it is listed is NoSuchBucket", async () => {
  await using given = await storeOnServer({ on });
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url);
  await given.store.createBucket(bucket, "alice");
  await put(given.store, "a");
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  proxy.judge = ({ direction, subject }) => {
    if (direction !== "to client" || !subject.startsWith("$O.index.")) return "pass";
    held.resolve();
    return { hold: gate.promise };
  };
  const listing = keysOf(other.store);
  const refused = rejects(listing, (error: S3Error) => error.code === "NoSuchBucket");
  await held.promise;
  await api(given.connection, `STREAM.DELETE.${stream}`);
  proxy.judge = () => "pass";
  gate.resolve();
  await refused;
});

Deno.test("what is purged by hand is gone from listings", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const keys = numbered(12);
  for (const key of keys) await put(store, key);
  deepStrictEqual(await keysOf(store), keys);

  // One key, and somebody asks for it.
  const subject = "$O.index.M.azAwMDA3"; // k00007
  await api(connection, `STREAM.PURGE.${stream}`, { filter: subject });
  await rejects(
    read(store, bucket, "k00007" as ObjectKey),
    (error: S3Error) => error.code === "NoSuchKey",
  );
  deepStrictEqual(await keysOf(store), keys.filter((key) => key !== "k00007"));

  // The beginning of the stream: the first five objects have two messages each, behind three records.
  const { state } = await api<{ state: { first_seq: number } }>(
    connection,
    `STREAM.INFO.${stream}`,
  );
  await api(connection, `STREAM.PURGE.${stream}`, { seq: state.first_seq + 13 });
  deepStrictEqual(await keysOf(store), keys.filter((key) => key > "k00004" && key !== "k00007"));

  // All of it, and then a new beginning.
  await api(connection, `STREAM.PURGE.${stream}`);
  deepStrictEqual(await keysOf(store), []);
  await put(store, "new");
  deepStrictEqual(await keysOf(store), ["new"]);
});

Deno.test("a bucket whose thousands of keys were purged by hand lists none", async () => {
  await using given = await storeOnServer({ on, store: { indexSavedFrom: 1000 } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await put(store, ...numbered(1500));
  strictEqual((await keysOf(store)).length, 1500);
  await until(
    async () => "$O.index.S3.snapshot" in await subjectsOfStream(connection, stream),
    "saved",
  );
  await api(connection, `STREAM.PURGE.${stream}`, { keep: 1 });
  deepStrictEqual(await keysOf(store), []);
});

Deno.test("objects of a stream with max_age leave listings when they expire", async () => {
  await using given = await storeOnServer({ on });
  const { store, native } = given;
  const objects = await native.create("index", { ttl: 1500 * 1_000_000 });
  await objects.putBlob({ name: "early" }, someBytes(3));
  await new Promise((resolve) => setTimeout(resolve, 800));
  await objects.putBlob({ name: "late" }, someBytes(3));
  deepStrictEqual(await keysOf(store), ["early", "late"]);
  await until(async () => (await keysOf(store)).length < 2, "the first is gone");
  deepStrictEqual(await keysOf(store), ["late"]);
  await until(async () => (await keysOf(store)).length === 0, "the second is gone");
});

Deno.test("a native rename moves the key in listings", async () => {
  await using given = await storeOnServer({ on });
  const { store, native } = given;
  await store.createBucket(bucket, "alice");
  await put(store, "from", "other");
  deepStrictEqual(await keysOf(store), ["from", "other"]);
  const objects = await native.open("index");
  await objects.update("from", { name: "to" });
  deepStrictEqual(await keysOf(store), ["other", "to"]);
  await objects.update("to", { name: "back/again" });
  await objects.update("other", { name: "from" });
  deepStrictEqual(await keysOf(store), ["back/again", "from"]);
});

Deno.test("a native rename whose purge comes later is noticed", async () => {
  await using given = await storeOnServer({ on });
  const { store, native, connection } = given;
  await store.createBucket(bucket, "alice");
  await put(store, "from");
  deepStrictEqual(await keysOf(store), ["from"]);
  await native.open("index");
  // What update() does, in two steps.
  const old = "$O.index.M.ZnJvbQ==";
  const last = await api<{ message: { data: string } }>(connection, `STREAM.MSG.GET.${stream}`, {
    last_by_subj: old,
  });
  const info = JSON.parse(atob(last.message.data)) as Record<string, unknown>;
  await connection.request("$O.index.M.dG8=", JSON.stringify({ ...info, name: "to" }));
  deepStrictEqual(await keysOf(store), ["from", "to"]);
  await api(connection, `STREAM.PURGE.${stream}`, { filter: old });
  deepStrictEqual(await keysOf(store), ["to"]);
});

Deno.test("a large bucket whose keys may not be pulled answers 503 at once, and names the permission", async () => {
  await using server = await startNatsServer({
    config: `
      authorization { users = [
        { user: admin, password: x }
        { user: gateway, password: x, permissions: {
          publish: { deny: ["$JS.API.CONSUMER.MSG.NEXT.>"] }
        } }
      ] }`,
  });
  const login = { servers: server.url, pass: "x" };
  const admin = await connect({ ...login, user: "admin" });
  const gateway = await connect({ ...login, user: "gateway" });
  try {
    using full = createNatsStore(admin, STORE_OPTIONS);
    using store = createNatsStore(gateway, STORE_OPTIONS);
    await full.createBucket(bucket, "alice");
    await put(full, ...numbered(6000));
    await rejects(keysOf(store), (error: S3Error) => {
      strictEqual(error.code, "ServiceUnavailable");
      match(String((error.cause as Error).message), /CONSUMER\.MSG\.NEXT\.OBJ_index/);
      return true;
    });
    strictEqual((await keysOf(full)).length, 6000);
  } finally {
    await admin.close();
    await gateway.close();
  }
});

Deno.test("an index that nobody uses is dropped, and its consumer with it", async () => {
  await using given = await storeOnServer({ on, store: { indexIdle: 200 } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await put(store, "a");
  deepStrictEqual(await keysOf(store), ["a"]);
  strictEqual((await consumersOf(connection)).length, 1);
  await until(async () => (await consumersOf(connection)).length === 0, "the consumer is gone");
  await put(store, "b");
  deepStrictEqual(await keysOf(store), ["a", "b"]);
});

Deno.test("a bucket that does not fit into the memory for indexes is a clear 503", async () => {
  await using given = await storeOnServer({ on, store: { indexMemory: 300_000 } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await store.createBucket("small" as BucketName, "alice");
  await store.putObject("small" as BucketName, "one" as ObjectKey, input(someBytes(3)));
  await put(store, ...numbered(5000));
  const query = { prefix: "", delimiter: "", after: "", limit: 10 };
  for (let i = 0; i < 3; i++) {
    await rejects(store.listObjects(bucket, query), (error: S3Error) => {
      strictEqual(error.code, "ServiceUnavailable");
      match(error.message, /--index\.memory/);
      return true;
    });
    strictEqual((await store.listObjects("small" as BucketName, query)).objects.length, 1);
  }
  await until(async () => (await consumersOf(connection)).length === 0, "nothing goes on");
  // Everything but listing goes on.
  await put(store, "another");
  await rejects(store.deleteBucket(bucket), (error: S3Error) => error.code === "BucketNotEmpty");
});

Deno.test("indexes that do not fit together take turns", async () => {
  await using given = await storeOnServer({ on, store: { indexMemory: 500_000 } });
  const { store } = given;
  const buckets = ["turn-a", "turn-b", "turn-c"] as BucketName[];
  for (const bucket of buckets) {
    await store.createBucket(bucket, "alice");
    await Promise.all(
      numbered(2000).map((key) => store.putObject(bucket, key as ObjectKey, input(someBytes(1)))),
    );
  }
  const query = { prefix: "k0", delimiter: "", after: "k01990", limit: 1000 };
  for (const bucket of [...buckets, ...buckets]) {
    strictEqual((await store.listObjects(bucket, query)).objects.length, 9);
  }
});

Deno.test("a delete marker without content is no object", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  await put(store, "a", "b");
  await connection.request("$O.index.M.YQ==", ""); // as a server writes it where a message expired
  deepStrictEqual(await keysOf(store), ["b"]);
  await rejects(
    read(store, bucket, "a" as ObjectKey),
    (error: S3Error) => error.code === "NoSuchKey",
  );
  await put(store, "a");
  deepStrictEqual(await keysOf(store), ["a", "b"]);
});

/** A bucket with 2,000 keys, and its saved index. */
async function saved(): Promise<StoreOnServer> {
  const given = await storeOnServer({ on, store: { indexSavedFrom: 1000 } });
  await given.store.createBucket(bucket, "alice");
  await put(given.store, ...numbered(2000));
  strictEqual((await keysOf(given.store)).length, 2000);
  await until(
    async () => "$O.index.S3.snapshot" in await subjectsOfStream(given.connection, stream),
    "the index is saved",
  );
  await until(
    async () => !("$O.index.S3.lock.snapshot" in await subjectsOfStream(given.connection, stream)),
    "saving ends",
  );
  return given;
}

/** Lists by a gateway that has just started. Returns the keys, and the first sequence that it asked for. */
async function listAnew(
  { server, connection }: StoreOnServer,
): Promise<{ readonly keys: readonly string[]; readonly from: number }> {
  const requests = connection.subscribe(`$JS.API.CONSUMER.CREATE.${stream}.>`, { max: 1 });
  await connection.flush();
  await using other = await openStore(server.url);
  const keys = await keysOf(other.store);
  const { done, value } = await requests[Symbol.asyncIterator]().next();
  const from: number = done ? 0 : value.json<ConsumerInfo>().config.opt_start_seq ?? 0;
  return { keys, from };
}

Deno.test("a gateway that starts reads the saved index and what came after it", async () => {
  await using given = await saved();
  const keys = numbered(2000);
  const first = await listAnew(given);
  deepStrictEqual(first.keys, keys);
  ok(first.from > 4000, `it read from ${first.from}`);

  await given.store.deleteObject(bucket, "k00500" as ObjectKey, { precondition: {} });
  await put(given.store, "k00500+", "k00000");
  const native = await given.native.open("index");
  await native.update("k01000", { name: "renamed" });
  const expected = [
    ...keys.filter((key) => key !== "k00500" && key !== "k01000"),
    "k00500+",
    "renamed",
  ];
  const second = await listAnew(given);
  deepStrictEqual(second.keys, expected.sort());
  strictEqual(second.from, first.from);
});

Deno.test("an index is saved while its keys change", async () => {
  await using given = await storeOnServer({ on, store: { indexSavedFrom: 1000 } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const keys = numbered(4000);
  await put(store, ...keys);
  const listing = keysOf(store);
  const changes = (async () => {
    for (let i = 0; i < 4000; i += 40) {
      await store.deleteObject(bucket, keys[i] as ObjectKey, { precondition: {} });
      await put(store, `${keys[i]}/moved`);
    }
  })();
  await Promise.all([listing, changes]);
  await until(
    async () => "$O.index.S3.snapshot" in await subjectsOfStream(connection, stream),
    "saved",
  );
  const expected = keys.map((key, i) => i % 40 === 0 ? `${key}/moved` : key);
  const { keys: listed, from } = await listAnew(given);
  deepStrictEqual(listed, expected);
  ok(from > 1, "the saved index was used");
});

type SavedHead = Record<string, unknown> & { readonly id: string };

/** Ways in which a saved index is not what it should be. */
const DAMAGE: Readonly<
  Record<string, (connection: NatsConnection, head: SavedHead) => Promise<unknown> | SavedHead>
> = {
  "of another stream": (_, head) => ({ ...head, created: "2020-01-01T00:00:00.000Z" }),
  "of another version": (_, head) => ({ ...head, version: 2 }),
  "from behind the stream's end": (_, head) => ({
    ...head,
    sequence: Number(head["sequence"]) + 1_000_000,
  }),
  "begun more than a week ago": (_, head) => ({ ...head, begun: "2020-01-01T00:00:00.000Z" }),
  "of keys that were read more than a week ago": (_, head) => ({
    ...head,
    read: "2020-01-01T00:00:00.000Z",
  }),
  "of a time that is still to come": (_, head) => ({ ...head, begun: "2199-01-01T00:00:00.000Z" }),
  "with another digest": (_, head) => ({ ...head, sha256: "0".repeat(64) }),
  "with traits that are none": (_, head) => ({ ...head, legend: { traits: [null], oddETags: [] } }),
  "without traits": (_, head) => ({ ...head, legend: { traits: [], oddETags: [] } }),
  "with a page too many": (_, head) => ({ ...head, pages: 2 }),
  "that is no JSON": (connection) => connection.request("$O.index.S3.snapshot", "{"),
  "that is nothing": (connection) => connection.request("$O.index.S3.snapshot", "null"),
  "without its page": (connection, { id }) =>
    api(connection, `STREAM.PURGE.${stream}`, { filter: `$O.index.S3.snapshot.${id}.0` }),
  "with a page of noise": (connection, { id }) =>
    connection.request(`$O.index.S3.snapshot.${id}.0`, someBytes(5000)),
  "with a page that says too much": (connection, { id }) =>
    connection.request(`$O.index.S3.snapshot.${id}.0`, new Uint8Array(5000).fill(255)),
};

Deno.test("a saved index that is damaged, stale or foreign is not believed", async (t) => {
  await using given = await saved();
  const { connection } = given;
  const subject = "$O.index.S3.snapshot";
  const { message } = await api<{ message: { data: string } }>(
    connection,
    `STREAM.MSG.GET.${stream}`,
    {
      last_by_subj: subject,
    },
  );
  const text = atob(message.data);
  const head = JSON.parse(text) as SavedHead;
  const page = `${subject}.${head.id}.0`;
  const whole = await api<{ message: { data: string } }>(connection, `STREAM.MSG.GET.${stream}`, {
    last_by_subj: page,
  });
  for (const [name, damage] of Object.entries(DAMAGE)) {
    await t.step(name, async () => {
      const damaged = damage(connection, head);
      if (damaged instanceof Promise) await damaged;
      else await connection.request(subject, JSON.stringify(damaged));
      const { keys, from } = await listAnew(given);
      strictEqual(keys.length, 2000);
      strictEqual(from, 1);
      await connection.request(subject, text);
      await connection.request(page, Uint8Array.fromBase64(whole.message.data));
      ok((await listAnew(given)).from > 1, "whole again, it is used");
    });
  }
});

Deno.test("pages of a saved index that nothing names are swept, and its own are kept", async () => {
  await using given = await saved();
  const { store, connection } = given;
  await connection.request("$O.index.S3.snapshot.dead.0", someBytes(100));
  await connection.request("$O.index.S3.snapshot.dead.1", someBytes(100));
  const report = await store.sweep(bucket, { minAge: 0, dryRun: false });
  strictEqual(report.stopped, undefined);
  strictEqual(report.records, 2);
  ok((await listAnew(given)).from > 1);
});
