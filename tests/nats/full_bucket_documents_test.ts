/** Documents that are deleted in a bucket without room, where nothing announces it. */

import { strictEqual } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import type { BucketName } from "../../src/s3/names.ts";
import { openStore, storeOnServer } from "./store_on_server.ts";

const bucket = "full-documents" as BucketName;
/** Milliseconds after which gateways do not show what they have read any more. */
const LEASE = 1100;

/** Takes the room of the bucket away. */
async function fill(connection: NatsConnection): Promise<void> {
  const call = async (name: string, body: unknown = ""): Promise<Info> => {
    const subject = `$JS.API.STREAM.${name}.OBJ_${bucket}`;
    return (await connection.request(subject, JSON.stringify(body))).json<Info>();
  };
  const { config, state } = await call("INFO");
  await call("UPDATE", { ...config, max_bytes: state.bytes });
}

type Info = {
  readonly config: Record<string, unknown>;
  readonly state: { readonly bytes: number };
};

Deno.test("each document that is deleted in a full bucket is gone on all gateways", async () => {
  await using given = await storeOnServer();
  await using other = await openStore(given.server.url);
  const lease = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LEASE));
  await given.store.createBucket(bucket, "alice");
  await given.store.putDocument(bucket, "cors", "<Cors/>");
  await given.store.putDocument(bucket, "tagging", "<Tagging/>");
  await fill(given.connection);
  // The first one takes the revision with it. It is no change any more that the second one finds none.
  await given.store.deleteDocument(bucket, "cors");
  for (let i = 0; i < 2; i++) {
    await lease();
    strictEqual(await other.store.readDocument(bucket, "cors"), undefined);
    strictEqual(await other.store.readDocument(bucket, "tagging"), "<Tagging/>");
  }
  await fill(given.connection);
  await given.store.deleteDocument(bucket, "tagging");
  await lease();
  strictEqual(await other.store.readDocument(bucket, "tagging"), undefined);
});
