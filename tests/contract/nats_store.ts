/**
 * A store on nats-servers that a test file shares, for the contract.
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { storeOf, streamOf } from "../../src/nats/layout/names.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import { createNatsStore, type NatsStoreOptions } from "../../src/nats/store.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { STORE_OPTIONS } from "../nats/store_on_server.ts";
import type { StoreUnderTest } from "./store_under_test.ts";

/** Called after each bucket was created. */
export type Created = (connection: NatsConnection, stream: string) => Promise<void>;

/** Opens a store. Disposing it deletes all streams, so that the next test begins without buckets. */
export async function openStoreUnderTest(
  url: string,
  options: Partial<NatsStoreOptions>,
  created: Created = () => Promise.resolve(),
): Promise<StoreUnderTest> {
  const connection = await connect({ servers: url.split(",") });
  const all = { ...STORE_OPTIONS, ...options };
  const store = createNatsStore(connection, all);
  return {
    store: {
      ...store,
      async createBucket(...args) {
        const [bucket] = args;
        await store.createBucket(...args);
        await created(connection, streamOfBucket(bucket));
      },
    },
    async retain(bucket, key, until) {
      const subject = infoSubject(storeOf(bucket) ?? storeMissing(bucket), key);
      const { message } = await call<{ message: { data: string } }>(
        connection,
        `STREAM.MSG.GET.${streamOfBucket(bucket)}`,
        { last_by_subj: subject },
        all.apiPrefix,
      );
      const info = JSON.parse(atob(message.data));
      info.metadata["x-amz-object-lock-mode"] = "COMPLIANCE";
      info.metadata["x-amz-object-lock-retain-until-date"] = until.toISOString();
      await connection.request(subject, JSON.stringify(info));
    },
    async [Symbol.asyncDispose]() {
      await deleteStreams(connection, all.apiPrefix);
      store[Symbol.dispose]();
      await connection.close();
    },
  };
}

async function deleteStreams(connection: NatsConnection, apiPrefix: string): Promise<void> {
  const names = await call<{ streams: string[] | null }>(
    connection,
    "STREAM.NAMES",
    undefined,
    apiPrefix,
  );
  for (const name of names.streams ?? []) {
    await call(connection, `STREAM.DELETE.${name}`, undefined, apiPrefix);
  }
}

/** Calls the JetStream API. Throws if it responds with an error. */
export async function call<T>(
  connection: NatsConnection,
  method: string,
  body?: unknown,
  apiPrefix = "$JS.API",
): Promise<T> {
  const payload = body === undefined ? "" : JSON.stringify(body);
  const reply = await connection.request(`${apiPrefix}.${method}`, payload, { timeout: 10_000 });
  const response = reply.json<T & { readonly error?: { readonly description: string } }>();
  if (response.error !== undefined) throw new Error(`${method}: ${response.error.description}`);
  return response;
}

function streamOfBucket(bucket: BucketName): string {
  return streamOf(storeOf(bucket) ?? storeMissing(bucket));
}

function storeMissing(bucket: BucketName): never {
  throw new TypeError(`No store has the name "${bucket}"`);
}
