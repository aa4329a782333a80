/** Records below `S3.` that anybody may have written: they stop no work on others, and nothing live is purged. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import { infoSubject, parseRecordSubject } from "../../src/nats/layout/subjects.ts";
import { S3Error } from "../../src/s3/errors.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import type { Maintenance } from "../../src/store/maintenance.ts";
import type { Store } from "../../src/store/store.ts";
import { mutate, mutateSubject, seeded } from "./mutations.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  someBytes,
  type StoreOnServer,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";

const bucket = "records" as BucketName;
const name = "records" as StoreName;
const SWEEP = { minAge: 0, dryRun: false };
const EVERYTHING = { prefix: "", delimiter: "", after: "", limit: 1000 };
const UPLOADS = { prefix: "", delimiter: "", keyMarker: "", uploadIdMarker: "", limit: 1000 };
const NO_CHECKSUM = { algorithm: undefined, checksumType: undefined };

async function publish(
  { connection }: Pick<StoreOnServer, "connection">,
  subject: string,
  data: string | Uint8Array = "",
): Promise<void> {
  const reply = await connection.request(`$O.records.${subject}`, data);
  ok(!("error" in reply.json<object>()), `${subject} was not stored`);
}

async function begin(store: Store, key: string): Promise<UploadId> {
  const { properties } = input(someBytes(1));
  return await store.createUpload(bucket, key as ObjectKey, {
    properties,
    owner: "alice",
    ...NO_CHECKSUM,
  });
}

async function multipart(store: Store, key: string, bytes: Uint8Array): Promise<void> {
  const id = await begin(store, key);
  const parts = [];
  for (const [i, piece] of [bytes.subarray(0, 200_000), bytes.subarray(200_000)].entries()) {
    const number = i + 1 as PartNumber;
    const { etag } = await store.putPart(bucket, key as ObjectKey, id, number, input(piece));
    parts.push({ number, etag, checksum: undefined });
  }
  const completion = { parts, checksum: undefined, size: undefined, precondition: {} };
  await store.completeUpload(bucket, key as ObjectKey, id, completion);
}

Deno.test("records that cannot be read stop neither trash, sweep, listings nor requests", async () => {
  const logged: unknown[] = [];
  const counts: Record<string, number> = {};
  await using given = await storeOnServer({
    store: {
      grace: 0,
      log: {
        warn: (message, fields) => {
          if (message === "record cannot be read") logged.push(fields?.["kind"]);
        },
      },
      observe: { unreadable: (kind) => void (counts[kind] = (counts[kind] ?? 0) + 1) },
    },
  });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const key = "object" as ObjectKey;
  await publish(given, "S3.trash.long", JSON.stringify({ key: "k".repeat(10_000) }));
  await publish(given, "S3.trash.empty", JSON.stringify({ key: "" }));
  await publish(given, "S3.trash.null", "null");
  await publish(given, "S3.trash.number", JSON.stringify({ key: 7 }));
  const mine = newNuid("upload" as ObjectKey);
  await publish(given, `S3.upload.${mine}`, "{");
  await publish(given, `C.${mine}.1.abcdef`, "bytes of a part");
  await publish(given, "S3.upload.null", "null");
  await publish(given, "S3.upload.bare", JSON.stringify({ state: "open", key }));
  const unknown = { ...await openRecord(), properties: { system: { x: "" }, user: {}, tags: {} } };
  await publish(given, "S3.upload.unknown", JSON.stringify(unknown));
  await publish(given, "S3.part.dead.x", "");
  await publish(given, "S3.layout.dead.more", "");
  const odd = (await recordsOf(given)).toSorted();

  const orphan = newNuid(key);
  for (const trashed of [1, 2]) {
    await store.putObject(bucket, key, input(someBytes(400_000, trashed)));
  }
  await publish(given, `C.${orphan}`, "an orphan");
  strictEqual((await store.freeReplaced(bucket)).freed, 1);
  const report = await store.sweep(bucket, { ...SWEEP, uploadExpiry: 0 });
  deepStrictEqual([report.stopped, report.orphans], [undefined, 1]);
  ok(sameBytes((await read(store, bucket, key)).bytes, someBytes(400_000, 2)));
  deepStrictEqual((await recordsOf(given)).toSorted(), odd, "the sweep deletes none of them");
  strictEqual(connection.isClosed(), false);

  deepStrictEqual((await store.listUploads(bucket, UPLOADS)).uploads, []);
  const number = 1 as PartNumber;
  const upload = ["upload" as ObjectKey, mine as string as UploadId] as const;
  await rejects(store.putPart(bucket, ...upload, number, input(someBytes(3))), {
    code: "InternalError",
  });
  await rejects(store.abortUpload(bucket, key, mine as string as UploadId), {
    code: "NoSuchUpload",
  });
  await store.abortUpload(bucket, ...upload);
  ok(!(await subjectsOfStream(connection, "OBJ_records"))[`$O.records.C.${mine}.1.abcdef`]);

  await publish(given, "S3.bucket.owner", "{");
  strictEqual((await store.readBucket(bucket)).owner, undefined);
  deepStrictEqual(logged.toSorted(), ["bucket", "layout", "part", "trash", "upload"]);
  ok((counts["trash"] ?? 0) >= 4 && (counts["upload"] ?? 0) >= 4, JSON.stringify(counts));
});

async function openRecord(): Promise<object> {
  await using given = await storeOnServer();
  await given.store.createBucket(bucket, "alice");
  const id = await begin(given.store, "key");
  return JSON.parse(await recordOf(given, `S3.upload.${id}`));
}

async function recordOf({ connection }: StoreOnServer, subject: string): Promise<string> {
  const reply = await connection.request(`$JS.API.DIRECT.GET.OBJ_records.$O.records.${subject}`);
  return reply.string();
}

async function recordsOf({ connection }: StoreOnServer): Promise<readonly string[]> {
  return Object.keys(await subjectsOfStream(connection, "OBJ_records"))
    .filter((subject) => /\.S3\.(?:trash|upload|part|layout)\./.test(subject));
}

Deno.test("a layout version that cannot be read keeps gateways off the bucket", async () => {
  await using given = await storeOnServer();
  await given.store.createBucket(bucket, "alice");
  for (const text of ["{", "null", "[]", '{"version":"1"}', '{"version":0.5}', "{}"]) {
    await publish(given, "S3.bucket.layout", text);
    await using other = await openStore(given.server.url);
    await rejects(other.store.readBucket(bucket), {
      code: "InternalError",
      message: /layout version that cannot be read/,
    });
  }
});

/** How many mutations of each kind of record are stored. */
const MUTATIONS = 60;

