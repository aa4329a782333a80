/** The sweep: it ends while others write, misses no name, and one odd record does not stop it. */

import { headers as createHeaders } from "@nats-io/nats-core";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { createBucketsContext } from "../../src/nats/buckets/context.ts";
import { Streams } from "../../src/nats/buckets/streams.ts";
import {
  chooseListing,
  eachSubject,
  type ListingMode,
} from "../../src/nats/cleanup/subject_listing.ts";
import { textOf } from "../../src/nats/jetstream/messages.ts";
import type { Requests } from "../../src/nats/jetstream/requests.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import { openRequests } from "../bench/own_requests.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  STORE_OPTIONS,
  type StoreOnServer,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";
import { fillBucket, plantOrphans, putAtRate } from "./sweep_load.ts";
import { TcpProxy } from "./tcp_proxy.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "swept" as BucketName;
const native = "swept" as StoreName;
const stream = "OBJ_swept";
const all = { minAge: 0, dryRun: false } as const;
const key = (text: string): ObjectKey => text as ObjectKey;

async function chunksOf({ connection }: StoreOnServer): Promise<readonly string[]> {
  return Object.keys(await subjectsOfStream(connection, stream))
    .filter((subject) => subject.startsWith("$O.swept.C."));
}

Deno.test("a list of subjects ends, and misses none, while others are added between its pages", async () => {
  const limit = 10;
  let subjects = Array.from({ length: 35 }, (_, i) => `s.${String(i).padStart(3, "0")}`);
  const given = [...subjects];
  let calls = 0;
  const requests = {
    call(_method: string, { offset }: { offset: number }) {
      ok(++calls < 100, "it does not end");
      const page = subjects.slice(offset, offset + limit).map((subject) => [subject, 1]);
      const total = subjects.length;
      subjects = [`a.${calls}`, ...subjects]; // sorted before what the next page should begin with
      return Promise.resolve({ total, limit, state: { subjects: Object.fromEntries(page) } });
    },
  };
  const settings = { replicas: 1, storage: "file", compression: "none" } as const;
  const streams = new Streams(requests as unknown as Requests, settings);
  const listed = new Set(await streams.listSubjects(stream, ">"));
  deepStrictEqual(given.filter((subject) => !listed.has(subject)), []);
});

Deno.test("both ways of listing a bucket find the same subjects and messages", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  for (let i = 0; i < 10; i++) {
    await store.putObject(bucket, key(`${i}`), input(someBytes(i * 100_000)));
  }
  const context = createBucketsContext(connection, STORE_OPTIONS, undefined);
  const read = await context.streams.read(bucket);
  strictEqual(chooseListing(read), "by subject");
  strictEqual(chooseListing({ ...read, subjects: 300_000 }), "by message");
  strictEqual(chooseListing({ ...read, subjects: 300_000, bytes: 1e12 }), "by subject");
  strictEqual(chooseListing({ ...read, subjects: 3_000_000, bytes: 1e12 }), "by message");
  const list = async (mode: ListingMode): Promise<Readonly<Record<string, number>>> => {
    const counts: Record<string, number> = {};
    await eachSubject(context, read, mode, (subject, count, time) => {
      strictEqual(time === undefined, mode === "by subject");
      counts[subject] = (counts[subject] ?? 0) + count;
    });
    return { ...counts, "$O.swept.S3.sync": 0 }; // the barrier of a list by message
  };
  const bySubject = await list("by subject");
  strictEqual(Object.keys(bySubject).filter((subject) => subject.includes(".C.")).length, 9);
  deepStrictEqual(await list("by message"), bySubject);
  context.requests[Symbol.dispose]();
});

