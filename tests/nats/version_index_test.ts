/** The index of a bucket's versions: what gateways and others write into the stream, and what a listing shows of it. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import type { NatsConnection } from "@nats-io/nats-core";
import { formatInfo, formatTombstone } from "../../src/nats/layout/format_info.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import type { Head } from "../../src/nats/listing/snapshot_head.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import type { VersionFacts } from "../../src/nats/layout/version_facts.ts";
import { formatGone, formatVersion } from "../../src/nats/layout/version_record.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { newVersionId, NULL_VERSION, type VersionId } from "../../src/s3/version_id.ts";
import type { VersionPage, VersionQuery } from "../../src/store/listings.ts";
import type { Store } from "../../src/store/store.ts";
import {
  input,
  openStore,
  sharedServer,
  someBytes,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import { Random } from "../http/malformed_requests.ts";
import {
  type Content,
  type Stated,
  VERSION_KEYS,
  VersionModel,
  type VersionTarget,
} from "./version_model.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "versions" as BucketName;
const STORE = "versions" as StoreName;
const stream = "OBJ_versions";
const MODIFIED = new Date("2026-01-02T03:04:05.678Z");
const EVERYTHING: VersionQuery = {
  prefix: "",
  delimiter: "",
  afterKey: "",
  afterVersion: undefined,
  limit: 1000,
};

function at(ordinal: number): VersionFacts {
  return { id: newVersionId(ordinal, new Uint8Array(22)), ordinal };
}

function atNull(ordinal: number): VersionFacts {
  return { id: NULL_VERSION, ordinal };
}

/** Object info of a version of this size; undefined for one that states no version. */
function infoOf(key: string, size: number, version?: VersionFacts): string {
  return formatInfo({
    store: STORE,
    key: key as ObjectKey,
    nuid: newNuid(key as ObjectKey),
    size,
    chunks: size === 0 ? 0 : 1,
    chunkSize: 131_072,
    sha256: createHash("sha256").update(key).digest("hex"),
    etag: createHash("md5").update(key).digest("hex"),
    modified: MODIFIED,
    properties: { system: { storageClass: "STANDARD_IA" }, user: {}, tags: {} },
    checksum: undefined,
    owner: "alice",
    seek: undefined,
    layout: undefined,
    partSizes: undefined,
    version,
  });
}

function markerOf(key: string, version: VersionFacts): string {
  const marker = { version, owner: "bob" };
  return formatTombstone(
    STORE,
    key as ObjectKey,
    newNuid(key as ObjectKey),
    MODIFIED,
    marker,
  );
}

/** Writes what a gateway writes, straight into the stream. */
class Writer {
  readonly #connection: NatsConnection;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  async publish(subject: string, text: string): Promise<void> {
    const reply = await this.#connection.request(subject, text, { timeout: 10_000 });
    const { error } = reply.json<{ error?: { description: string } }>();
    if (error !== undefined) throw new Error(`${subject}: ${error.description}`);
  }

  info(key: string, text: string): Promise<void> {
    return this.publish(infoSubject(STORE, key as ObjectKey), text);
  }

  record(key: string, { id, ordinal }: VersionFacts, info: string): Promise<void> {
    const text = formatVersion({ from: 1, time: MODIFIED, ordinal, info });
    return this.publish(records.version(STORE, key as ObjectKey, id), text);
  }

  gone(key: string, { id, ordinal }: VersionFacts): Promise<void> {
    return this.publish(records.version(STORE, key as ObjectKey, id), formatGone(ordinal));
  }

  async purge(subject: string): Promise<void> {
    const body = JSON.stringify({ filter: subject });
    await this.#connection.request(`$JS.API.STREAM.PURGE.${stream}`, body);
  }
}

/** Writes what a model writes. */
function targetOf(writer: Writer): VersionTarget {
  const textOf = (key: string, { size, isMarker }: Content, version?: Stated): string =>
    isMarker && version !== undefined ? markerOf(key, version) : infoOf(key, size, version);
  return {
    setCurrent: (key, current) =>
      writer.info(
        key,
        current === undefined
          ? formatTombstone(STORE, key, newNuid(key), MODIFIED)
          : textOf(key, current, current.version),
      ),
    setRecord: (key, stated, record) =>
      record === undefined
        ? writer.gone(key, stated)
        : writer.record(key, stated, textOf(key, record, stated)),
  };
}

