/** Lists of many uploads: few requests, also in a stream whose copies may lag. */

import { deepStrictEqual, ok as assert, strictEqual } from "node:assert/strict";
import type { BucketName, ObjectKey, UploadId } from "../../src/s3/names.ts";
import type { UploadPage, UploadQuery } from "../../src/store/uploads.ts";
import { createBucketsContext } from "../../src/nats/buckets/context.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import { records } from "../../src/nats/layout/subjects.ts";
import { formatUploadRecord, type UploadRecord } from "../../src/nats/layout/upload_record.ts";
import { listUploads } from "../../src/nats/uploads/list.ts";
import { sharedServer, STORE_OPTIONS, storeOnServer } from "./store_on_server.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "uploads" as BucketName;
const store = bucket as string as StoreName;
const UPLOADS = 1000;
const ALL: UploadQuery = {
  prefix: "",
  delimiter: "",
  keyMarker: "",
  uploadIdMarker: "",
  limit: UPLOADS,
};

function recordOf(key: ObjectKey): UploadRecord {
  return {
    state: "open",
    key,
    initiated: "2026-01-02T03:04:05.678Z",
    owner: "alice",
    properties: { system: {}, user: {}, tags: {} },
    algorithm: undefined,
    checksumType: undefined,
  };
}

/** Keys of the uploads, in order. */
const KEYS = Array.from({ length: UPLOADS }, (_, i) => `${10_000 + i}` as ObjectKey);

type Context = ReturnType<typeof createBucketsContext>;

type Scene = AsyncDisposable & {
  readonly context: Context;
  /** Numbers of the calls since the bucket's stream was read first. */
  readonly calls: Map<string, number>;
  readonly write: (id: UploadId, record: string) => Promise<void>;
};

/** A bucket with many open uploads, in no order. */
async function withUploads(): Promise<Scene> {
  const given = await storeOnServer({ on });
  const { connection } = given;
  await given.store.createBucket(bucket, "alice");
  const write: Scene["write"] = async (id, record) => {
    await connection.request(records.upload(store, id), record, { timeout: 10_000 });
  };
  await Promise.all(
    KEYS.toReversed().map((key) => {
      return write(newNuid(key) as string as UploadId, formatUploadRecord(recordOf(key)));
    }),
  );
  const calls = new Map<string, number>();
  const context = createBucketsContext(connection, STORE_OPTIONS, {
    call({ method }) {
      calls.set(method, (calls.get(method) ?? 0) + 1);
      return () => {};
    },
  });
  await context.streams.get(bucket);
  calls.clear();
  return {
    context,
    calls,
    write,
    async [Symbol.asyncDispose]() {
      context.requests[Symbol.dispose]();
      await given[Symbol.asyncDispose]();
    },
  };
}

/** Makes the stream appear to have several copies, with direct gets or without. */
function withCopies({ streams, ...context }: Context, direct = true): Context {
  const read: typeof streams.read = async (name) => {
    return { ...await streams.read(name), single: false, direct };
  };
  const listSubjects: typeof streams.listSubjects = (...args) => streams.listSubjects(...args);
  return { ...context, streams: { read, listSubjects } as unknown as typeof streams };
}

function sum(calls: Map<string, number>): number {
  return [...calls.values()].reduce((all, count) => all + count, 0);
}

Deno.test("A page of uploads does not cost a request for each upload of the bucket", async () => {
  await using scene = await withUploads();
  const { calls, context } = scene;
  const { uploads } = await listUploads(context, bucket, ALL);
  deepStrictEqual(uploads.map(({ key }) => key), KEYS);
  assert(sum(calls) <= 20, JSON.stringify([...calls]));

  const found: string[] = [];
  let page: UploadPage | undefined;
  do {
    page = await listUploads(context, bucket, { ...ALL, limit: 400, ...page?.next });
    found.push(...page.uploads.map(({ key }) => key));
  } while (page.next !== undefined);
  deepStrictEqual(found, KEYS);
});

Deno.test("In a stream with copies the leader is asked for the uploads of the page alone", async () => {
  await using scene = await withUploads();
  const { calls, context } = scene;
  const { uploads } = await listUploads(withCopies(context), bucket, { ...ALL, limit: 10 });
  deepStrictEqual(uploads.map(({ key }) => key), KEYS.slice(0, 10));
  strictEqual(calls.get("STREAM.MSG.GET"), 10);
});

Deno.test("A page does not show an upload that has ended although a copy does not know it", async () => {
  await using scene = await withUploads();
  const { context, write } = scene;
  const [first] = (await listUploads(context, bucket, { ...ALL, limit: 1 })).uploads;
  assert(first !== undefined);
  const { requests } = context;
  const delayed = {
    leaderGet: (...args: Parameters<typeof requests.leaderGet>) => requests.leaderGet(...args),
    async directBatch(...args: Parameters<typeof requests.directBatch>) {
      const found = await requests.directBatch(...args);
      if (found.some(({ subject }) => subject === records.upload(store, first.id))) {
        await write(first.id, formatUploadRecord({ ...recordOf(first.key), state: "aborted" }));
      }
      return found;
    },
  } as unknown as typeof requests;
  const lagging = { ...withCopies(context), requests: delayed };
  const page = await listUploads(lagging, bucket, { ...ALL, limit: 3 });
  deepStrictEqual(page.uploads.map(({ key }) => key), KEYS.slice(1, 3));
  strictEqual(page.next?.keyMarker, KEYS[2]);
});

Deno.test("Uploads are listed beside records that fill a response, and without direct gets", async () => {
  await using scene = await withUploads();
  const { calls, context, write } = scene;
  await Promise.all(Array.from({ length: 30 }, (_, i) => {
    const id = newNuid(`${i}` as ObjectKey) as string as UploadId;
    return write(id, "x".repeat(200_000));
  }));
  const { uploads } = await listUploads(context, bucket, ALL);
  deepStrictEqual(uploads.map(({ key }) => key), KEYS);
  assert(sum(calls) <= 40, JSON.stringify([...calls]));

  const leader = await listUploads(withCopies(context, false), bucket, ALL);
  deepStrictEqual(leader.uploads.map(({ key }) => key), KEYS);
});