Deno.test("a sweep of thousands of groups frees the orphans while writers add objects", async () => {
  await using given = await storeOnServer({ on });
  await using own = await openRequests(given.server.url);
  const { store } = given;
  await store.createBucket(bucket, "alice");
  await fillBucket(own.requests, native, { count: 3000, size: 100 });
  const orphans = await plantOrphans(own.requests, native, 50);
  const writing = new AbortController();
  const puts = putAtRate(store, bucket, { rate: 300, signal: writing.signal });
  let freed = 0;
  try {
    for (let sweep = 0; sweep < 5; sweep++) freed += (await store.sweep(bucket, all)).orphans;
  } finally {
    writing.abort();
  }
  strictEqual(freed, orphans.length);
  const keys = await puts;
  ok(keys.length > 0);
  for (const one of keys) ok(sameBytes((await read(store, bucket, one)).bytes, someBytes(1024)));
  const page = await store.listObjects(bucket, {
    prefix: "filled/",
    delimiter: "",
    after: "",
    limit: 1,
  });
  strictEqual(page.objects.length, 1);
  strictEqual((await chunksOf(given)).length, 3000 + keys.length);
});

Deno.test("a name that is rewritten while names are read is not missed", async () => {
  await using given = await storeOnServer({ on });
  await using own = await openRequests(given.server.url);
  const { store } = given;
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(300);
  const names = Array.from({ length: 1500 }, (_, i) => `k${i}`);
  for (let i = 0; i < names.length; i += 50) {
    await Promise.all(
      names.slice(i, i + 50).map((name) => store.putObject(bucket, key(name), input(bytes))),
    );
  }
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const subjectOf = (name: string): string => infoSubject(native, key(name));
  /** As UpdateMeta of a native client does: the same object info, perhaps under another name. */
  const updateMeta = async (from: string, to: string): Promise<void> => {
    const found = await own.requests.leaderGet(stream, { last_by_subj: subjectOf(from) });
    const info = { ...JSON.parse(textOf(found?.data ?? new Uint8Array())), name: to };
    await own.requests.publish(subjectOf(to), JSON.stringify(info), { rollup: true });
    if (from === to) return;
    await own.requests.call(`STREAM.PURGE.${stream}`, { filter: subjectOf(from) });
  };
  let writing = true;
  let writes = 0;
  const free = [...names.keys()];
  const writers = Array.from({ length: 8 }, async () => {
    while (writing) {
      const [i = 0] = free.splice(random(free.length), 1); // each name has one writer at a time
      const name = names[i] ?? "";
      const turn = random(10);
      if (turn === 0) await store.putObject(bucket, key(name), input(bytes));
      else if (turn < 3) {
        names[i] = `${name.split("-")[0]}-${writes}`;
        await updateMeta(name, names[i] ?? "");
      } else await updateMeta(name, name);
      free.push(i);
      writes++;
    }
  });
  for (let sweep = 0; sweep < 15; sweep++) {
    const { stopped } = await store.sweep(bucket, all);
    strictEqual(stopped, undefined);
  }
  writing = false;
  await Promise.all(writers);
  ok(writes > 100);
  const broken: string[] = [];
  for (const name of names) {
    const found = await read(store, bucket, key(name)).catch(() => undefined);
    if (found === undefined || !sameBytes(found.bytes, bytes)) broken.push(name);
  }
  deepStrictEqual(broken, []);
});

Deno.test("a name that moves behind the end of what is read is read there", async () => {
  await using given = await storeOnServer({ on });
  await using own = await openRequests(given.server.url);
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url);
  const { store } = given;
  await store.createBucket(bucket, "alice");
  const names = Array.from({ length: 20 }, (_, i) => `k${i}`);
  for (const name of names) await store.putObject(bucket, key(name), input(someBytes(300)));
  /** As UpdateMeta of a native client does. */
  const rewrite = async (): Promise<void> => {
    for (const name of names) {
      const subject = infoSubject(native, key(name));
      const found = await own.requests.leaderGet(stream, { last_by_subj: subject });
      await own.requests.publish(subject, textOf(found?.data ?? new Uint8Array()), {
        rollup: true,
      });
    }
  };
  const barrier = Promise.withResolvers<void>();
  let consumers = 0;
  let late: Promise<void> | undefined;
  proxy.judge = ({ direction, subject }) => {
    if (direction === "to client" && subject === "$O.swept.S3.sync") return "pass";
    if (direction === "to server" && subject === "$O.swept.S3.sync") barrier.resolve();
    if (direction === "to server" && subject.includes("CONSUMER.CREATE") && ++consumers !== 2) {
      // Each consumer of object info finds what was written after the end of what it is to read.
      if (consumers === 1) return { hold: rewrite() };
      return { hold: barrier.promise.then(() => delay(200)).then(rewrite) };
    }
    if (direction === "to client" && subject.startsWith("$O.swept.M.") && consumers === 3) {
      return { hold: late ??= delay(500) };
    }
    return "pass";
  };
  const { orphans } = await other.store.sweep(bucket, all);
  await late;
  ok(consumers >= 3);
  strictEqual(orphans, 0);
  for (const name of names) {
    ok(sameBytes((await read(store, bucket, key(name))).bytes, someBytes(300)), name);
  }
});