/** What a page shows: key, version, and size or "marker", with a star for the latest version. */
async function list(store: Store, query: Partial<VersionQuery> = {}): Promise<readonly string[]> {
  const page = await store.listVersions(bucket, { ...EVERYTHING, ...query });
  return [
    ...page.versions.map(({ key, versionId, isMarker, isLatest, size }) => {
      return `${key} ${shortOf(versionId)} ${isMarker ? "marker" : size}${isLatest ? " *" : ""}`;
    }),
    ...page.commonPrefixes,
  ];
}

function shortOf(id: VersionId): string {
  return id === NULL_VERSION ? id : id.slice(0, 10).replace(/^0+/, "");
}

async function withWriter(
  work: (given: StoreOnServer & { readonly writer: Writer }) => Promise<void>,
): Promise<void> {
  await using given = await storeOnServer({ on });
  await given.store.createBucket(bucket, "alice");
  await work({ ...given, writer: new Writer(given.connection) });
}

Deno.test("object info and records are listed as versions, the newest of each key first", async () => {
  await withWriter(async ({ store, writer }) => {
    await store.putObject(bucket, "b" as ObjectKey, input(someBytes(3)));
    await writer.info("a", infoOf("a", 3, at(3)));
    await writer.record("a", at(1), infoOf("a", 1, at(1)));
    await writer.record("a", at(2), markerOf("a", at(2)));
    await writer.info("c", markerOf("c", at(2)));
    await writer.record("c", atNull(0), infoOf("c", 7));
    await writer.record("d/1", at(4), infoOf("d/1", 4, at(4)));
    await writer.record("d/1", atNull(5), infoOf("d/1", 5, atNull(5)));
    await writer.info("d/1", markerOf("d/1", at(6)));
    const all = [
      "a 3 3 *",
      "a 2 marker",
      "a 1 1",
      "b null 3 *",
      "c 2 marker *",
      "c null 7",
      "d/1 6 marker *",
      "d/1 null 5",
      "d/1 4 4",
    ];
    deepStrictEqual(await list(store), all);
    deepStrictEqual(await list(store, { delimiter: "/" }), [...all.slice(0, 6), "d/"]);
    deepStrictEqual(await list(store, { prefix: "d/" }), all.slice(6));
    const afterNull = { afterKey: "c", afterVersion: "null" };
    deepStrictEqual(await list(store, { ...afterNull }), all.slice(6));
    deepStrictEqual(
      await list(store, { afterKey: "a", afterVersion: at(2).id, limit: 2 }),
      all.slice(2, 4),
    );
    const { objects } = await store.listObjects(bucket, { ...EVERYTHING, after: "" });
    deepStrictEqual(objects.map(({ key }) => key as string), ["a", "b"]);

    const { versions } = await store.listVersions(bucket, { ...EVERYTHING, limit: 2 });
    const [object, marker] = versions;
    deepStrictEqual(
      [object?.etag, object?.owner, object?.modified, object?.storageClass],
      [createHash("md5").update("a").digest("hex"), "alice", MODIFIED, "STANDARD_IA"],
    );
    deepStrictEqual(
      [marker?.etag, marker?.owner, marker?.modified, marker?.size],
      ["", "bob", MODIFIED, 0],
    );
  });
});

