/** Requests of others that come in between two requests of an operation. */

import { rejects } from "node:assert/strict";
import { createNatsStore } from "../../src/nats/store.ts";
import { records } from "../../src/nats/layout/subjects.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import type { BucketName, ObjectKey, PartNumber } from "../../src/s3/names.ts";
import { input, someBytes, STORE_OPTIONS } from "../nats/store_on_server.ts";
import { documentOf, jsonMessage, type WireMessage } from "./jetstream/wire.ts";
import { startInRealTime } from "./real_time.ts";

const bucket = "overtaken" as BucketName;
const store = bucket as string as StoreName;
const key = "key" as ObjectKey;

/** A server that tells of each request, and leaves those to the listener which that takes. */
function startListening(takes: (message: WireMessage, answer: () => void) => boolean) {
  const given = startInRealTime(1);
  const { jetStream, network } = given;
  network.serve({
    receive: (message) =>
      takes(message, () => void jetStream.receive(message)) || jetStream.receive(message),
    subscribed: (subject) => jetStream.subscribed(subject),
  });
  return given;
}

Deno.test("ListParts of an upload that ends before its parts are read finds no upload", async () => {
  let abort: (() => Promise<void>) | undefined;
  using given = startListening((message, answer) => {
    const { subjects_filter = "" } = (documentOf(message) ?? {}) as { subjects_filter?: string };
    const before = abort;
    if (before === undefined || !subjects_filter.startsWith(`$O.${bucket}.S3.part.`)) return false;
    abort = undefined;
    before().then(answer);
    return true;
  });
  const connection = given.network.connect("gateway");
  using gateway = createNatsStore(connection.asLibrary, STORE_OPTIONS);
  await gateway.createBucket(bucket, "alice");
  const { content, properties } = input(someBytes(10));
  const upload = { properties, owner: "alice", algorithm: undefined, checksumType: undefined };
  const id = await gateway.createUpload(bucket, key, upload);
  await gateway.putPart(bucket, key, id, 1 as PartNumber, { content });
  abort = () => gateway.abortUpload(bucket, key, id);
  const listing = gateway.listParts(bucket, key, id, { after: 0, limit: 10 });
  await rejects(listing, { code: "NoSuchUpload" });
  await connection.close();
});

Deno.test("CreateBucket beside another whose owner is not stored yet is aborted", async () => {
  using given = startListening((message) => {
    if (message.subject !== records.bucket(store, "owner")) return false;
    const error = { code: 400, err_code: 10164, description: "wrong last sequence" };
    given.network.fromServer(
      jsonMessage(message.reply, { error, stream: `OBJ_${bucket}`, seq: 0 }),
    );
    return true;
  });
  const connection = given.network.connect("gateway");
  using gateway = createNatsStore(connection.asLibrary, STORE_OPTIONS);
  await rejects(gateway.createBucket(bucket, "alice"), { code: "OperationAborted" });
  await connection.close();
});
