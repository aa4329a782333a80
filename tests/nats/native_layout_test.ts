/** Objects that were uploaded in parts become one chunk group, which native clients read. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { crc32 as zlibCrc32 } from "node:zlib";
import { setTimeout as delay } from "node:timers/promises";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  type StoreOnServer,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "layout" as BucketName;
const key = "video/1" as ObjectKey;
const GRACE = 1000;
const OPTIONS = { grace: GRACE, nativeLayout: "background" } as const;
const never = new AbortController().signal;

async function onServer(
  nativeLayout: "off" | "background" | "on-complete" = "background",
): Promise<StoreOnServer> {
  const given = await storeOnServer({ on, store: { grace: GRACE, nativeLayout } });
  await given.store.createBucket(bucket, "alice");
  return given;
}

/** Uploads in parts. Returns the upload's id, for a repeated Complete, and its parts. */
async function upload(
  store: Store,
  pieces: readonly Uint8Array[],
): Promise<
  { readonly id: UploadId; readonly complete: () => ReturnType<Store["completeUpload"]> }
> {
  const id = await store.createUpload(bucket, key, {
    properties: {
      system: { contentType: "video/mp4", cacheControl: "no-store" },
      user: { color: "red" },
      tags: { team: "a" },
    },
    owner: "alice",
    algorithm: "CRC32",
    checksumType: "FULL_OBJECT",
  });
  const parts: { number: PartNumber; etag: string; checksum: undefined }[] = [];
  for (const [i, bytes] of pieces.entries()) {
    const { content, signal } = input(bytes);
    const number = i + 1 as PartNumber;
    const part = await store.putPart(bucket, key, id, number, {
      content: { ...content, algorithm: "CRC32" },
      signal,
    });
    parts.push({ number, etag: part.etag, checksum: undefined });
  }
  const complete = (): ReturnType<Store["completeUpload"]> =>
    store.completeUpload(bucket, key, id, {
      parts,
      precondition: {},
      checksum: undefined,
      size: undefined,
    });
  return { id, complete };
}

const PIECES = [someBytes(700_000, 1), someBytes(700_000, 2), someBytes(123_456, 3)];
const WHOLE = new Uint8Array(PIECES.flatMap((piece) => [...piece]));

/** Holds the next object info back: `held` says that it came. */
function holdCommit(
  proxy: TcpProxy,
): { readonly held: Promise<void>; readonly release: () => void } {
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  proxy.judge = ({ direction, subject }) => {
    if (direction !== "to server" || !subject.startsWith("$O.layout.M.")) return "pass";
    held.resolve();
    return { hold: gate.promise };
  };
  return { held: held.promise, release: gate.resolve };
}

/** Nothing is left but what the object names. */
async function checkNothingLeft({ store, connection }: StoreOnServer): Promise<void> {
  // The rewriting was a reader, too, whose lease outlives it.
  for (let i = 0; (await store.freeReplaced(bucket)).waiting > 0; i++) {
    ok(i < 40, "the trash is not emptied");
    await delay(100);
  }
  const { orphans, records } = await store.sweep(bucket, { minAge: 0, dryRun: true });
  deepStrictEqual({ orphans, records }, { orphans: 0, records: 0 });
  const chunks = Object.keys(await subjectsOfStream(connection, "OBJ_layout"))
    .filter((subject) => subject.startsWith("$O.layout.C."));
  strictEqual(chunks.length, 1, chunks.join(" "));
}