Deno.test("a listing shows each version once while it is archived, replaced, promoted and removed", async () => {
  await withWriter(async ({ store, server, writer }) => {
    const steps: readonly (readonly [work: () => Promise<void>, expected: readonly string[]])[] = [
      [() => writer.info("a", infoOf("a", 10)), ["a null 10 *"]],
      // While object info holds a version, its record is an older copy.
      [() => writer.record("a", atNull(0), infoOf("a", 9)), ["a null 10 *"]],
      [() => writer.record("a", atNull(0), infoOf("a", 10)), ["a null 10 *"]],
      [() => writer.info("a", infoOf("a", 1, at(1))), ["a 1 1 *", "a null 10"]],
      [() => writer.record("a", at(1), infoOf("a", 1, at(1))), ["a 1 1 *", "a null 10"]],
      // A gateway of a suspended bucket replaces the null version, whose record states another ordinal then.
      [() => writer.gone("a", atNull(0)), ["a 1 1 *"]],
      [() => writer.info("a", infoOf("a", 20, atNull(2))), ["a null 20 *", "a 1 1"]],
      [() => writer.record("a", atNull(2), infoOf("a", 20, atNull(2))), ["a null 20 *", "a 1 1"]],
      [() => writer.info("a", markerOf("a", at(3))), ["a 3 marker *", "a null 20", "a 1 1"]],
      [() => writer.record("a", atNull(9), infoOf("a", 21, atNull(9))), [
        "a null 21",
        "a 3 marker *",
        "a 1 1",
      ]],
      // Removing the current version promotes another one.
      [() => writer.gone("a", at(3)), ["a null 21", "a 3 marker *", "a 1 1"]],
      [() => writer.info("a", infoOf("a", 21, atNull(9))), ["a null 21 *", "a 1 1"]],
      [() => writer.gone("a", at(1)), ["a null 21 *"]],
      // A native delete leaves no version, and records are not the latest.
      [() => writer.record("a", at(8), infoOf("a", 8, at(8))), ["a null 21 *", "a 8 8"]],
      [() => writer.gone("a", atNull(9)), ["a null 21 *", "a 8 8"]],
      [
        () =>
          writer.info(
            "a",
            formatTombstone(STORE, "a" as ObjectKey, newNuid("a" as ObjectKey), MODIFIED),
          ),
        ["a 8 8"],
      ],
    ];
    for (const [i, [work, expected]] of steps.entries()) {
      await work();
      deepStrictEqual(await list(store), expected, `step ${i}`);
    }
    await using other = await openStore(server.url);
    deepStrictEqual(await list(other.store), ["a 8 8"]);
  });
});

Deno.test("300 random writes are listed by two gateways as a model lists them", async () => {
  await withWriter(async ({ store, server, writer }) => {
    await using far = await openStore(server.url);
    const stores = [store, far.store];
    const random = new Random(11);
    const model = new VersionModel(random, targetOf(writer));
    let turn = 0;
    const list = async (query: VersionQuery): Promise<VersionPage["next"]> => {
      const page = await (stores[turn++ % stores.length] as Store).listVersions(bucket, query);
      model.check(page, query);
      return page.next;
    };
    for (let step = 0; step < 300; step++) {
      await model.change(random.pick(VERSION_KEYS));
      const query = model.someQuery();
      let next = await list(query);
      for (let pages = 0; next !== undefined && query.limit > 0 && pages < 5; pages++) {
        next = await list({ ...query, afterKey: next.key, afterVersion: next.version });
      }
    }
    // A gateway that reads everything now lists the same.
    await using late = await openStore(server.url);
    model.check(await late.store.listVersions(bucket, EVERYTHING), EVERYTHING);
  });
});

Deno.test("versions and their bytes are counted, each once", async () => {
  await withWriter(async ({ store, writer }) => {
    const count = async (): Promise<readonly number[]> => {
      const count = await store.administration.countVersions(bucket);
      const { objects, objectBytes, noncurrent, noncurrentBytes, markers } = count;
      return [objects, objectBytes, noncurrent, noncurrentBytes, markers];
    };
    await store.putObject(bucket, "a" as ObjectKey, input(someBytes(3)));
    deepStrictEqual(await count(), [1, 3, 0, 0, 0]);
    await writer.record("a", atNull(0), infoOf("a", 3)); // an older copy
    deepStrictEqual(await count(), [1, 3, 0, 0, 0]);
    await writer.info("a", markerOf("a", at(1)));
    await writer.record("b", at(1), infoOf("b", 10, at(1)));
    await writer.record("b", at(2), markerOf("b", at(2)));
    deepStrictEqual(await count(), [0, 0, 2, 13, 2]);
    strictEqual(await store.administration.count(bucket), 0);
    // More than are counted at once.
    await Promise.all(Array.from({ length: 6000 }, (_, i) => {
      return writer.record("c", at(i + 1), infoOf("c", 1, at(i + 1)));
    }));
    deepStrictEqual(await count(), [0, 0, 6002, 6013, 2]);
  });
});

