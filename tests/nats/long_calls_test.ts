/** Consumers that nats-server makes late, as it does in a large stream, because it counts the messages first. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import { ConsumerSession } from "../../src/nats/jetstream/consumer_session.ts";
import { Unanswered } from "../../src/nats/jetstream/errors.ts";
import { Requests } from "../../src/nats/jetstream/requests.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { input, sharedServer, someBytes, STORE_OPTIONS, storeOnServer } from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const on = await sharedServer();

/** The usual milliseconds for a response, and what a busy server takes to make a consumer. */
const TIMEOUT = 300;
const LATE = 3 * TIMEOUT;
/** Nanoseconds of a minute. */
const MINUTE = 60_000_000_000;

Deno.test("a bucket is listed although its consumer takes longer than other calls", async () => {
  await using given = await storeOnServer({ on });
  await using proxy = new TcpProxy(on.port);
  const connection = await connect({ servers: proxy.url });
  using store = createNatsStore(connection, { ...STORE_OPTIONS, timeout: TIMEOUT });
  const bucket = "large" as BucketName;
  await given.store.createBucket(bucket, "alice");
  await given.store.putObject(bucket, "k" as ObjectKey, input(someBytes(3)));
  const made: string[] = [];
  const end = new AbortController();
  proxy.judge = ({ direction, subject }) => {
    const isCreation = direction === "to server" && subject.startsWith("$JS.API.CONSUMER.CREATE.");
    if (!isCreation) return "pass";
    made.push(subject);
    return { hold: delay(LATE, undefined, { signal: end.signal }).catch(() => {}) };
  };
  const query = { prefix: "", delimiter: "", after: "", limit: 10 };
  const { objects } = await store.listObjects(bucket, query);
  deepStrictEqual(objects.map(({ key }) => key as string), ["k"]);
  strictEqual(
    new Set(made).size,
    1,
    "no further consumer is made while the first one takes its time",
  );
  end.abort();
  await connection.close();
});

Deno.test("a consumer that is made twice is made once", async () => {
  await using given = await storeOnServer({ on });
  await given.store.createBucket("twice" as BucketName, "alice");
  using requests = new Requests(given.connection, {
    ...STORE_OPTIONS,
    timeout: 4000,
    observe: undefined,
  });
  const range = { stream: "OBJ_twice", filters: ["$O.twice.M.>"], from: 1 };
  using session = new ConsumerSession(requests, range, () => {});
  const pushed = { deliver_subject: session.inbox, flow_control: true, idle_heartbeat: 1e9 };
  for (const more of [{}, pushed]) {
    using session = new ConsumerSession(requests, range, () => {});
    await session.create(more, true);
    await session.create(more, true);
  }
  const reply = await given.connection.request("$JS.API.CONSUMER.LIST.OBJ_twice");
  ok(reply.json<{ readonly total: number }>().total <= 2);
});

Deno.test("the server removes a consumer that it makes after the gateway has given it up", async () => {
  await using given = await storeOnServer({ on });
  await using proxy = new TcpProxy(on.port);
  const connection = await connect({ servers: proxy.url });
  using requests = new Requests(connection, {
    ...STORE_OPTIONS,
    timeout: TIMEOUT,
    observe: undefined,
  });
  await given.store.createBucket("late" as BucketName, "alice");
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  proxy.judge = ({ direction, subject }) => {
    const isCreation = direction === "to server" && subject.startsWith("$JS.API.CONSUMER.CREATE.");
    return isCreation ? { hold: released } : "pass";
  };
  const range = { stream: "OBJ_late", filters: ["$O.late.M.>"], from: 1 };
  {
    using session = new ConsumerSession(requests, range, () => {});
    await rejects(session.create({}), Unanswered);
  }
  await connection.flush();
  release();
  type Consumer = { readonly config: { readonly inactive_threshold?: number } };
  const list = async (): Promise<readonly Consumer[]> => {
    const reply = await given.connection.request("$JS.API.CONSUMER.LIST.OBJ_late");
    return reply.json<{ consumers: readonly Consumer[] | null }>().consumers ?? [];
  };
  let consumers = await list();
  while (consumers.length === 0) {
    await delay(20);
    consumers = await list();
  }
  for (const { config } of consumers) {
    const { inactive_threshold: threshold = 0 } = config;
    ok(threshold > 0 && threshold <= MINUTE, "it goes within a minute, as no one listens to it");
  }
  await connection.close();
});