Deno.test("a native client reads a completed upload after it was rewritten; nothing else changes", async () => {
  await using given = await onServer();
  const { store, native } = given;
  const { complete } = await upload(store, PIECES);
  await complete();
  const objects = await native.open("layout");
  strictEqual(await objects.getBlob("video/1"), null);
  const asked = { partChecksums: true };
  const before = await store.readObject(bucket, key, asked);
  deepStrictEqual(before.partChecksums, PIECES.map((piece) => crc32(piece)));

  deepStrictEqual(await store.flattenNext(never), { bucket, key, outcome: "rewritten" });
  strictEqual(await store.flattenNext(never), undefined);
  const blob = await objects.getBlob("video/1"); // throws when the digest is wrong
  ok(blob !== null && sameBytes(blob, WHOLE));

  deepStrictEqual(await store.readObject(bucket, key, asked), before);
  deepStrictEqual(before.partSizes, PIECES.map(({ length }) => length));
  await using other = await openStore(given.server.url, OPTIONS); // remembers nothing
  const { info } = await other.store.getObject(bucket, key, () => "nothing", asked);
  deepStrictEqual(info, before);
  ok(sameBytes((await read(store, bucket, key)).bytes, WHOLE));
  const second = await read(store, bucket, key, { start: 700_000, end: 1_399_999 });
  ok(sameBytes(second.bytes, PIECES[1] as Uint8Array));
  const { etag } = await complete();
  strictEqual(etag, before.etag, "Complete again answers as before");
  await checkNothingLeft(given);
});

Deno.test("a rewritten object keeps what its object info says and the gateway does not know", async () => {
  await using given = await onServer();
  const { store, connection } = given;
  const { complete } = await upload(store, PIECES);
  await complete();
  const readInfo = async (): Promise<Record<string, unknown>> => {
    const subject = `$JS.API.DIRECT.GET.OBJ_layout.$O.layout.M.${btoa(key)}`;
    return (await connection.request(subject)).json<Record<string, unknown>>();
  };
  const info = await readInfo();
  const metadata = { ...info["metadata"] as Record<string, string>, "s3.future": "kept" };
  const edited = JSON.stringify({ ...info, description: "a film", metadata });
  await connection.request(`$O.layout.M.${btoa(key)}`, edited);

  strictEqual((await store.flattenNext(never))?.outcome, "rewritten");
  const after = await readInfo();
  strictEqual(after["deleted"], undefined);
  strictEqual(after["description"], "a film");
  strictEqual((after["metadata"] as Record<string, string>)["s3.future"], "kept");
});

Deno.test("an object of many parts keeps their sizes and checksums when it is rewritten", async () => {
  await using given = await onServer();
  const { store } = given;
  const pieces = Array.from({ length: 600 }, (_, i) => someBytes(70_000 + i * 7 % 1000, i));
  const id = await store.createUpload(bucket, key, {
    properties: input(new Uint8Array()).properties,
    owner: "alice",
    algorithm: "SHA256",
    checksumType: "COMPOSITE",
  });
  const parts = await Promise.all(pieces.map(async (bytes, i) => {
    const number = i + 1 as PartNumber;
    const { content, signal } = input(bytes);
    const part = await store.putPart(bucket, key, id, number, {
      content: { ...content, algorithm: "SHA256" },
      signal,
    });
    const checksum = { algorithm: "SHA256", value: part.checksum ?? "" } as const;
    return { number, etag: part.etag, checksum };
  }));
  const completion = { parts, precondition: {}, checksum: undefined, size: undefined };
  await store.completeUpload(bucket, key, id, completion);
  const asked = { partChecksums: true };
  const before = await store.readObject(bucket, key, asked);
  deepStrictEqual(before.partChecksums, parts.map(({ checksum }) => checksum.value));
  strictEqual((await store.flattenNext(never))?.outcome, "rewritten");
  deepStrictEqual(await store.readObject(bucket, key, asked), before);
  strictEqual(before.partSizes?.length, 600);
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  const { bytes } = await read(store, bucket, key);
  strictEqual(createHash("sha256").update(bytes).digest("hex"), hash.digest("hex"));
  await checkNothingLeft(given);
});