Deno.test("a bucket with mutated records of every kind works on, and loses nothing", async () => {
  const unreadable: string[] = [];
  const kinds = new Set<string>();
  await using given = await storeOnServer({
    store: {
      grace: 0,
      indexSavedFrom: 1,
      log: {
        warn: (message, fields) => {
          if (message === "record cannot be read") unreadable.push(String(fields?.["kind"]));
        },
      },
      observe: { unreadable: (kind) => void kinds.add(kind) },
    },
  });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(400_000);
  const live = ["small", "large", "parts", "locked"] as ObjectKey[];
  await store.putObject(bucket, "small" as ObjectKey, input(bytes.subarray(0, 1000)));
  await store.putObject(bucket, "large" as ObjectKey, input(bytes));
  await store.putObject(bucket, "locked" as ObjectKey, input(bytes));
  await multipart(store, "parts", bytes);
  const contents = new Map(
    await Promise.all(
      live.map(async (key) => [key, (await read(store, bucket, key)).bytes] as const),
    ),
  );
  const open = await begin(store, "open");
  const opened = ["open" as ObjectKey, open] as const;
  await store.putPart(bucket, ...opened, 1 as PartNumber, input(bytes));

  const real = await realRecords(given);
  const random = seeded(16);
  for (const [kind, [subject, text]] of Object.entries(real)) {
    const victim = real["info"]?.[2] ?? "";
    for (let i = 0; i < MUTATIONS; i++) {
      // Some speak of live groups, the others of groups of their own.
      const nuid = kind === "trash" && i % 4 === 0 ? victim : newNuid(`${kind}${i}` as ObjectKey);
      const at = subject(nuid, i);
      await publish(given, at, mutate(random, text)).catch(() => {}); // no subject for a message
      if (i % 2 === 0 && kind !== "info" && kind !== "bucket") {
        const mutated = mutateSubject(random, at, 2);
        // An unknown kind stops the sweep, as it should.
        if (parseRecordSubject(name, `$O.records.${mutated}`) === undefined) continue;
        await publish(given, mutated, text).catch(() => {});
      }
    }
  }
  await publish(given, "C.2026.11", "a native group");

  for (let round = 0; round < 2; round++) {
    await using other = await openStore(given.server.url, { grace: 0 });
    for (const gateway of [store, other.store]) {
      await use(gateway, round);
      for (const [key, content] of contents) {
        ok(sameBytes((await read(gateway, bucket, key)).bytes, content), key);
      }
    }
  }
  ok((await store.listParts(bucket, ...opened, { after: 0, limit: 10 })).items.length > 0);
  await store.abortUpload(bucket, ...opened);
  ok((await subjectsOfStream(connection, "OBJ_records"))["$O.records.C.2026.11"]);
  // Every object that a mutated message makes can be deleted, unless it is locked.
  for (const { key } of (await store.listObjects(bucket, EVERYTHING)).objects) {
    if (!contents.has(key)) {
      await onlyS3Errors(store.deleteObject(bucket, key, { precondition: {} }));
    }
  }
  await store.freeReplaced(bucket);
  await store.sweep(bucket, SWEEP);
  for (const [key, content] of contents) {
    ok(sameBytes((await read(store, bucket, key)).bytes, content), key);
  }
  for (const kind of ["info", "upload", "trash", "chunks"]) {
    ok(kinds.has(kind), `no ${kind} was counted: ${[...kinds]}`);
  }
  strictEqual(new Set(unreadable).size, unreadable.length, "each kind is logged once");
});

