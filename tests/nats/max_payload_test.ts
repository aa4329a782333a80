/** Servers that accept only small messages: too small ones are refused with a clear error, 64 KiB are enough. */

import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { checkJetStream } from "../../src/nats/jetstream/availability.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey, PartNumber } from "../../src/s3/names.ts";
import type { CompletedPart } from "../../src/store/uploads.ts";
import { CREDENTIALS_ENV } from "../http/wire_request.ts";
import { PERMISSIONS, startCommand } from "../process/running_command.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  someBytes,
  STORE_OPTIONS,
  storeOnServer,
} from "./store_on_server.ts";

const bucket = "small" as BucketName;
const key = (text: string): ObjectKey => text as ObjectKey;

Deno.test("the gateway does not start with a max_payload below 64 KiB, and names the setting", async () => {
  await using server = await startNatsServer({ config: "max_payload: 65535" });
  await using gateway = startCommand(
    ["run", ...PERMISSIONS, "main.ts", "--natsServers", server.url],
    { env: CREDENTIALS_ENV },
  );
  await gateway.waitFor(/max_payload in its configuration to at least 65536/);
  strictEqual((await gateway.ended()).code, 1);
});

Deno.test("after a reconnection to a server with a small max_payload nothing is written", async () => {
  await using server = await startNatsServer();
  const connection = await connect({
    servers: server.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
  });
  const store = createNatsStore(connection, STORE_OPTIONS);
  try {
    await store.createBucket(bucket, "alice");
    await store.putObject(bucket, key("before"), input(someBytes(100_000)));
    const { content, properties } = input(someBytes(1));
    const id = await store.createUpload(bucket, key("after"), {
      properties,
      owner: "alice",
      algorithm: undefined,
      checksumType: undefined,
    });
    for (const size of [1024, 16_384, 16_385, 65_535]) {
      await server.kill();
      await server.start(`max_payload: ${size}`);
      while (connection.info?.max_payload !== size) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      for (const length of [1, 100_000, 3_000_000]) {
        await rejects(store.putObject(bucket, key("after"), input(someBytes(length))), {
          code: "ServiceUnavailable",
        });
      }
      // A body that is never read may hold an object that is copied: nobody else would let go of it.
      let cancelled = 0;
      const unread = () => ({
        ...content,
        stream: new ReadableStream({ cancel: () => void cancelled++ }),
      });
      for (
        const write of [
          store.putObject(bucket, key("after"), { ...input(someBytes(1)), content: unread() }),
          store.putPart(bucket, key("after"), id, 1 as PartNumber, { content: unread() }),
        ]
      ) await rejects(write, { code: "ServiceUnavailable" });
      strictEqual(cancelled, 2);
      match(await store.problem() ?? "", /max_payload/);
      strictEqual((await read(store, bucket, key("before"))).bytes.length, 100_000);
    }
    await server.kill();
    await server.start("");
    while (await store.problem() !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await store.putObject(bucket, key("after"), input(someBytes(100_000)));
  } finally {
    store[Symbol.dispose]();
    await connection.close();
  }
});

for (const maxPayload of [65_536, 65_537, 70_000]) {
  Deno.test(`everything works with a max_payload of ${maxPayload}`, async () => {
    await using given = await storeOnServer({
      server: { config: `max_payload: ${maxPayload}` },
      store: { minPartSize: 1 },
    });
    const { store, native } = given;
    await checkJetStream(given.connection, "$JS.API");
    await store.createBucket(bucket, "alice");
    for (const size of [0, 1, 49_151, 49_152, 49_153, 65_536, 2_000_000]) {
      const bytes = someBytes(size);
      await store.putObject(bucket, key(`put ${size}`), input(bytes));
      ok(sameBytes((await read(store, bucket, key(`put ${size}`))).bytes, bytes), `${size}`);
    }
    const objects = await native.open(bucket);
    const bytes = someBytes(500_000);
    await objects.put(
      { name: "native", options: { max_chunk_size: 60_000 } },
      ReadableStream.from([bytes]) as ReadableStream<Uint8Array>,
    );
    ok(sameBytes((await read(store, bucket, key("native"))).bytes, bytes));
    ok(sameBytes(await objects.getBlob("put 2000000") ?? new Uint8Array(), someBytes(2_000_000)));

    const { properties } = input(bytes);
    const id = await store.createUpload(bucket, key("parts"), {
      properties,
      owner: "alice",
      algorithm: undefined,
      checksumType: undefined,
    });
    const parts: CompletedPart[] = [];
    for (let number = 1; number <= 3; number++) {
      const { content } = input(bytes);
      const part = await store.putPart(bucket, key("parts"), id, number as PartNumber, { content });
      parts.push({ number: number as PartNumber, etag: part.etag, checksum: undefined });
    }
    const completion = { parts, precondition: {}, checksum: undefined, size: undefined };
    await store.completeUpload(bucket, key("parts"), id, completion);
    const whole = await read(store, bucket, key("parts"));
    strictEqual(whole.bytes.length, 3 * bytes.length);
    ok(sameBytes(whole.bytes.subarray(bytes.length, 2 * bytes.length), bytes));

    await using other = await openStore(given.server.url);
    for (const lister of [store, other.store]) {
      const query = { prefix: "", delimiter: "", after: "", limit: 100 };
      strictEqual((await lister.listObjects(bucket, query)).objects.length, 9);
    }
    await store.deleteObject(bucket, key("parts"), { precondition: {} });
    await rejects(store.readObject(bucket, key("parts")), { code: "NoSuchKey" });
  });
}