Deno.test("an object that is replaced or deleted while it is rewritten stays replaced or deleted", async () => {
  for (const change of ["put", "delete"] as const) {
    await using given = await onServer();
    await using proxy = new TcpProxy(given.server.port);
    await using slow = await openStore(proxy.url, OPTIONS);
    const { complete } = await upload(slow.store, PIECES);
    await complete();
    const { held, release } = holdCommit(proxy);
    const rewriting = slow.store.flattenNext(never);
    await held;
    if (change === "put") await given.store.putObject(bucket, key, input(someBytes(300_000, 9)));
    else await given.store.deleteObject(bucket, key, { precondition: {} });
    release();
    strictEqual((await rewriting)?.outcome, "needless");
    if (change === "put") {
      ok(sameBytes((await read(given.store, bucket, key)).bytes, someBytes(300_000, 9)));
      await checkNothingLeft(given);
    } else {
      await rejects(given.store.readObject(bucket, key));
      await delay(GRACE + 100);
      await given.store.freeReplaced(bucket);
      const { orphans } = await given.store.sweep(bucket, { minAge: 0, dryRun: true });
      strictEqual(orphans, 0);
    }
  }
});

Deno.test("who reads the parts reads them to their end while they are replaced and purged", async () => {
  await using given = await onServer();
  const { store } = given;
  const { complete } = await upload(store, [someBytes(6_000_000, 1), someBytes(6_000_000, 2)]);
  await complete();
  const { body } = await store.getObject(bucket, key, () => "all");
  ok(body instanceof ReadableStream);
  const reader = body.getReader();
  let size = (await reader.read()).value?.length ?? 0;
  await delay(GRACE); // half of it, and the reader holds a lease
  strictEqual((await store.flattenNext(never))?.outcome, "rewritten");
  await delay(GRACE + 200);
  await store.freeReplaced(bucket);
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    size += step.value.length;
  }
  strictEqual(size, 12_000_000);
});

Deno.test("one gateway at a time rewrites an object", async () => {
  await using given = await onServer();
  await using proxy = new TcpProxy(given.server.port);
  await using slow = await openStore(proxy.url, OPTIONS);
  const { complete } = await upload(slow.store, PIECES);
  await complete();
  const { held, release } = holdCommit(proxy);
  const rewriting = slow.store.flattenNext(never);
  await held;
  await given.store.sweep(bucket, { minAge: 60_000, dryRun: false }); // finds the object in parts
  strictEqual((await given.store.flattenNext(never))?.outcome, "taken");
  release();
  strictEqual((await rewriting)?.outcome, "rewritten");
  await given.store.sweep(bucket, { minAge: 60_000, dryRun: false });
  strictEqual(await given.store.flattenNext(never), undefined);
});

Deno.test("a gateway that ends in the middle leaves the object as it was, and another one goes on", async () => {
  await using given = await onServer();
  const { store, native } = given;
  const { complete } = await upload(store, [someBytes(8_000_000, 1), someBytes(8_000_000, 2)]);
  await complete();
  const stop = new AbortController();
  const rewriting = store.flattenNext(stop.signal);
  await delay(60);
  stop.abort();
  await rejects(rewriting);
  strictEqual((await read(store, bucket, key)).bytes.length, 16_000_000);
  await store.sweep(bucket, { minAge: 0, dryRun: false });
  strictEqual((await store.flattenNext(never))?.outcome, "rewritten");
  strictEqual((await (await native.open("layout")).getBlob("video/1"))?.length, 16_000_000);
  await checkNothingLeft(given);
});

Deno.test("objects are rewritten at Complete, or never, where it is set so", async () => {
  {
    await using given = await onServer("on-complete");
    await (await upload(given.store, PIECES)).complete();
    const blob = await (await given.native.open("layout")).getBlob("video/1");
    ok(blob !== null && sameBytes(blob, WHOLE));
  }
  await using given = await onServer("off");
  await (await upload(given.store, PIECES)).complete();
  await given.store.sweep(bucket, { minAge: 0, dryRun: false });
  strictEqual(await given.store.flattenNext(never), undefined);
  ok(sameBytes((await read(given.store, bucket, key)).bytes, WHOLE));
});

function crc32(bytes: Uint8Array): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(zlibCrc32(bytes));
  return sum.toString("base64");
}
