/** What is recorded of parts: uploaded again, with tables too long for a subject, and with a digest that is not theirs. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type ChunkMap, formatChunkMap, parseChunkMap } from "../../src/nats/layout/chunk_map.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import type { Nuid } from "../../src/nats/layout/nuid.ts";
import { records } from "../../src/nats/layout/subjects.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import type { CompletedPart } from "../../src/store/uploads.ts";
import {
  input,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "parts" as BucketName;
const store = bucket as string as StoreName;
const key = "k" as ObjectKey;
const UPLOAD = {
  properties: input(new Uint8Array()).properties,
  owner: "alice",
  algorithm: undefined,
  checksumType: undefined,
};

const completed = (number: number, etag: string): CompletedPart => {
  return { number: number as PartNumber, etag, checksum: undefined };
};

const completion = (parts: readonly CompletedPart[]) => {
  return { parts, precondition: {}, checksum: undefined, size: undefined };
};

async function readLayoutRecord(
  { connection }: StoreOnServer,
  id: UploadId,
): Promise<{ readonly layout: ChunkMap | undefined; readonly text: string }> {
  const reply = await connection.request(
    `$JS.API.STREAM.MSG.GET.OBJ_${store}`,
    JSON.stringify({ last_by_subj: records.layout(store, id as string as Nuid) }),
  );
  const { message } = reply.json<{ readonly message: { readonly data: string } }>();
  const text = atob(message.data);
  return { layout: parseChunkMap(text), text };
}

Deno.test("of a part that is uploaded again, the last one counts", async () => {
  await using given = await storeOnServer({ on, store: { minPartSize: 1, grace: 0 } });
  await given.store.createBucket(bucket, "alice");
  const id = await given.store.createUpload(bucket, key, UPLOAD);
  const put = async (number: number, bytes: Uint8Array): Promise<string> => {
    const part = await given.store.putPart(bucket, key, id, number as PartNumber, input(bytes));
    return part.etag;
  };
  const etags: string[] = [];
  // Names of attempts are random: what is read first and what was written last differ in most of these.
  for (let number = 1; number <= 8; number++) {
    for (let again = 0; again < 4; again++) {
      etags[number - 1] = await put(number, someBytes(10 + number, again));
    }
  }
  const { items } = await given.store.listParts(bucket, key, id, { after: 0, limit: 100 });
  deepStrictEqual(items.map(({ etag }) => etag), etags);

  await given.store.completeUpload(
    bucket,
    key,
    id,
    completion(etags.map((etag, i) => completed(i + 1, etag))),
  );
  const { bytes } = await read(given.store, bucket, key);
  const whole = Array.from({ length: 8 }, (_, i) => [...someBytes(11 + i, 3)]).flat();
  deepStrictEqual([...bytes], whole);

  await given.store.freeReplaced(bucket);
  const report = await given.store.sweep(bucket, { minAge: 0, dryRun: true });
  strictEqual(report.orphans + report.records, 0);
  deepStrictEqual((await read(given.store, bucket, key)).bytes, bytes);
});

/** Bytes in pieces of some chunks, with room for other writers between them. */
async function* inTurns(bytes: Uint8Array, seed: number): AsyncGenerator<Uint8Array> {
  const sizes = someBytes(bytes.length / 4096, seed);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + 4096 * (1 + (sizes[i] ?? 0) % 4);
    yield bytes.slice(at, end);
    at = end;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

Deno.test("parts with long tables of chunks are found by them", async () => {
  // Chunks of 4 KiB from two uploads at once: tables that cannot count runs.
  await using given = await storeOnServer({ on, store: { chunkSize: 4096 } });
  await given.store.createBucket(bucket, "alice");
  const id = await given.store.createUpload(bucket, key, UPLOAD);
  const size = 6 * 1024 * 1024;
  const bytes = [1, 2, 3].map((seed) => someBytes(size, seed));
  const parts = await Promise.all(bytes.map(async (part, i) => {
    const number = i + 1 as PartNumber;
    const { content } = input(part);
    const { etag } = await given.store.putPart(bucket, key, id, number, {
      content: { ...content, stream: ReadableStream.from(inTurns(part, i + 1)) },
    });
    return completed(number, etag);
  }));
  await given.store.completeUpload(bucket, key, id, completion(parts));

  const { layout, text } = await readLayoutRecord(given, id);
  strictEqual(layout?.kind, "parts");
  for (const { sequences } of layout.parts) strictEqual(sequences?.length, size / 4096);
  const tables = JSON.parse(text) as { readonly seeks: string };
  ok(tables.seeks.length > 3 * 1200, `${tables.seeks.length} characters fit into subjects`);

  const { bytes: all } = await read(given.store, bucket, key);
  for (const [i, part] of bytes.entries()) {
    ok(sameBytes(all.subarray(i * size, (i + 1) * size), part), `part ${i + 1}`);
  }
});

Deno.test("a part that has not its digest breaks the read before its last bytes", async () => {
  await using given = await storeOnServer({ on, store: { minPartSize: 1 } });
  await given.store.createBucket(bucket, "alice");
  const id = await given.store.createUpload(bucket, key, UPLOAD);
  const size = 400_000;
  const bytes = someBytes(2 * size);
  const parts: CompletedPart[] = [];
  for (const i of [0, 1]) {
    const number = i + 1 as PartNumber;
    const half = bytes.subarray(i * size, (i + 1) * size);
    const { etag } = await given.store.putPart(bucket, key, id, number, input(half));
    parts.push(completed(number, etag));
  }
  await given.store.completeUpload(bucket, key, id, completion(parts));

  const { layout } = await readLayoutRecord(given, id);
  strictEqual(layout?.kind, "parts");
  const digest = "0".repeat(32);
  const damaged = layout.parts.map((part) => part.number === 2 ? { ...part, digest } : part);
  await given.connection.request(
    records.layout(store, id as string as Nuid),
    formatChunkMap({ ...layout, parts: damaged }),
  );

  const { body } = await given.store.getObject(bucket, key, () => "all");
  ok(body instanceof ReadableStream);
  let received = 0;
  await rejects(async () => {
    for await (const piece of body) received += piece.length;
  }, /digest/);
  ok(received >= size && received < 2 * size, `${received} bytes`);

  // A range has no digest of its own, and the other part has its own one.
  for (const [start, end] of [[0, size - 1], [size, 2 * size - 2]] as const) {
    const { bytes: part } = await read(given.store, bucket, key, { start, end });
    ok(sameBytes(part, bytes.subarray(start, end + 1)));
  }
});
