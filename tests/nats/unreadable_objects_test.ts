/** Objects whose object info cannot be read: they exist, their lock holds, and nobody purges or rewrites them. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import type { WritePrecondition } from "../../src/s3/conditions.ts";
import type { BucketName, ObjectKey, PartNumber } from "../../src/s3/names.ts";
import {
  input,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  type StoreOnServer,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "odd" as BucketName;
const key = "object" as ObjectKey;
const bytes = someBytes(400_000);
const subject = infoSubject("odd" as StoreName, key);
const SWEEP = { minAge: 0, dryRun: false };
const EVERYTHING = { prefix: "", delimiter: "", after: "", limit: 100 };

type Info = { metadata: Record<string, unknown> } & Record<string, unknown>;

/** What makes object info unreadable, given the readable one. */
const CHANGES: Readonly<Record<string, (info: Info) => unknown>> = {
  "9 KB of metadata": (info) => {
    return { ...info, metadata: { ...info.metadata, "x-amz-meta-a": "x".repeat(9000) } };
  },
  "a need": (info) => ({ ...info, metadata: { ...info.metadata, "s3.needs": "encryption" } }),
  "a need in a form of its own": (info) => {
    return { ...info, metadata: { ...info.metadata, "s3.needs": ["encryption"] } };
  },
  "a need, marked deleted for native clients": (info) => {
    return { ...info, deleted: true, metadata: { ...info.metadata, "s3.needs": "x,y" } };
  },
  "an ETag with a line feed": (info) => {
    return { ...info, metadata: { ...info.metadata, "s3.etag": "a\nb" } };
  },
  "an ETag beyond Latin-1": (info) => {
    return { ...info, metadata: { ...info.metadata, "s3.etag": "☃" } };
  },
  "an ETag with quotation marks": (info) => {
    return { ...info, metadata: { ...info.metadata, "s3.etag": '"a"' } };
  },
  "a checksum that is not base64": (info) => {
    return { ...info, metadata: { ...info.metadata, "s3.checksum": "CRC32 FULL_OBJECT a\nb" } };
  },
  "a size that is not a number": (info) => ({ ...info, size: "5" }),
  "an end that is missing": (info) => JSON.stringify(info).slice(0, -1),
};

const LOCK = {
  "x-amz-object-lock-mode": "COMPLIANCE",
  "x-amz-object-lock-retain-until-date": "2099-01-01T00:00:00Z",
};

function locked(info: Info): Info {
  return { ...info, metadata: { ...info.metadata, ...LOCK } };
}

async function readInfo({ connection }: StoreOnServer): Promise<Info> {
  return (await connection.request(`$JS.API.DIRECT.GET.OBJ_odd.${subject}`)).json<Info>();
}

async function writeInfo({ connection }: StoreOnServer, info: unknown): Promise<void> {
  const text = typeof info === "string" ? info : JSON.stringify(info);
  ok(!("error" in (await connection.request(subject, text)).json<object>()));
}

async function chunksOf({ connection }: StoreOnServer): Promise<readonly string[]> {
  return Object.keys(await subjectsOfStream(connection, "OBJ_odd"))
    .filter((name) => name.startsWith("$O.odd.C."));
}

