/** The layout's version of a bucket with a policy, and how long a change of a policy waits. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { NatsConnection } from "@nats-io/nats-core";
import type { BucketName } from "../../src/s3/names.ts";
import { skipTime } from "./skip_time.ts";
import { openStore, sharedServer, storeOnServer } from "./store_on_server.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "ruled" as BucketName;
const STREAM = "OBJ_ruled";
const LAYOUT = "$O.ruled.S3.bucket.layout";

/** Calls the JetStream API. */
async function call<T>(connection: NatsConnection, method: string, body?: unknown): Promise<T> {
  const reply = await connection.request(
    `$JS.API.${method}`,
    body === undefined ? "" : JSON.stringify(body),
  );
  return reply.json() as T;
}

/** Returns the text of the record of the layout's version, and its sequence. */
async function layoutOf(connection: NatsConnection): Promise<readonly [string, number]> {
  const { message } = await call<{ message: { data: string; seq: number } }>(
    connection,
    `STREAM.MSG.GET.${STREAM}`,
    { last_by_subj: LAYOUT },
  );
  return [Buffer.from(message.data, "base64").toString(), message.seq];
}

Deno.test("the first policy raises the layout's version, and waits until older gateways have noticed", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  using pauses = skipTime();
  const version = async (): Promise<string> => (await layoutOf(connection))[0];
  const put = async (isPublicRead: boolean): Promise<readonly number[]> => {
    await store.preparePolicy(bucket, isPublicRead);
    await store.putDocument(bucket, "policy", `{"public":${isPublicRead}}`, { everywhere: true });
    return pauses.waits.splice(0);
  };
  // Older gateways know this policy.
  deepStrictEqual(await put(true), [2000]);
  strictEqual(await version(), '{"version":1}');
  deepStrictEqual(await put(false), [6000, 2000]);
  strictEqual(await version(), '{"version":2}');
  const [, sequence] = await layoutOf(connection);
  // The next ones need not wait, whatever they say.
  deepStrictEqual(await put(false), [2000]);
  deepStrictEqual(await put(true), [2000]);
  await store.deleteDocument(bucket, "policy", { everywhere: true });
  deepStrictEqual(pauses.waits.splice(0), [2000]);
  deepStrictEqual(await put(false), [2000]);
  deepStrictEqual(await layoutOf(connection), ['{"version":2}', sequence]);

  // A gateway that crashed while it waited has not written its policy.
  await connection.request(LAYOUT, '{"version":2}');
  deepStrictEqual(await put(true), [6000, 2000]);
  await store.putDocument(bucket, "cors", "rules");
  deepStrictEqual(pauses.waits, []);
});

Deno.test("the first public access block raises the layout's version, and the next ones need not wait", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  using pauses = skipTime();
  const put = async (kind: "policy" | "publicAccessBlock"): Promise<readonly number[]> => {
    await store.preparePolicy(bucket, false);
    await store.putDocument(bucket, kind, "{}", { everywhere: true });
    return pauses.waits.splice(0);
  };
  deepStrictEqual(await put("publicAccessBlock"), [6000, 2000]);
  strictEqual((await layoutOf(connection))[0], '{"version":2}');
  deepStrictEqual(await put("publicAccessBlock"), [2000]);
  deepStrictEqual(await put("policy"), [2000]);
});

Deno.test("a bucket that is created with a public access block has the layout's version of one", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  const documents = new Map([["publicAccessBlock", "{}"]] as const);
  await store.createBucket(bucket, "alice", { documents });
  strictEqual((await layoutOf(connection))[0], '{"version":2}');
  strictEqual(await store.readDocument(bucket, "publicAccessBlock"), "{}");
  // An older gateway may have seen the bucket before its first records, so its first policy waits.
  using pauses = skipTime();
  await store.preparePolicy(bucket, false);
  deepStrictEqual(pauses.waits, [6000]);
});

Deno.test("a stream whose subjects a native client reset keeps the layout's version", async () => {
  await using given = await storeOnServer({ on });
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  using _pauses = skipTime();
  await store.preparePolicy(bucket, false);
  await store.putDocument(bucket, "policy", "{}");
  const { config } = await call<{ config: { subjects: readonly string[] } }>(
    connection,
    `STREAM.INFO.${STREAM}`,
  );
  await call(connection, `STREAM.UPDATE.${STREAM}`, {
    ...config,
    subjects: config.subjects.filter((subject) => !subject.includes(".S3.")),
  });
  await using other = await openStore(given.server.url);
  await other.store.putDocument(bucket, "cors", "rules");
  match((await layoutOf(connection))[0], /2/);
});