type Subject = (nuid: string, i: number) => string;
type Real = readonly [subject: Subject, text: string, nuid?: string];

/** Returns a real record of each kind, and subjects on which others of the kind can be stored beside it. */
async function realRecords(given: StoreOnServer): Promise<Readonly<Record<string, Real>>> {
  const { store, connection } = given;
  await store.listObjects(bucket, EVERYTHING);
  const subjects = Object.keys(await subjectsOfStream(connection, "OBJ_records"))
    .map((subject) => subject.slice("$O.records.".length));
  const real = async (start: string): Promise<string> => {
    const subject = subjects.find((subject) => subject.startsWith(start));
    ok(subject !== undefined, `there is no ${start}`);
    return await recordOf(given, subject);
  };
  const large = infoSubject(name, "large" as ObjectKey).slice("$O.records.".length);
  const info = await real(large);
  const part = subjects.find((subject) => subject.startsWith("S3.part.")) ?? "";
  const facts = part.split(".").slice(3).join(".");
  const infoOf: Subject = (_, i) =>
    infoSubject(name, `odd${i}` as ObjectKey).slice("$O.records.".length);
  return {
    info: [infoOf, info, (JSON.parse(info) as { nuid: string }).nuid],
    upload: [(nuid) => `S3.upload.${nuid}`, await real("S3.upload.")],
    trash: [(nuid) => `S3.trash.${nuid}`, JSON.stringify({ key: "large" })],
    layout: [(nuid) => `S3.layout.${nuid}`, await real("S3.layout.")],
    part: [(nuid) => `S3.part.${nuid}.${facts}`, ""],
    chunks: [(nuid, i) => `C.${nuid}.${i + 1}.abcdef`, "bytes"],
    lease: [(nuid) => `S3.lease.${nuid}.gateway`, ""],
    lock: [(_, i) => `S3.lock.task${i}`, ""],
    bucket: [(_, i) => `S3.bucket.${i % 2 === 0 ? "owner" : "rev"}`, await real("S3.bucket.owner")],
    snapshot: [(nuid, i) => i % 3 === 0 ? "S3.snapshot" : `S3.snapshot.${nuid}.0`, SNAPSHOT],
  };
}

const SNAPSHOT = JSON.stringify({
  version: 1,
  id: "snapshot",
  created: new Date(0),
  sequence: 1,
  begun: new Date(0),
  read: new Date(0),
  pages: 0,
  sha256: "",
  legend: { traits: [], oddETags: [] },
  nameless: [],
});

/** Uses a gateway as clients and workers do. */
async function use(store: Store & Maintenance, round: number): Promise<void> {
  const key = `new${round}` as ObjectKey;
  await store.readBucket(bucket);
  await store.listBuckets();
  ok((await store.listObjects(bucket, EVERYTHING)).objects.length > 4);
  await store.listUploads(bucket, UPLOADS);
  for (const seed of [1, 2]) await store.putObject(bucket, key, input(someBytes(400_000, seed)));
  ok((await store.freeReplaced(bucket)).freed > 0, "trash behind odd records is freed");
  strictEqual(
    (await store.sweep(bucket, { ...SWEEP, uploadExpiry: 1e12 })).stopped,
    undefined,
  );
  await store.deleteObject(bucket, key, { precondition: {} });
  await multipart(store, key, someBytes(300_000));
  while (await onlyS3Errors(store.flattenNext(new AbortController().signal)) !== undefined);
  await store.deleteObject(bucket, key, { precondition: {} });
  for (let i = 0; i < MUTATIONS; i++) {
    const odd = `odd${i}` as ObjectKey;
    await onlyS3Errors(store.readObject(bucket, odd, { partChecksums: true }));
    const content = await onlyS3Errors(store.getObject(bucket, odd, () => "all"));
    const { body } = content ?? {};
    if (body instanceof ReadableStream) await body.cancel();
  }
}

async function onlyS3Errors<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof S3Error) return undefined;
    throw cause;
  }
}
