/** Buckets with versions that are full: versions count, and removing them needs no room. */

import type { NatsConnection } from "@nats-io/nats-core";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import { formatVersion } from "../../src/nats/layout/version_record.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { VersionId } from "../../src/s3/version_id.ts";
import type { ListedVersion } from "../../src/store/listings.ts";
import type { Store } from "../../src/store/store.ts";
import { compareWithLive } from "./live_bytes.ts";
import {
  input,
  openStore,
  someBytes,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const bucket = "full" as BucketName;
const MIB = 1024 * 1024;
const KEY = "k" as ObjectKey;

/** A message as the API returns it, with its data in base64. */
type StoredMessage = { readonly seq: number; readonly time: string; readonly data: string };

async function versions(store: Store): Promise<readonly ListedVersion[]> {
  const page = await store.listVersions(bucket, {
    ...{ prefix: "", delimiter: "", limit: 1000 },
    ...{ afterKey: "", afterVersion: undefined },
  });
  return page.versions;
}

async function remove(store: Store, versionId?: VersionId, key = KEY): Promise<void> {
  await store.deleteObject(bucket, key, { precondition: {}, owner: "alice", versionId });
}

async function createVersioned({ store }: StoreOnServer): Promise<void> {
  const documents = new Map([["versioning", "Enabled"]] as const);
  await store.createBucket(bucket, "alice", { documents });
}

Deno.test("noncurrent versions count toward the quota, and removing one makes room", async () => {
  await using given = await storeOnServer({ store: { quota: 4 * MIB, grace: 1 } });
  const { store } = given;
  await createVersioned(given);
  // The same key again and again: only one object is current.
  for (let n = 0; n < 3; n++) await store.putObject(bucket, KEY, input(someBytes(MIB, n)));
  const refused = store.putObject(bucket, KEY, input(someBytes(MIB, 9)));
  await rejects(refused, { code: "QuotaExceeded" });
  strictEqual((await store.administration.countVersions(bucket)).noncurrent, 2);
  const oldest = (await versions(store)).at(-1);
  await remove(store, oldest?.versionId);
  await freeAll(store);
  await store.putObject(bucket, KEY, input(someBytes(MIB, 9)));
});

/** Empties the trash until nothing waits. */
async function freeAll(store: StoreOnServer["store"]): Promise<void> {
  for (let i = 0; i < 100 && store.bucketsToFree().includes(bucket); i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await store.freeReplaced(bucket);
  }
}

/** Fills the stream as native writers may: it refuses every publish, though the quota left a reserve. */
async function fillToTheBrim(connection: NatsConnection): Promise<void> {
  for (let size = 512 * 1024; size >= 1;) {
    const reply = await connection.request("$O.full.C.native", "x".repeat(size));
    if ("error" in reply.json<object>()) size = Math.floor(size / 2);
  }
}

for (
  const which of ["noncurrent version", "noncurrent marker", "only version", "only marker"] as const
) {
  Deno.test(`in a bucket that is full to the last byte, removing the ${which} works`, async () => {
    await using given = await storeOnServer({ store: { quota: 2 * MIB, grace: 1 } });
    const { store, connection } = given;
    await createVersioned(given);
    if (which === "only marker") {
      const { versionId } = await store.putObject(bucket, KEY, input(someBytes(10)));
      await remove(store);
      await remove(store, versionId);
    } else await store.putObject(bucket, KEY, input(someBytes(20_000)));
    if (which === "noncurrent marker") await remove(store);
    if (which.startsWith("noncurrent")) {
      await store.putObject(bucket, KEY, input(someBytes(10)));
    }
    await fillToTheBrim(connection);
    const before = await versions(store);
    const removed = before.find(({ isLatest, isMarker }) =>
      isLatest === which.startsWith("only") && isMarker === which.endsWith("marker")
    );
    ok(removed !== undefined);
    // A deletion that adds a marker needs room.
    await rejects(remove(store), { code: "QuotaExceeded" });
    await remove(store, removed.versionId);
    const rest = before.filter((version) => version !== removed);
    const shown = (list: readonly ListedVersion[]): unknown =>
      list.map(({ versionId, isLatest, isMarker, size }) => [versionId, isLatest, isMarker, size]);
    deepStrictEqual(shown(await versions(store)), shown(rest));
    await using other = await openStore(given.server.url);
    deepStrictEqual(shown(await versions(other.store)), shown(rest));
    await rejects(store.readObject(bucket, KEY, { versionId: removed.versionId }), {
      code: "NoSuchVersion",
    });
    await connection.request("$JS.API.STREAM.PURGE.OBJ_full", '{"filter":"$O.full.C.native"}');
    await store.putObject(bucket, KEY, input(someBytes(1000, 9)));
    deepStrictEqual(
      shown((await versions(store)).slice(1)),
      shown(rest.map((version) => ({ ...version, isLatest: false }))),
    );
    deepStrictEqual((await compareWithLive(connection, "full")).missing, []);
  });
}

Deno.test("in a full bucket, the bytes of an only version stay until nothing names them", async () => {
  await using given = await storeOnServer({ store: { quota: 2 * MIB, grace: 1 } });
  const { connection, server } = given;
  await createVersioned(given);
  const bytes = someBytes(20_000);
  const { versionId } = await given.store.putObject(bucket, KEY, input(bytes));
  ok(versionId !== undefined);
  await using proxy = new TcpProxy(server.port);
  await using other = await openStore(proxy.url);
  await fillToTheBrim(connection);
  const store = "full" as StoreName;
  const get = async (subject: string): Promise<StoredMessage> => {
    const query = JSON.stringify({ last_by_subj: subject });
    const reply = await connection.request("$JS.API.STREAM.MSG.GET.OBJ_full", query);
    return reply.json<{ message: StoredMessage }>().message;
  };
  const record = records.version(store, KEY, versionId);
  /** Archives the version as another gateway does that is about to replace it. */
  const archive = async (): Promise<void> => {
    const { seq, time, data } = await get(infoSubject(store, KEY));
    const facts = { from: seq, time: new Date(time), ordinal: 1, info: atob(data) };
    await connection.request("$JS.API.STREAM.PURGE.OBJ_full", '{"filter":"$O.full.C.native"}');
    const ack = await connection.request(record, formatVersion(facts));
    ok(!("error" in ack.json<object>()), ack.string());
    await fillToTheBrim(connection);
  };
  const named: boolean[] = [];
  let archived: Promise<void> | undefined;
  proxy.judge = ({ direction, subject }) => {
    if (direction !== "to server") return "pass";
    if (subject.startsWith("$JS.API.STREAM.MSG.DELETE.") && archived === undefined) {
      archived = archive();
      return { hold: archived };
    }
    if (!subject.startsWith("$JS.API.STREAM.PURGE.")) return "pass";
    const look = get(record).then(({ data }) => void named.push(!atob(data).includes("gone")));
    return { hold: look };
  };
  await remove(other.store, versionId);
  await archived;
  ok(archived !== undefined && named.length > 0);
  deepStrictEqual(named.filter(Boolean), [], "no bytes go while a record names them");
  deepStrictEqual(await versions(given.store), []);
});

Deno.test("a current version with older ones can be removed once one of them has made room", async () => {
  await using given = await storeOnServer({ store: { quota: 2 * MIB, grace: 1 } });
  const { store, connection } = given;
  await createVersioned(given);
  for (let n = 0; n < 3; n++) await store.putObject(bucket, KEY, input(someBytes(20_000, n)));
  await fillToTheBrim(connection);
  const [current, older, oldest] = await versions(store);
  await rejects(remove(store, current?.versionId), { code: "QuotaExceeded" });
  strictEqual((await store.readObject(bucket, KEY)).versionId, current?.versionId);
  await remove(store, oldest?.versionId);
  await remove(store, current?.versionId);
  strictEqual((await store.readObject(bucket, KEY)).versionId, older?.versionId);
});

Deno.test("a bucket with versions that is full to the last byte is emptied and deleted", async () => {
  await using given = await storeOnServer({ store: { quota: 2 * MIB, grace: 1 } });
  const { store, connection } = given;
  await createVersioned(given);
  for (const key of ["a", "b", "c"] as ObjectKey[]) {
    for (let n = 0; n < 2; n++) await store.putObject(bucket, key, input(someBytes(5000, n)));
  }
  await remove(store, undefined, "b" as ObjectKey);
  await fillToTheBrim(connection);
  await rejects(store.deleteBucket(bucket), { code: "BucketNotEmpty" });
  // Whoever lists and removes until nothing is left gets there.
  for (let round = 0; round < 3; round++) {
    for (const { key, versionId } of await versions(store)) {
      await remove(store, versionId, key).catch((cause) => {
        strictEqual(cause.code, "QuotaExceeded");
      });
    }
  }
  deepStrictEqual(await versions(store), []);
  await store.deleteBucket(bucket);
});
