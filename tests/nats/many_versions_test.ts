/** Keys with many versions: what it costs to read one by its id, and to empty such a key from its newest version on. */

import { deepStrictEqual, notStrictEqual, ok, rejects } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { formatTombstone } from "../../src/nats/layout/format_info.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import { formatVersion } from "../../src/nats/layout/version_record.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { newVersionId, type VersionId } from "../../src/s3/version_id.ts";
import { describeObject } from "../bench/described_object.ts";
import { storeOnServer } from "./store_on_server.ts";

const bucket = "many" as BucketName;
const STORE = "many" as StoreName;
const NOW = new Date("2026-01-02T03:04:05.678Z");
const documents = new Map([["versioning", "Enabled"]] as const);

function idOf(ordinal: number): VersionId {
  return newVersionId(ordinal, new Uint8Array(22));
}

/** Writes the delete markers that a key has, oldest first. */
async function fill(connection: NatsConnection, key: ObjectKey, count: number): Promise<void> {
  const marker = (ordinal: number): string => {
    const version = { id: idOf(ordinal), ordinal };
    return formatTombstone(STORE, key, newNuid(key), NOW, { version, owner: "alice" });
  };
  await Promise.all(Array.from({ length: count }, async (_, i) => {
    const ordinal = i + 1;
    if (ordinal === count) {
      await connection.request(infoSubject(STORE, key), marker(ordinal));
    } else {
      const record = formatVersion({ from: 1, time: NOW, ordinal, info: marker(ordinal) });
      await connection.request(records.version(STORE, key, idOf(ordinal)), record);
    }
  }));
}

Deno.test("a key is emptied page by page without reading again what earlier pages removed", async () => {
  let calls = 0;
  const call = () => {
    calls++;
    return () => {};
  };
  await using given = await storeOnServer({ store: { observe: { call } } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice", { documents });
  const PAGE = 20;
  /** Empties a key as DeleteObjects does with pages of ListObjectVersions: the newest of each page goes last. */
  const empty = async (key: ObjectKey, pages: number): Promise<number> => {
    await fill(connection, key, pages * PAGE);
    const before = calls;
    for (let newest = pages * PAGE; newest > 0; newest -= PAGE) {
      const remove = async (ordinal: number): Promise<void> => {
        const versionId = idOf(ordinal);
        await store.deleteObject(bucket, key, { precondition: {}, versionId, owner: "alice" });
      };
      const others = Array.from({ length: PAGE - 1 }, (_, i) => newest - 1 - i);
      await Promise.all(others.map(remove));
      await remove(newest);
    }
    return calls - before;
  };
  const few = await empty("few" as ObjectKey, 4);
  const many = await empty("many" as ObjectKey, 12);
  ok(many < few * 3 * 1.1, `${few} requests for 4 pages, ${many} for 12`);
  const page = await store.listVersions(bucket, {
    ...{ prefix: "", delimiter: "", afterKey: "", afterVersion: undefined, limit: 10 },
  });
  deepStrictEqual(page.versions, []);
});

Deno.test("a version is the current one also where object info writes its id with escapes", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice", { documents });
  const key = "key" as ObjectKey;
  const version = { id: idOf(7), ordinal: 7 };
  const info = describeObject(STORE, key, 1, version);
  const marker = formatTombstone(STORE, key, newNuid(key), NOW, { version, owner: "alice" });
  const record = formatVersion({ from: 1, time: NOW, ordinal: 7, info });
  await connection.request(records.version(STORE, key, version.id), record);
  const written = marker.replace(version.id, version.id.replace("7", "\\u0037"));
  notStrictEqual(written, marker);
  await connection.request(infoSubject(STORE, key), written);
  await rejects(
    store.readObject(bucket, key, { versionId: version.id }),
    { code: "MethodNotAllowed" }, // it is a delete marker, not what its record says
  );
});
