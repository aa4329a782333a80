/** How a bucket gets versioning: the layout's version rises first, and writes that were held up meanwhile lose nothing. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { put } from "../contract/steps.ts";
import { bucket } from "../contract/inputs.ts";
import { skipTime } from "./skip_time.ts";
import { storeOnServer } from "./store_on_server.ts";

const KEY = "k" as ObjectKey;
const LAYOUT = `$O.${bucket}.S3.bucket.layout`;

Deno.test("versioning raises the layout's version before it begins, and once", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  using time = skipTime();
  await store.createBucket(bucket, "alice");
  const layout = async (): Promise<string> => {
    const query = JSON.stringify({ last_by_subj: LAYOUT });
    const reply = await connection.request(`$JS.API.STREAM.MSG.GET.OBJ_${bucket}`, query);
    return atob(reply.json<{ message: { data: string } }>().message.data);
  };
  const before = await layout();
  await store.prepareVersioning(bucket);
  const raised = await layout();
  ok(raised !== before && raised.includes("3"), `${before} became ${raised}`);
  // Gateways look every three seconds.
  deepStrictEqual(time.waits, [6000]);
  await store.putDocument(bucket, "versioning", "Enabled");
  await store.prepareVersioning(bucket);
  strictEqual(await layout(), raised);
  deepStrictEqual(time.waits, [6000]);
});

/** Changes the configuration of the bucket's stream, as an operator of NATS may. */
async function configure(
  connection: NatsConnection,
  change: Readonly<Record<string, unknown>>,
): Promise<void> {
  const info = await connection.request(`$JS.API.STREAM.INFO.OBJ_${bucket}`);
  const { config } = info.json<{ config: Record<string, unknown> }>();
  const changed = JSON.stringify({ ...config, ...change });
  const reply = await connection.request(`$JS.API.STREAM.UPDATE.OBJ_${bucket}`, changed);
  ok(!("error" in reply.json<object>()), reply.string());
}

/** Limits by which JetStream removes messages, and what takes each away. */
const LIMITS = [
  [{ max_age: 3_600_000_000_000 }, { max_age: 0 }],
  [{ discard: "old" }, { discard: "new" }],
  [{ max_msgs: 1_000_000 }, { max_msgs: -1 }],
  [{ max_msgs_per_subject: 100 }, { max_msgs_per_subject: -1 }],
] as const;

Deno.test("a stream that forgets messages by itself gets no versioning", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  for (const [limit, none] of LIMITS) {
    await configure(connection, limit);
    await rejects(store.prepareVersioning(bucket), { code: "InvalidBucketState" });
    await configure(connection, none);
  }
  using _ = skipTime();
  await store.prepareVersioning(bucket);
});

Deno.test("CreateBucket with object lock refuses a stream that forgets messages by itself", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const info = await connection.request(`$JS.API.STREAM.INFO.OBJ_${bucket}`);
  const { config } = info.json<{ config: Record<string, unknown> }>();
  await store.deleteBucket(bucket);
  const documents = new Map([["versioning", "Enabled"], ["objectLock", "{}"]] as const);
  for (const [limit, none] of LIMITS) {
    // An operator of NATS prepares the stream.
    const prepared = JSON.stringify({ ...config, ...limit });
    const made = await connection.request(`$JS.API.STREAM.CREATE.OBJ_${bucket}`, prepared);
    ok(!("error" in made.json<object>()), made.string());
    const refused = store.createBucket(bucket, "alice", { documents });
    await rejects(refused, { code: "InvalidBucketState" }, JSON.stringify(limit));
    await configure(connection, none);
    await store.createBucket(bucket, "alice", { documents });
    strictEqual(await store.readDocument(bucket, "versioning"), "Enabled");
    await store.deleteBucket(bucket);
  }
  // Object lock is not given to a bucket that has an owner already.
  await store.createBucket(bucket, "alice");
  await configure(connection, LIMITS[0][0]);
  const again = store.createBucket(bucket, "alice", { documents });
  await rejects(again, { code: "BucketAlreadyOwnedByYou" });
  strictEqual(await store.readDocument(bucket, "objectLock"), undefined);
});

Deno.test("a stream with versions that begins to forget messages is reported", async () => {
  const logged: unknown[] = [];
  const log = { warn: (...line: unknown[]) => void logged.push(line) };
  await using given = await storeOnServer({ store: { log } });
  const { store, connection } = given;
  const documents = new Map([["versioning", "Enabled"]] as const);
  await store.createBucket(bucket, "alice", { documents });
  await store.createBucket("plain" as BucketName, "alice");
  strictEqual(store.stats().forgetfulBuckets, 0);
  for (const [limit, none] of LIMITS) {
    await configure(connection, limit);
    await store.administration.read(bucket);
    strictEqual(store.stats().forgetfulBuckets, 1, JSON.stringify(limit));
    deepStrictEqual(logged.splice(0), [["JetStream removes versions by itself", { bucket }]]);
    await store.administration.read(bucket);
    deepStrictEqual(logged, []);
    await configure(connection, none);
    await store.administration.read(bucket);
    strictEqual(store.stats().forgetfulBuckets, 0);
  }
  await configure(connection, LIMITS[0][0]);
  await store.administration.read(bucket);
  await store.deleteBucket(bucket);
  strictEqual(store.stats().forgetfulBuckets, 0);
});

Deno.test("a write that is held up while versioning is enabled keeps what it replaces", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  using time = skipTime();
  await store.createBucket(bucket, "alice");
  const first = await put(store, KEY, "first");
  // The commit leaves, and its response arrives after everybody believes that no such write is on its way.
  const publish = connection.publish.bind(connection);
  let held: (() => void) | undefined;
  connection.publish = (subject, data, options) => {
    const isCommit = subject.startsWith(`$O.${bucket}.M.`);
    if (!isCommit || held !== undefined) return publish(subject, data, options);
    held = () => publish(subject, data, options);
  };
  const writing = put(store, KEY, "second");
  while (held === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  await store.prepareVersioning(bucket);
  await store.putDocument(bucket, "versioning", "Enabled");
  time.passed += 10_000;
  held();
  const second = await writing;
  const page = await store.listVersions(bucket as BucketName, {
    ...{ prefix: "", delimiter: "", limit: 10 },
    ...{ afterKey: "", afterVersion: undefined },
  });
  deepStrictEqual(
    page.versions.map(({ etag, versionId, isLatest }) => [etag, versionId, isLatest]),
    [[second.etag, second.versionId, true], [first.etag, "null", false]],
  );
  ok(second.versionId !== undefined && second.versionId !== "null");
  const { body } = await store.getObject(bucket, KEY, () => "all", { versionId: "null" as never });
  ok(body instanceof Uint8Array);
  strictEqual(new TextDecoder().decode(body), "first");
});