Deno.test("a bucket of large objects is swept again from what changed, and nothing is missed", async () => {
  await using given = await storeOnServer({ on });
  await using own = await openRequests(given.server.url);
  const { store, native: objects } = given;
  await store.createBucket(bucket, "alice");
  for (let i = 0; i < 20; i++) {
    await store.putObject(bucket, key(`large ${i}`), input(someBytes(900_000, i)));
  }
  const opened = await objects.open(native);
  for (let round = 0; round < 4; round++) {
    const orphans = await plantOrphans(own.requests, native, round);
    // These change what earlier sweeps have read.
    await opened.update(`large ${round}`, { name: `moved ${round}` });
    await store.putObject(
      bucket,
      key(`large ${10 + round}`),
      input(someBytes(900_000, 10 + round)),
    );
    await store.putObject(bucket, key(`new ${round}`), input(someBytes(900_000, round)));
    strictEqual((await store.sweep(bucket, all)).orphans, orphans.length);
    strictEqual((await store.sweep(bucket, all)).orphans, 0);
  }
  for (let i = 0; i < 19; i++) {
    const name = i < 4 ? `moved ${i}` : `large ${i}`;
    ok(sameBytes((await read(store, bucket, key(name))).bytes, someBytes(900_000, i)), name);
  }
});

Deno.test("the sweep leaves chunks alone whose subjects are not ours, and what object info names", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const ours = newNuid(key("a"));
  const dotted = ["2026.11", "2026.11.abcdef", "a.b.c.d", "x.10001.abcdef", `${ours}.3.ghijkl`];
  for (const name of dotted) await connection.request(`$O.swept.C.${name}`, "native bytes");
  await connection.request(
    infoSubject(native, key("dotted")),
    JSON.stringify({ name: "dotted", nuid: `${ours}.3.ghijkl`, size: 12, chunks: 1 }),
  );
  await connection.request(`$O.swept.C.${ours}.4.ghijkl`, "nobody names this part");
  const { orphans } = await store.sweep(bucket, all);
  strictEqual(orphans, 1);
  deepStrictEqual(
    (await chunksOf(given)).toSorted(),
    dotted.map((name) => `$O.swept.C.${name}`).toSorted(),
  );
});

Deno.test("the sweep frees what a native client deleted without purging it", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const objects = await given.native.open(bucket);
  const { nuid } = await objects.putBlob({ name: "gone" }, someBytes(300_000));
  await objects.putBlob({ name: "there" }, someBytes(300_000));
  const marker = { name: "gone", bucket, nuid, size: 0, chunks: 0, digest: "", deleted: true };
  const headers = createHeaders();
  headers.set("Nats-Rollup", "sub");
  await connection.request(infoSubject(native, key("gone")), JSON.stringify(marker), {
    headers,
    timeout: 5000,
  });
  strictEqual((await store.sweep(bucket, all)).orphans, 1);
  ok(sameBytes((await read(store, bucket, key("there"))).bytes, someBytes(300_000)));
  strictEqual((await store.sweep(bucket, all)).orphans, 0);
});

