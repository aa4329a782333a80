/**
 * A store on a nats-server of its own, for tests of what only JetStream has.
 * @module
 */

import { Objm } from "@nats-io/obj";
import { connect } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/nats-core";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  type NatsServer,
  type NatsServerOptions,
  startNatsServer,
} from "../../scripts/nats_server.ts";
import { createNatsStore, type NatsStore, type NatsStoreOptions } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { ByteRange } from "../../src/s3/range.ts";
import type { ObjectInfo, ObjectInput } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";

/** A store, the server below it, and a native client beside it. */
export type StoreOnServer = AsyncDisposable & {
  readonly server: NatsServer;
  readonly connection: NatsConnection;
  readonly store: NatsStore;
  readonly native: Objm;
};

/** Options of a store in tests, on a server that a test started. */
export const STORE_OPTIONS: NatsStoreOptions = {
  apiPrefix: "$JS.API",
  inboxPrefix: "_INBOX",
  replicas: 1,
  storage: "file",
  compression: "none",
  defaultOwner: "native",
  log: { warn() {} },
  minPartSize: 64 * 1024,
};

/** Starts a server for all tests of a file; called outside of tests, so that none is blamed for its process. */
export async function sharedServer(): Promise<NatsServer> {
  const server = await startNatsServer();
  Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());
  return server;
}

/**
 * Starts a server and a store on it; disposing ends both.
 *
 * @param options.on A server that a test file shares: disposing deletes its streams instead, so that the next test begins
 * with none
 */
export async function storeOnServer(
  { on, ...options }: {
    readonly on?: NatsServer;
    readonly server?: NatsServerOptions;
    readonly store?: Partial<NatsStoreOptions>;
  } = {},
): Promise<StoreOnServer> {
  const server = on ?? await startNatsServer(options.server);
  const connection = await connect({ servers: server.url, maxReconnectAttempts: -1 });
  const store = createNatsStore(connection, { ...STORE_OPTIONS, ...options.store });
  return {
    server,
    connection,
    store,
    native: new Objm(connection),
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]();
      if (on !== undefined) await deleteStreams(connection);
      await connection.close();
      if (on === undefined) await server[Symbol.asyncDispose]();
    },
  };
}

async function deleteStreams(connection: NatsConnection): Promise<void> {
  const reply = await connection.request("$JS.API.STREAM.NAMES");
  const { streams } = reply.json<{ streams?: string[] | null }>();
  for (const name of streams ?? []) {
    // nats-server may bring a stream that is made again up with what the deleted one held: so it is emptied first.
    await connection.request(`$JS.API.STREAM.PURGE.${name}`);
    await connection.request(`$JS.API.STREAM.DELETE.${name}`);
  }
}

/** Another gateway's store on a server that runs; disposing leaves the server. */
export async function openStore(
  url: string,
  options: Partial<NatsStoreOptions> = {},
): Promise<Pick<StoreOnServer, "store" | "connection"> & AsyncDisposable> {
  const connection = await connect({
    servers: url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  const store = createNatsStore(connection, { ...STORE_OPTIONS, ...options });
  return {
    store,
    connection,
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]();
      await connection.close();
    },
  };
}

/** What PutObject is given for these bytes. */
export function input(bytes: Uint8Array, change: Partial<ObjectInput> = {}): ObjectInput {
  return {
    content: {
      stream: ReadableStream.from([bytes.slice()]), // the store may free what it is given
      size: bytes.length,
      algorithm: undefined,
      verify() {},
    },
    properties: { system: { contentType: "text/plain" }, user: {}, tags: {} },
    owner: "alice",
    precondition: {},
    signal: new AbortController().signal,
    ...change,
  };
}

/** An object, or a range of it, read whole. */
export async function read(
  store: Store,
  bucket: BucketName,
  key: ObjectKey,
  range: ByteRange | "all" = "all",
): Promise<{ readonly info: ObjectInfo; readonly bytes: Uint8Array }> {
  const { info, body } = await store.getObject(bucket, key, () => range);
  const bytes = await new Response(body).bytes();
  return { info, bytes };
}

/** Bytes that differ everywhere and are the same in every run. */
export function someBytes(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Whether two byte sequences are the same, without a diff of megabytes when they are not. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.length).equals(b);
}

/** The messages of a stream by subject, and how many there are of each. */
export async function subjectsOfStream(
  connection: NatsConnection,
  stream: string,
): Promise<Readonly<Record<string, number>>> {
  const reply = await connection.request(
    `$JS.API.STREAM.INFO.${stream}`,
    JSON.stringify({ subjects_filter: ">" }),
  );
  return reply.json<{ state: { subjects?: Record<string, number> } }>().state.subjects ?? {};
}
