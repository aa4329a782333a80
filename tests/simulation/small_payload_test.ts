/** A server whose `max_payload` becomes smaller while a gateway works: whoever sends more is told to try again. */

import { rejects } from "node:assert/strict";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { input, someBytes, STORE_OPTIONS } from "../nats/store_on_server.ts";
import { startInRealTime } from "./real_time.ts";

const bucket = "shrunken" as BucketName;
const [CHUNK, SMALL] = [64 * 1024, 8192];
const unavailable = { name: "S3Error", code: "ServiceUnavailable" };

Deno.test("what is larger than max_payload by the time it is sent is unavailable", async () => {
  using given = startInRealTime(1);
  const connection = given.network.connect("gateway");
  using store = createNatsStore(connection.asLibrary, { ...STORE_OPTIONS, chunkSize: CHUNK });
  await store.createBucket(bucket, "alice");
  const { content, ...rest } = input(someBytes(3 * CHUNK));
  const stream = ReadableStream.from((async function* () {
    for await (const piece of content.stream as ReadableStream<Uint8Array>) {
      connection.maxPayload = SMALL;
      yield piece;
    }
  })());
  const object = { ...rest, content: { ...content, stream } };
  await rejects(store.putObject(bucket, "key" as ObjectKey, object), unavailable);
  await rejects(store.putDocument(bucket, "cors", "x".repeat(2 * SMALL)), unavailable);
  await connection.close();
});