Deno.test("the sweep frees an attempt at a part that the object does not use, and no other", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const id = await store.createUpload(bucket, key("parts"), {
    properties: input(someBytes(0)).properties,
    owner: "alice",
    algorithm: undefined,
    checksumType: undefined,
  });
  const parts = [];
  for (const number of [1, 2] as PartNumber[]) {
    const { content, signal } = input(someBytes(100_000, number));
    const { etag } = await store.putPart(bucket, key("parts"), id, number, { content, signal });
    parts.push({ number, etag, checksum: undefined });
  }
  const end = { parts, precondition: {}, checksum: undefined, size: undefined };
  await store.completeUpload(bucket, key("parts"), id, end);
  await connection.request(`$JS.API.STREAM.PURGE.${stream}`, '{"filter":"$O.swept.S3.trash.*"}');
  await connection.request(
    `$O.swept.C.${id}.2.zzzzzz`,
    "a PUT that died after the upload had ended",
  );
  const { orphans } = await store.sweep(bucket, all);
  strictEqual(orphans, 1);
  strictEqual((await chunksOf(given)).length, 2);
  strictEqual((await read(store, bucket, key("parts"))).bytes.length, 200_000);
  // Without its metadata, which a native UpdateMeta removes, the chunk map still tells what the object uses.
  const info = await connection.request(
    `$JS.API.DIRECT.GET.${stream}.${infoSubject(native, key("parts"))}`,
  );
  const bare = { ...info.json<Record<string, unknown>>(), metadata: {} };
  await connection.request(infoSubject(native, key("parts")), JSON.stringify(bare));
  strictEqual((await store.sweep(bucket, all)).orphans, 0);
  strictEqual((await chunksOf(given)).length, 2);
});

Deno.test("one odd record stops neither the trash, the sweep nor the listing of uploads", async () => {
  await using given = await storeOnServer({ on, store: { grace: 0 } });
  await using own = await openRequests(given.server.url);
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const odd: Readonly<Record<string, string>> = {
    "trash.a": JSON.stringify({ key: "k".repeat(10_000) }),
    "trash.b": JSON.stringify({ key: "" }),
    "trash.c": "null",
    "trash.d": "{",
    "upload.a": "{",
    "upload.b": "null",
    "upload.c": "7",
    "lease.a": "",
    "layout.a": "{",
    "part.a.b": "",
  };
  for (const [subject, data] of Object.entries(odd)) {
    await connection.request(`$O.swept.S3.${subject}`, data);
  }
  await store.putObject(bucket, key("k"), input(someBytes(500_000)));
  await store.deleteObject(bucket, key("k"), { precondition: {} });
  strictEqual((await store.freeReplaced(bucket)).freed, 1);
  await plantOrphans(own.requests, native, 1);
  strictEqual((await store.sweep(bucket, { ...all, uploadExpiry: 0 })).orphans, 1);
  deepStrictEqual((await chunksOf(given)).length, 0);
  const left = Object.keys(await subjectsOfStream(connection, stream));
  for (const subject of Object.keys(odd)) ok(left.includes(`$O.swept.S3.${subject}`), subject);
});

Deno.test("a group that cannot be purged does not keep the others in the trash", async () => {
  await using given = await storeOnServer({ on, store: { grace: 0 } });
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url, { grace: 0 });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  for (let i = 0; i < 20; i++) {
    await store.putObject(bucket, key(`${i}`), input(someBytes(300_000)));
    await store.deleteObject(bucket, key(`${i}`), { precondition: {} });
  }
  const refused = { subject: "$JS.API.STREAM.PURGE.OBJ_none" } as const;
  let purges = 0;
  proxy.judge = ({ subject }) =>
    subject.includes("STREAM.PURGE") && purges++ < 2 ? refused : "pass";
  await rejects(other.store.freeReplaced(bucket));
  strictEqual((await chunksOf(given)).length, 2);
  deepStrictEqual(other.store.bucketsToFree(), [bucket], "the rest is remembered");
  strictEqual((await other.store.freeReplaced(bucket)).freed, 2);
  strictEqual((await chunksOf(given)).length, 0);
});