Deno.test("an object that cannot be read exists, keeps its lock and its bytes, and can be deleted", async (t) => {
  const logged: unknown[][] = [];
  const counted: string[] = [];
  await using given = await storeOnServer({
    on,
    store: {
      grace: 0,
      log: { warn: (message, fields) => void logged.push([message, fields?.["kind"]]) },
      observe: { unreadable: (kind) => void counted.push(kind) },
    },
  });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  const put = (precondition: WritePrecondition): Promise<unknown> =>
    store.putObject(bucket, key, input(someBytes(3), { precondition }));
  for (const [what, change] of Object.entries(CHANGES)) {
    await t.step(what, async () => {
      await store.putObject(bucket, key, input(bytes));
      const chunks = await chunksOf(given);
      strictEqual(chunks.length, 1);
      const info = await readInfo(given);

      await writeInfo(given, change(locked(info)));
      counted.length = 0;
      await rejects(store.readObject(bucket, key), { code: "InternalError" });
      await rejects(store.getObject(bucket, key, () => "all"), { code: "InternalError" });
      // The index of a listing may count it too.
      ok(counted.length >= 2 && counted.every((kind) => kind === "info"), counted.join());
      await rejects(put({ ifNoneMatch: "*" }), { code: "PreconditionFailed" });
      await rejects(put({ ifMatch: "abc" }), { code: "PreconditionFailed" });
      await rejects(put({ ifMatch: "*" }), { code: "AccessDenied" });
      await rejects(put({}), { code: "AccessDenied" });
      await rejects(store.deleteObject(bucket, key, { precondition: {} }), {
        code: "AccessDenied",
      });

      await writeInfo(given, change(info));
      await rejects(put({ ifNoneMatch: "*" }), { code: "PreconditionFailed" });
      await rejects(store.deleteObject(bucket, key, { precondition: { ifMatch: "abc" } }), {
        code: "PreconditionFailed",
      });
      const { objects } = await store.listObjects(bucket, EVERYTHING);
      deepStrictEqual(objects.map(({ key }) => key), [key]);
      await rejects(store.deleteBucket(bucket), { code: "BucketNotEmpty" });
      strictEqual((await store.sweep(bucket, SWEEP)).stopped, undefined);
      deepStrictEqual(await chunksOf(given), chunks);
      await store.deleteObject(bucket, key, { precondition: {} });
      await rejects(store.readObject(bucket, key), { code: "NoSuchKey" });
      await store.freeReplaced(bucket);
      deepStrictEqual(await chunksOf(given), []);
    });
  }
  deepStrictEqual(logged.filter(([message]) => message === "record cannot be read"), [
    ["record cannot be read", "info"],
  ]);
});

Deno.test("an object in parts that needs what the gateway lacks is not rewritten for native clients", async () => {
  await using given = await storeOnServer({ on, store: { grace: 0, nativeLayout: "background" } });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  const { properties } = input(bytes);
  const none = { algorithm: undefined, checksumType: undefined };
  const id = await store.createUpload(bucket, key, { properties, owner: "alice", ...none });
  const number = 1 as PartNumber;
  const { etag } = await store.putPart(bucket, key, id, number, input(bytes));
  await store.completeUpload(bucket, key, id, {
    parts: [{ number, etag, checksum: undefined }],
    checksum: undefined,
    size: undefined,
    precondition: {},
  });
  const info = await readInfo(given);
  const changed = { ...info, metadata: { ...info.metadata, "s3.needs": "encryption" } };
  await writeInfo(given, changed);
  const chunks = await chunksOf(given);
  await store.sweep(bucket, SWEEP);
  while (await store.flattenNext(new AbortController().signal) !== undefined);
  deepStrictEqual(await readInfo(given), changed);
  deepStrictEqual(await chunksOf(given), chunks);
  // A gateway that knows the need finds every byte.
  await writeInfo(given, info);
  ok(sameBytes((await read(store, bucket, key)).bytes, bytes));
});

Deno.test("native groups whose names have dots are neither purged nor taken for parts", async () => {
  const counted: string[] = [];
  const unreadable = (kind: string): void => void counted.push(kind);
  await using given = await storeOnServer({ on, store: { grace: 0, observe: { unreadable } } });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const names = ["2026.11", "2026.11.report", "a.b.c.d", "deaduploaddeaduploadDEAD.1.abcdef"];
  for (const [i, nuid] of names.entries()) {
    await connection.request(`$O.odd.C.${nuid}`, "12345");
    const info = { name: `${i}`, bucket: "odd", nuid, size: 5, chunks: 1, digest: "" };
    const named = infoSubject("odd" as StoreName, `${i}` as ObjectKey);
    await connection.request(named, JSON.stringify(info));
  }
  await connection.request("$O.odd.C.2025.12", "nothing names it");
  const before = (await chunksOf(given)).toSorted();
  strictEqual(before.length, names.length + 1);
  strictEqual((await store.sweep(bucket, SWEEP)).orphans, 0);
  deepStrictEqual((await chunksOf(given)).toSorted(), before);
  strictEqual(counted.includes("chunks"), true);
  // A native client reads on; S3 shows the object and lets it be deleted.
  await rejects(store.readObject(bucket, "0" as ObjectKey), { code: "InternalError" });
  for (const i of names.keys()) {
    await store.deleteObject(bucket, `${i}` as ObjectKey, { precondition: {} });
  }
  strictEqual((await store.listObjects(bucket, EVERYTHING)).objects.length, 0);
});
