/** Ranges of objects that native clients wrote: each costs about its own bytes, whoever reads first. */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  someBytes,
  STORE_OPTIONS,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";

const bucket = "native" as BucketName;
const key = "film" as ObjectKey;
const KIB = 1024;
const MIB = 1024 * KIB;

/** Puts an object as a native client does. */
async function putNative(
  { native }: StoreOnServer,
  bytes: Uint8Array,
  chunkSize: number,
): Promise<void> {
  const objects = await native.create(bucket);
  await objects.put(
    { name: key, options: { max_chunk_size: chunkSize } },
    ReadableStream.from([bytes]) as ReadableStream<Uint8Array>,
  );
}

/** Begins of ranges that are spread over an object, in no order. */
function begins(count: number, size: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => (i * 7919 * 4099 + size - 1) % size);
}

/** Reads ranges on a connection of their own and returns the bytes that arrived there. */
async function bytesFor(
  given: StoreOnServer,
  work: (store: ReturnType<typeof createNatsStore>) => Promise<void>,
): Promise<number> {
  const connection = await connect({ servers: given.server.url });
  const store = createNatsStore(connection, STORE_OPTIONS);
  try {
    await work(store);
    return connection.stats().inBytes;
  } finally {
    store[Symbol.dispose]();
    await connection.close();
  }
}

for (const atOnce of [false, true]) {
  Deno.test(`40 ranges of a native object ${atOnce ? "at once" : "in turn"} fetch about their bytes`, async () => {
    await using given = await storeOnServer();
    const bytes = someBytes(32 * MIB);
    await putNative(given, bytes, 32 * KIB);
    const length = 64 * KIB;
    const received = await bytesFor(given, async (store) => {
      const check = async (start: number): Promise<void> => {
        const end = Math.min(start + length, bytes.length) - 1;
        const part = await read(store, bucket, key, { start, end });
        ok(sameBytes(part.bytes, bytes.subarray(start, end + 1)), `${start}-${end}`);
      };
      const starts = begins(40, bytes.length);
      if (atOnce) await Promise.all(starts.map(check));
      else for (const start of starts) await check(start);
    });
    // Three chunks for each range, and the headers of all chunks.
    ok(received < 40 * 3 * 33 * KIB + MIB, `${received} bytes for ${40 * length}`);
  });
}

Deno.test("what a reader learnt stays when it leaves", async () => {
  await using given = await storeOnServer();
  const bytes = someBytes(8 * MIB);
  await putNative(given, bytes, 32 * KIB);
  const received = await bytesFor(given, async (store) => {
    for (let i = 0; i < 20; i++) {
      const { body } = await store.getObject(bucket, key, () => ({
        start: 7 * MIB,
        end: bytes.length - 1,
      }));
      ok(body instanceof ReadableStream);
      const reader = body.getReader();
      await reader.read();
      await reader.cancel();
    }
  });
  ok(received < 20 * 2.5 * MIB, `${received} bytes`); // what is read ahead, and no byte before the range
});

Deno.test("a native object is read whole from where another reader has come, and its digest is checked", async () => {
  await using given = await storeOnServer();
  const bytes = someBytes(5 * MIB + 17);
  await putNative(given, bytes, 128 * KIB);
  await read(given.store, bucket, key, { start: 3 * MIB, end: 3 * MIB + 5 });
  const [first, second] = await Promise.all([
    read(given.store, bucket, key),
    read(given.store, bucket, key),
  ]);
  ok(sameBytes(first.bytes, bytes) && sameBytes(second.bytes, bytes));
});

Deno.test("ranges of a native object that is shorter or longer than its info says break", async () => {
  await using given = await storeOnServer();
  const bytes = someBytes(4 * MIB);
  for (const size of [bytes.length - 100, bytes.length + 100]) {
    await putNative(given, bytes, 64 * KIB);
    const objects = await given.native.open(bucket);
    const info = await objects.info(key);
    ok(info);
    // The name alone tells the subject: base64url of the key.
    const subject = `$O.${bucket}.M.${btoa(key)}`;
    await given.connection.request(subject, JSON.stringify({ ...info, headers: {}, size }));
    await using other = await openStore(given.server.url);
    await rejects(read(other.store, bucket, key, { start: size - 10, end: size - 1 }));
  }
});

Deno.test("an object that lost its seek table is read by range and whole", async () => {
  await using given = await storeOnServer();
  const { store, native } = given;
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(6 * MIB);
  await store.putObject(bucket, key, input(bytes));
  const objects = await native.open(bucket);
  await objects.update(key, { name: key, metadata: { mine: "1" } });
  const range = { start: 5 * MIB, end: 5 * MIB + 999 };
  const part = await read(store, bucket, key, range);
  ok(sameBytes(part.bytes, bytes.subarray(range.start, range.end + 1)));
  strictEqual((await read(store, bucket, key)).bytes.length, bytes.length);
});

Deno.test("ranges of native objects are read by a user who may not create consumers", async () => {
  await using given = await storeOnServer({
    server: {
      config: `authorization {
        default_permissions: {}
        users: [
          { user: tom, password: secret },
          { user: gateway, password: secret, permissions: {
            publish: { allow: ">", deny: "$JS.API.CONSUMER.>" }
          } }
        ]
      }
      no_auth_user: tom`,
    },
  });
  const bytes = someBytes(5 * MIB);
  await putNative(given, bytes, 128 * KIB);
  const connection = await connect({ servers: given.server.url, user: "gateway", pass: "secret" });
  using store = createNatsStore(connection, STORE_OPTIONS);
  const range = { start: 4 * MIB + 1, end: 4 * MIB + 300_000 };
  const part = await read(store, bucket, key, range);
  ok(sameBytes(part.bytes, bytes.subarray(range.start, range.end + 1)));
  await connection.close();
});
