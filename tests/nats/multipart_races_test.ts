/**
 * Complete beside what ends or changes the same upload, through two gateways at random moments. The answers agree with
 * what is there afterwards, and no bytes are there beside it. To do again what broke: `NATS_S3_RACES_SEED` of the message.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setTimeout as delay } from "node:timers/promises";
import { isS3Error } from "../../src/s3/errors.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import type { ObjectInfo } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import type { PartInfo } from "../../src/store/uploads.ts";
import { compareWithLive } from "./live_bytes.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  storeOnServer,
} from "./store_on_server.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "races" as BucketName;
const SEED = Number(Deno.env.get("NATS_S3_RACES_SEED") ?? 1);
const ROUNDS = Number(Deno.env.get("NATS_S3_RACES_ROUNDS") ?? 20);
/** Milliseconds by which one side may come later: what Complete and UploadPart take, about. */
const SPAN = 12;
/** Of three chunks and of one, so that a part may be there by half. */
const SIZES = [300_000, 70_000];

/** One upload, and who races for it. */
type Round = {
  readonly key: ObjectKey;
  readonly id: UploadId;
  readonly bytes: readonly Uint8Array[];
  readonly parts: readonly PartInfo[];
  /** The gateways, in random order. */
  readonly stores: readonly [Store, Store];
  /** Waits for a moment. */
  readonly pause: () => Promise<void>;
  /** Empties the trash without a grace. */
  readonly emptyTrash: () => Promise<unknown>;
};

/** What came of a call: the value, or the code of the refusal. */
type Outcome<T> = { readonly value: T } | { readonly code: string };

/** The outcomes of calls that run at once; what is no S3 error is thrown. */
async function outcomes<A, B>(
  { pause }: Round,
  first: () => Promise<A>,
  second: () => Promise<B>,
): Promise<[Outcome<A>, Outcome<B>]> {
  const outcome = async <T>(call: () => Promise<T>): Promise<Outcome<T>> => {
    await pause();
    try {
      return { value: await call() };
    } catch (cause) {
      if (!isS3Error(cause)) throw cause;
      return { code: cause.code };
    }
  };
  return await Promise.all([outcome(first), outcome(second)]);
}

/** Plays rounds, each on a key of its own or over the object of one before; afterwards only live objects have bytes. */
async function race(play: (round: Round) => Promise<void>): Promise<void> {
  await using given = await storeOnServer({ on });
  await using other = await openStore(given.server.url);
  await using cleaner = await openStore(given.server.url, { grace: 0 });
  const stores = [given.store, other.store] as const;
  let state = SEED;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
  await given.store.createBucket(bucket, "alice");
  for (let i = 0; i < ROUNDS; i++) {
    const key = `k${i}` as ObjectKey;
    const turn = random(2);
    const [a, b] = turn === 0 ? stores : [stores[1], stores[0]];
    const delays = random(2) === 0 ? [0, random(SPAN)] : [random(SPAN), 0];
    const id = await beginUpload(a, key);
    const bytes = SIZES.map((size, part) => someBytes(size, i * 10 + part));
    const parts: PartInfo[] = [];
    for (const [part, piece] of bytes.entries()) parts.push(await putPart(a, key, id, part, piece));
    const pause = (): Promise<void> => delay(delays.pop() ?? 0);
    const emptyTrash = (): Promise<unknown> => cleaner.store.freeReplaced(bucket);
    try {
      await play({ key, id, bytes, parts, stores: [a, b], pause, emptyTrash });
    } catch (cause) {
      throw new Error(`Seed ${SEED}, round ${i}`, { cause });
    }
  }
  const { waiting } = await cleaner.store.freeReplaced(bucket);
  const { orphans, records } = await cleaner.store.sweep(bucket, { minAge: 0, dryRun: true });
  const left = { ...await compareWithLive(given.connection, bucket), waiting, orphans, records };
  const nothing = { unnamed: [], missing: [], waiting: 0, orphans: 0, records: 0 };
  deepStrictEqual(left, nothing, `Seed ${SEED}: ${JSON.stringify(left)}`);
}

function beginUpload(store: Store, key: ObjectKey): Promise<UploadId> {
  return store.createUpload(bucket, key, {
    properties: { system: {}, user: {}, tags: {} },
    owner: "alice",
    algorithm: undefined,
    checksumType: undefined,
  });
}

/** Stores the part after `index` others. */
function putPart(
  store: Store,
  key: ObjectKey,
  id: UploadId,
  index: number,
  bytes: Uint8Array,
): Promise<PartInfo> {
  return store.putPart(bucket, key, id, index + 1 as PartNumber, input(bytes));
}

function complete(
  store: Store,
  { key, id }: Round,
  parts: readonly PartInfo[],
): Promise<ObjectInfo> {
  return store.completeUpload(bucket, key, id, {
    parts: parts.map(({ number, etag }) => ({ number, etag, checksum: undefined })),
    precondition: {},
    checksum: undefined,
    size: undefined,
  });
}

/** Both gateways show the object that was answered, or none. */
async function checkShown(
  { key, stores }: Round,
  done: ObjectInfo | undefined,
  pieces: readonly Uint8Array[],
): Promise<void> {
  for (const store of stores) {
    if (done === undefined) {
      const code = await store.readObject(bucket, key).then(() => "none", codeOf);
      strictEqual(code, "NoSuchKey");
      continue;
    }
    const shown = await read(store, bucket, key);
    deepStrictEqual([shown.info.etag, shown.info.size], [done.etag, done.size]);
    ok(sameBytes(shown.bytes, Buffer.concat(pieces)), "it shows other bytes");
  }
}

