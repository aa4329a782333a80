/** Large responses to many requests at once: nats-server never takes the gateway for a slow consumer. */

import { deepStrictEqual, doesNotMatch, strictEqual } from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { MappedPart } from "../../src/nats/layout/chunk_map.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import { partChunkSubject } from "../../src/nats/layout/chunk_subjects.ts";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import { describeParts } from "../../src/nats/objects/describe.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { S3Error } from "../../src/s3/errors.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import {
  input,
  read,
  sameBytes,
  someBytes,
  STORE_OPTIONS,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";

const bucket = "large" as BucketName;
const store = bucket as string as StoreName;
const key = "k" as ObjectKey;
const PART_SIZE = 100;
const PARTS = 10_000;

/** Runs work on a store of its own, and checks that its connection was not cut. */
async function onColdStore(
  { server }: StoreOnServer,
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const connection = await connect({ servers: server.url, maxReconnectAttempts: -1 });
  let disconnects = 0;
  (async () => {
    for await (const { type } of connection.status()) if (type === "disconnect") disconnects++;
  })();
  const cold = createNatsStore(connection, { ...STORE_OPTIONS, timeout: 60_000 });
  try {
    await work(cold);
    await connection.flush();
  } finally {
    cold[Symbol.dispose]();
    await connection.close();
  }
  strictEqual(disconnects, 0);
  doesNotMatch(await server.readLog(), /slow consumer/i);
}

/** Stores what an upload of 10,000 small parts leaves, without as many requests. */
async function putManyParts({ connection }: StoreOnServer, bytes: Uint8Array): Promise<void> {
  const nuid = newNuid(key);
  const attempt = "abcdef";
  const sequences: number[] = [];
  for (let i = 0; i < PARTS; i += 500) {
    const stored = await Promise.all(Array.from({ length: 500 }, (_, n) => {
      const at = (i + n) * PART_SIZE;
      const subject = partChunkSubject(store, nuid, i + n + 1, attempt);
      return connection.request(subject, bytes.subarray(at, at + PART_SIZE), { timeout: 60_000 });
    }));
    sequences.push(...stored.map((reply) => reply.json<{ readonly seq: number }>().seq));
  }
  const parts = Array.from({ length: PARTS }, (_, i): MappedPart => ({
    number: i + 1,
    attempt,
    size: PART_SIZE,
    chunkSize: 128 * 1024,
    digest: "0".repeat(32), // only whole parts are checked
    checksum: someBytes(32, i).toBase64(),
    sequences: [sequences[i] ?? 0],
  }));
  const { message, chunkMap } = describeParts(
    store,
    nuid,
    {
      key,
      size: bytes.length,
      etag: `0123456789abcdef0123456789abcdef-${PARTS}`,
      modified: new Date(),
      properties: { system: {}, user: {}, tags: {} },
      checksum: undefined,
      owner: "alice",
      partSizes: undefined,
      retention: undefined,
    },
    { algorithm: "SHA256", checksumType: "COMPOSITE", parts },
    900_000,
  );
  strictEqual(chunkMap.length > 700_000, true, `${chunkMap.length} characters`);
  await connection.request(records.layout(store, nuid), chunkMap);
  await connection.request(infoSubject(store, key), message);
}

Deno.test("300 ranges at once of an object in 10,000 parts that the gateway has not read yet", async () => {
  await using given = await storeOnServer();
  await given.store.createBucket(bucket, "alice");
  const bytes = someBytes(PARTS * PART_SIZE);
  await putManyParts(given, bytes);
  await onColdStore(given, async (cold) => {
    const wrong: number[] = [];
    await Promise.all(Array.from({ length: 300 }, async (_, i) => {
      const start = i * 3301 + 10; // never a whole part
      const part = await read(cold, bucket, key, { start, end: start + 79 });
      if (!sameBytes(part.bytes, bytes.subarray(start, start + 80))) wrong.push(start);
    }));
    deepStrictEqual(wrong, []);
  });
});

for (const [heads, direct] of [[400, true], [150, false]] as const) {
  const how = direct ? "by direct get" : "from the leader";
  Deno.test(`${heads} HEADs at once of an object with 1 MB of native metadata, ${how}`, async () => {
    await using given = await storeOnServer();
    const { connection } = given;
    await given.store.createBucket(bucket, "alice");
    await given.store.putObject(bucket, "other" as ObjectKey, input(someBytes(10)));
    const metadata = { text: "m".repeat(1_000_000) };
    const info = { name: key, bucket, nuid: newNuid(key), size: 0, chunks: 0, metadata };
    await connection.request(infoSubject(store, key), JSON.stringify(info));
    if (!direct) {
      const manager = await jetstreamManager(connection);
      const { config } = await manager.streams.info(`OBJ_${store}`);
      await manager.streams.update(`OBJ_${store}`, { ...config, allow_direct: false });
    }
    await onColdStore(given, async (cold) => {
      const outcomes = new Set<string>();
      await Promise.all(Array.from({ length: heads }, async () => {
        await cold.readObject(bucket, key).then(() => outcomes.add("found"), (cause: S3Error) => {
          outcomes.add(cause.code);
        });
      }));
      strictEqual(outcomes.has("ServiceUnavailable"), false, [...outcomes].join());
      strictEqual((await cold.readObject(bucket, "other" as ObjectKey)).size, 10);
    });
  });
}