Deno.test("records that no gateway wrote never break a listing, and are reported", async () => {
  const reported: unknown[] = [];
  const log = { warn: (_: string, fields?: unknown) => void reported.push(fields) };
  await using given = await storeOnServer({ on, store: { log } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const writer = new Writer(connection);
  const subject = records.version(STORE, "a" as ObjectKey, at(2).id);
  const good = formatVersion({ from: 1, time: MODIFIED, ordinal: 2, info: infoOf("a", 2, at(2)) });
  await writer.info("a", infoOf("a", 3, at(3)));
  await writer.publish(subject, good);
  deepStrictEqual(await list(store), ["a 3 3 *", "a 2 2"]);
  deepStrictEqual(reported, []);

  const forged = [
    ...["$O.versions.S3.version.x", "$O.versions.S3.version.YQ.x.y", "$O.versions.S3.version.YQ"],
    `$O.versions.S3.version.%.${at(9).id}`,
    `$O.versions.S3.version.YQ.${at(9).id}`, // the key's encoding lacks its padding
    `$O.versions.S3.version.YQ==.${"z".repeat(32)}`, // an ordinal that no number holds
    `$O.versions.S3.version.YQ==.short`,
  ];
  for (const name of forged) await writer.publish(name, good);
  const texts = ["", "{", "[]", "null", '"x"', '{"gone":true}', "\u0000", "é".repeat(1000)];
  const infos = ["", "{}", "null", '{"deleted":true}', "{".repeat(1000), '{"size":-1}'];
  const other = at(7);
  const otherSubject = records.version(STORE, "a" as ObjectKey, other.id);
  for (const text of texts) {
    await writer.publish(otherSubject, text);
    await list(store);
  }
  for (const info of infos) {
    await writer.record("a", other, info);
    await writer.record("b", atNull(Number.MAX_SAFE_INTEGER), info);
    await list(store);
  }
  for (const ordinal of [-1, 0.5, 2 ** 60, "1", null]) {
    const text = JSON.stringify({ from: 1, time: MODIFIED, ordinal, info: infoOf("b", 1) });
    await writer.publish(records.version(STORE, "b" as ObjectKey, NULL_VERSION), text);
  }
  await writer.gone("a", other);
  deepStrictEqual(await list(store), ["a 3 3 *", "a 2 2"]);
  strictEqual(reported.length, 1, "the first of a bucket and kind is logged");

  // A version whose object info cannot be read is listed, because a client may want to remove it.
  await writer.record("a", at(1), '{"size":-1}');
  deepStrictEqual(await list(store), ["a 3 3 *", "a 2 2", "a 1 0"]);
  // A record that becomes unreadable is a version that nobody can remove.
  await writer.publish(subject, "{");
  deepStrictEqual(await list(store), ["a 3 3 *", "a 1 0"]);
  await using later = await openStore(given.server.url);
  deepStrictEqual(await list(later.store), ["a 3 3 *", "a 1 0"]);
});

Deno.test("versions that somebody purges by hand are listed no longer", async () => {
  await withWriter(async ({ store, writer }) => {
    for (const key of ["a", "b", "c"]) {
      await writer.record(key, at(1), infoOf(key, 1, at(1)));
      await writer.record(key, atNull(2), infoOf(key, 2, atNull(2)));
    }
    await writer.info("a", infoOf("a", 3, at(3)));
    await writer.info("b", markerOf("b", at(3)));
    deepStrictEqual(await list(store), [
      ...["a 3 3 *", "a null 2", "a 1 1"],
      ...["b 3 marker *", "b null 2", "b 1 1"],
      ...["c null 2", "c 1 1"],
    ]);
    const subjects = [
      [records.version(STORE, "a" as ObjectKey, at(1).id), "a 1 1"],
      [records.version(STORE, "c" as ObjectKey, NULL_VERSION), "c null 2"],
      [infoSubject(STORE, "b" as ObjectKey), "b 3 marker *"],
      [infoSubject(STORE, "a" as ObjectKey), "a 3 3 *"],
    ] as const;
    let left = await list(store);
    for (const [subject, line] of subjects) {
      await writer.purge(subject);
      left = left.filter((other) => other !== line);
      deepStrictEqual(await list(store), left);
    }
  });
});

Deno.test("a read that finds a key missing removes its version from the next listing", async () => {
  await withWriter(async ({ store, writer }) => {
    // More than the index probes, so that a probe finds the purged ones only by chance.
    const keys = Array.from({ length: 400 }, (_, i) => `k${String(i).padStart(3, "0")}`);
    await Promise.all(keys.map((key, i) => {
      return writer.info(key, i % 2 === 0 ? infoOf(key, 1, at(1)) : markerOf(key, at(1)));
    }));
    strictEqual((await list(store)).length, 400);
    for (const key of ["k100", "k101"] as readonly string[] as readonly ObjectKey[]) {
      await writer.purge(infoSubject(STORE, key));
      await store.readObject(bucket, key).catch(() => {});
    }
    const listed = await list(store);
    strictEqual(listed.length, 398);
    ok(!listed.some((line) => line.startsWith("k100") || line.startsWith("k101")));
  });
});

Deno.test("a full bucket, in which no barrier can be set, lists versions that were written a moment ago", async () => {
  await withWriter(async ({ server, connection, writer }) => {
    await using proxy = new TcpProxy(server.port);
    await using other = await openStore(proxy.url);
    await writer.info("a", infoOf("a", 1, at(1)));
    deepStrictEqual(await list(other.store), ["a 1 1 *"]);
    const info = await connection.request(`$JS.API.STREAM.INFO.${stream}`);
    const { config } = info.json<{ config: Readonly<Record<string, unknown>> }>();
    // The consumer delivers nothing in time.
    proxy.judge = ({ direction, subject }) => {
      return direction === "to client" && subject.startsWith("$O.versions.") ? "drop" : "pass";
    };
    await writer.record("a", at(1), infoOf("a", 1, at(1)));
    await writer.info("a", infoOf("a", 2, at(2)));
    const full = JSON.stringify({ ...config, max_bytes: 1, discard: "new" });
    const reply = await connection.request(`$JS.API.STREAM.UPDATE.${stream}`, full);
    strictEqual(reply.json<{ error?: unknown }>().error, undefined);
    deepStrictEqual(await list(other.store), ["a 2 2 *", "a 1 1"]);
  });
});

/** The sequence of the head of the saved index; 0 if there is none. */
async function savedAt(connection: NatsConnection): Promise<number> {
  const body = JSON.stringify({ last_by_subj: records.snapshot(STORE) });
  const reply = await connection.request(`$JS.API.STREAM.MSG.GET.${stream}`, body);
  return reply.json<{ message?: { seq: number } }>().message?.seq ?? 0;
}

async function untilSaved(connection: NatsConnection): Promise<void> {
  for (let i = 0; await savedAt(connection) === 0; i++) {
    ok(i < 1000, "the index is saved");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Opens a store and counts the messages with versions that its consumer is sent by a listing. */
async function countLoaded(
  port: number,
): Promise<{ readonly listed: readonly string[]; readonly loaded: number }> {
  await using proxy = new TcpProxy(port);
  await using other = await openStore(proxy.url);
  let loaded = 0;
  proxy.judge = ({ direction, subject }) => {
    const isVersion = subject.startsWith("$O.versions.S3.version.");
    if (direction === "to client" && isVersion) loaded++;
    return "pass";
  };
  return { listed: await list(other.store), loaded };
}

Deno.test("a saved index has the versions: what it includes is not read again", async () => {
  await using given = await storeOnServer({ on, store: { indexSavedFrom: 1 } });
  const { store, server, connection } = given;
  await store.createBucket(bucket, "alice");
  const writer = new Writer(connection);
  const random = new Random(5);
  const model = new VersionModel(random, targetOf(writer));
  for (let i = 0; i < 300; i++) await model.change(random.pick(VERSION_KEYS));
  const whole = await list(store);
  await untilSaved(connection);
  deepStrictEqual(await countLoaded(server.port), { listed: whole, loaded: 0 });

  // What came since is applied to it.
  await writer.record("zz", at(1), infoOf("zz", 1, at(1)));
  await writer.info("zz", markerOf("zz", at(2)));
  const after = [...whole.filter((line) => line < "zz"), "zz 2 marker *", "zz 1 1"];
  const found = await countLoaded(server.port);
  deepStrictEqual(found.listed.filter((line) => line.startsWith("zz")), after.slice(-2));
  deepStrictEqual(found.listed.filter((line) => !line.startsWith("zz")), whole);
  strictEqual(found.loaded, 1);
});

Deno.test("an index that was saved before the first version shows the versions", async () => {
  await using given = await storeOnServer({ on, store: { indexSavedFrom: 1 } });
  const { store, server, connection } = given;
  const writer = new Writer(connection);
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, "a" as ObjectKey, input(someBytes(3)));
  await list(store);
  await untilSaved(connection);
  await writer.record("a", atNull(0), infoOf("a", 3));
  await writer.info("a", infoOf("a", 1, at(1)));
  await writer.info("b", markerOf("b", at(1)));
  await using other = await openStore(server.url);
  deepStrictEqual(await list(other.store), ["a 1 1 *", "a null 3", "b 1 marker *"]);
});

Deno.test("a saved index whose versions the stream does not have, or that lacks some, is not used", async (t) => {
  const keys = ["c", "d", "e", "f"] as readonly string[] as readonly ObjectKey[];
  const writeRecords = async (writer: Writer): Promise<void> => {
    for (const key of keys) await writer.record(key, at(1), infoOf(key, 1, at(1)));
  };
  type Step = {
    readonly fill: (writer: Writer) => Promise<void>;
    readonly tamper: (writer: Writer, head: Head) => Promise<void>;
    readonly expected: readonly string[];
  };
  /** Writes a head that has the keys of the saved one, of which there are none, and no versions. */
  const forgeHead = async (writer: Writer, { versions: _, ...head }: Head): Promise<void> => {
    const sha256 = createHash("sha256").digest("hex");
    await writer.publish(records.snapshot(STORE), JSON.stringify({ ...head, sha256 }));
  };
  const steps: Readonly<Record<string, Step>> = {
    "purged records": {
      fill: writeRecords,
      tamper: async (writer) => {
        for (const key of keys) await writer.purge(records.version(STORE, key, at(1).id));
        await writer.info("a", infoOf("a", 1, at(1)));
      },
      expected: ["a 1 1 *"],
    },
    "a head without records": {
      fill: writeRecords,
      tamper: forgeHead,
      expected: keys.map((key) => `${key} 1 1`),
    },
    "a head without delete markers": {
      fill: async (writer) => {
        for (const key of keys) await writer.info(key, markerOf(key, at(1)));
      },
      tamper: forgeHead,
      expected: keys.map((key) => `${key} 1 marker *`),
    },
  };
  for (const [name, { fill, tamper, expected }] of Object.entries(steps)) {
    await t.step(name, async () => {
      await using given = await storeOnServer({ on, store: { indexSavedFrom: 1 } });
      const { store, server, connection } = given;
      await store.createBucket(bucket, "alice");
      const writer = new Writer(connection);
      await fill(writer);
      await list(store);
      await untilSaved(connection);
      const body = JSON.stringify({ last_by_subj: records.snapshot(STORE) });
      const reply = await connection.request(`$JS.API.STREAM.MSG.GET.${stream}`, body);
      const { message } = reply.json<{ message: { data: string } }>();
      const head = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(message.data)));
      strictEqual(head.versions?.pages, 1);
      await tamper(writer, head);
      await using other = await openStore(server.url);
      deepStrictEqual(await list(other.store), expected);
    });
  }
});