Deno.test("trash that could not be emptied is not forgotten", async () => {
  await using given = await storeOnServer({ on });
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url, { grace: 0, timeout: 500 });
  const { store } = other;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key("k"), input(someBytes(500_000)));
  await store.deleteObject(bucket, key("k"), { precondition: {} });
  deepStrictEqual(store.bucketsToFree(), [bucket]);
  proxy.judge = ({ subject }) => subject.includes("STREAM.PURGE") ? "drop" : "pass";
  await rejects(store.freeReplaced(bucket));
  proxy.judge = () => "pass";
  deepStrictEqual(store.bucketsToFree(), [bucket]);
  strictEqual((await store.freeReplaced(bucket)).freed, 1);
  deepStrictEqual(store.bucketsToFree(), []);
});

Deno.test("a sweep that fails leaves the bucket to another gateway", async () => {
  await using given = await storeOnServer({ on });
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url, { timeout: 300 });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  strictEqual(await other.store.claimSweep(bucket, 3_600_000), true);
  strictEqual(await store.claimSweep(bucket, 3_600_000), false);
  proxy.judge = ({ subject }) => subject.includes("CONSUMER.CREATE") ? "drop" : "pass";
  await rejects(other.store.sweep(bucket, all));
  strictEqual(await store.claimSweep(bucket, 3_600_000), true);
});

Deno.test("listing uploads costs the open ones, however many have ended", async () => {
  let calls = 0;
  let bytes = 0;
  await using given = await storeOnServer({
    store: {
      observe: {
        call: () => {
          calls++;
          return (_error, received) => {
            bytes += received;
          };
        },
      },
    },
  });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const begin = (name: string): Promise<UploadId> =>
    store.createUpload(bucket, key(name), {
      properties: input(someBytes(0)).properties,
      owner: "alice",
      algorithm: undefined,
      checksumType: undefined,
    });
  const complete = async (id: UploadId, name: string): Promise<string> => {
    const { content, signal } = input(someBytes(10));
    const part = await store.putPart(bucket, key(name), id, 1 as PartNumber, { content, signal });
    const done = await store.completeUpload(bucket, key(name), id, {
      parts: [{ number: part.number, etag: part.etag, checksum: undefined }],
      precondition: {},
      checksum: undefined,
      size: undefined,
    });
    return done.etag;
  };
  const list = (): ReturnType<typeof store.listUploads> =>
    store.listUploads(bucket, {
      prefix: "",
      delimiter: "",
      keyMarker: "",
      uploadIdMarker: "",
      limit: 1000,
    });
  const measure = async (): Promise<readonly [number, number]> => {
    [calls, bytes] = [0, 0];
    strictEqual((await list()).uploads.length, 3);
    return [calls, bytes];
  };
  for (let i = 0; i < 3; i++) await begin(`open ${i}`);
  const before = await measure();
  const ended: UploadId[] = [];
  let etag = "";
  for (let i = 0; i < 60; i++) {
    const id = await begin(`done ${i}`);
    ended.push(id);
    if (i % 3 === 2) await store.abortUpload(bucket, key(`done ${i}`), id);
    else etag = await complete(id, `done ${i}`);
  }
  // Five minutes later.
  for (const id of ended) {
    const subject = `$O.swept.S3.upload.${id}`;
    const stored = await connection.request(
      `$JS.API.DIRECT.GET.${stream}`,
      JSON.stringify({ last_by_subj: subject }),
    );
    if (!["5m", "5m0s"].includes(stored.headers?.get("Nats-TTL") ?? "")) continue;
    await connection.request(`$JS.API.STREAM.PURGE.${stream}`, JSON.stringify({ filter: subject }));
  }
  deepStrictEqual(await measure(), before);
  // A completed upload repeats its response all the same, and accepts no more parts.
  const last = ended.at(-2) as UploadId;
  strictEqual(await complete(last, "done 58").catch(({ code }) => code), "NoSuchUpload");
  const again = await store.completeUpload(bucket, key("done 58"), last, {
    parts: [{ number: 1 as PartNumber, etag, checksum: undefined }],
    precondition: {},
    checksum: undefined,
    size: undefined,
  });
  strictEqual(again.etag, etag);
});