/** The upload is over: it is not listed and takes nothing. */
async function checkEnded({ key, id, stores }: Round): Promise<void> {
  for (const store of stores) {
    const query = { prefix: key, delimiter: "", keyMarker: "", uploadIdMarker: "", limit: 10 };
    deepStrictEqual((await store.listUploads(bucket, query)).uploads, []);
    const late = await putPart(store, key, id, 0, someBytes(10)).then(() => "none", codeOf);
    strictEqual(late, "NoSuchUpload");
  }
}

function codeOf(cause: unknown): string {
  if (!isS3Error(cause)) throw cause;
  return cause.code;
}

Deno.test("Complete and Abort that race: one of them happens", async () => {
  await race(async (round) => {
    const { key, id, bytes, parts, stores: [a, b] } = round;
    const [completed, aborted] = await outcomes(
      round,
      () => complete(a, round, parts),
      () => b.abortUpload(bucket, key, id),
    );
    const done = "value" in completed ? completed.value : undefined;
    if (done === undefined) deepStrictEqual(completed, { code: "NoSuchUpload" });
    deepStrictEqual(aborted, done === undefined ? { value: undefined } : { code: "NoSuchUpload" });
    await checkShown(round, done, bytes);
    await checkEnded(round);
  });
});

Deno.test("Complete and an UploadPart of a part that it names: the old bytes, or InvalidPart", async () => {
  await race(async (round) => {
    const { key, id, bytes: [first, last], parts: [, second], parts, stores: [a, b] } = round;
    ok(first && last && second);
    const again = someBytes(250_000, 99);
    const [completed, uploaded] = await outcomes(
      round,
      () => complete(a, round, parts),
      () => putPart(b, key, id, 0, again),
    );
    if ("value" in completed) {
      if ("code" in uploaded) strictEqual(uploaded.code, "NoSuchUpload");
      await checkShown(round, completed.value, [first, last]);
    } else {
      // The part came first, so it stays.
      strictEqual(completed.code, "InvalidPart");
      ok("value" in uploaded);
      const done = await complete(b, round, [uploaded.value, second]);
      await checkShown(round, done, [again, last]);
    }
    await checkEnded(round);
  });
});

Deno.test("Complete and an UploadPart of another number: the parts that it names", async () => {
  await race(async (round) => {
    const { key, id, bytes, parts, stores: [a, b] } = round;
    const [completed, uploaded] = await outcomes(
      round,
      () => complete(a, round, parts),
      () => putPart(b, key, id, 2, someBytes(300_000, 99)),
    );
    ok("value" in completed);
    if ("code" in uploaded) strictEqual(uploaded.code, "NoSuchUpload");
    await checkShown(round, completed.value, bytes);
    await checkEnded(round);
  });
});

Deno.test("Abort and an UploadPart that race: nothing is there", async () => {
  await race(async (round) => {
    const { key, id, stores: [a, b] } = round;
    const [aborted, uploaded] = await outcomes(
      round,
      () => a.abortUpload(bucket, key, id),
      () => putPart(b, key, id, 2, someBytes(300_000, 99)),
    );
    deepStrictEqual(aborted, { value: undefined });
    if ("code" in uploaded) strictEqual(uploaded.code, "NoSuchUpload");
    await checkShown(round, undefined, []);
    await checkEnded(round);
  });
});

Deno.test("an UploadPart that ends after the upload was cleaned up leaves nothing", async () => {
  for (const end of ["complete", "abort"] as const) {
    await race(async (round) => {
      const { key, id, bytes, parts, stores: [a, b], pause } = round;
      const ended = Promise.withResolvers<void>();
      const late = someBytes(300_000, 99);
      async function* slowly(): AsyncGenerator<Uint8Array> {
        yield late.slice(0, 200_000);
        await ended.promise;
        yield late.slice(200_000);
      }
      const content = { ...input(late).content, stream: ReadableStream.from(slowly()) };
      const { signal } = input(late);
      const uploading = b.putPart(bucket, key, id, 1 as PartNumber, { content, signal })
        .then(() => "none", codeOf);
      await pause();
      const done = end === "complete"
        ? await complete(a, round, parts)
        : await a.abortUpload(bucket, key, id);
      await round.emptyTrash();
      ended.resolve();
      strictEqual(await uploading, "NoSuchUpload");
      await checkShown(round, done ?? undefined, bytes);
    });
  }
});

Deno.test("Complete twice at once, with one list: both answer the same object", async () => {
  await race(async (round) => {
    const { bytes, parts, stores: [a, b] } = round;
    const [first, second] = await outcomes(
      round,
      () => complete(a, round, parts),
      () => complete(b, round, parts),
    );
    ok("value" in first && "value" in second);
    strictEqual(first.value.etag, second.value.etag);
    strictEqual(first.value.modified.getTime(), second.value.modified.getTime());
    await checkShown(round, first.value, bytes);
    await checkEnded(round);
  });
});

Deno.test("Complete twice at once, with two lists: one of them, and no answer says another", async () => {
  await race(async (round) => {
    const { bytes, parts, stores: [a, b] } = round;
    const lists = [parts, parts.slice(1)];
    const [first, second] = await outcomes(
      round,
      () => complete(a, round, parts),
      () => complete(b, round, parts.slice(1)),
    );
    const answered = [first, second].flatMap((outcome) =>
      "value" in outcome ? [outcome.value] : []
    );
    const [done] = answered;
    ok(done !== undefined, "neither happened");
    for (const { etag, size } of answered) deepStrictEqual([etag, size], [done.etag, done.size]);
    const chosen = lists.findIndex((list) => done.etag.endsWith(`-${list.length}`));
    await checkShown(round, done, chosen === 0 ? bytes : bytes.slice(1));
    await checkEnded(round);
  });
});
