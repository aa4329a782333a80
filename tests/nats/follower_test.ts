/** A bucket's follower: one consumer for all subscribers. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type Follower, Followers } from "../../src/nats/buckets/follower.ts";
import { Streams } from "../../src/nats/buckets/streams.ts";
import type { Subscriber } from "../../src/nats/buckets/subscriber.ts";
import { Requests } from "../../src/nats/jetstream/requests.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { pause } from "../../src/world/world.ts";
import { ByteBudget } from "../../src/streams/byte_budget.ts";
import {
  input,
  openStore,
  STORE_OPTIONS,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const bucket = "followed" as BucketName;

/** A subscriber that records the subjects of what it applies. */
function recorder(filter: string, from = 0): Subscriber & { readonly applied: string[] } {
  const applied: string[] = [];
  return {
    applied,
    filters: () => [filter],
    begin() {
      applied.length = 0;
      return Promise.resolve({ sequence: from });
    },
    apply: (_, { subject }) => applied.push(subject),
    complete: () => Promise.resolve(true),
  };
}

async function countConsumers({ connection }: StoreOnServer): Promise<number> {
  const reply = await connection.request(`$JS.API.CONSUMER.LIST.OBJ_${bucket}`, "{}");
  return reply.json<{ total: number }>().total;
}

Deno.test("subscribers of a bucket share one consumer, which ends with the last of them", async () => {
  await using given = await storeOnServer();
  const { connection, store } = given;
  await store.createBucket(bucket, "alice");
  using requests = new Requests(connection, {
    ...STORE_OPTIONS,
    timeout: 4000,
    observe: undefined,
  });
  const streams = new Streams(requests, STORE_OPTIONS);
  const followers = new Followers({ requests, streams, budget: new ByteBudget(2 ** 24) });
  /** Publishes messages, and returns the sequence of the last one. */
  const publish = async (...subjects: readonly string[]): Promise<number> => {
    let last = 0;
    for (const subject of subjects) {
      const reply = await connection.request(`$O.${bucket}.${subject}`, "{}");
      last = reply.json<{ seq: number }>().seq;
    }
    return last;
  };
  const subjectsOf = ({ applied }: { readonly applied: readonly string[] }): readonly string[] =>
    applied.map((subject) => subject.slice(`$O.${bucket}.`.length));

  const first = await publish("M.YQ==", "S3.lock.a");
  const infos = recorder(`$O.${bucket}.M.>`);
  const follower: Follower = followers.subscribe(bucket, infos);
  strictEqual(await countConsumers(given), 0, "nobody needs to be brought up to date yet");
  await follower.bringUpToDate();
  deepStrictEqual(subjectsOf(infos), ["M.YQ=="]);
  strictEqual(await countConsumers(given), 1);

  // It begins behind the first lock.
  const locks = recorder(`$O.${bucket}.S3.lock.>`, first);
  strictEqual(followers.subscribe(bucket, locks), follower);
  await publish("M.Yg==", "S3.lock.b", "S3.trash.x");
  await follower.bringUpToDate();
  deepStrictEqual(subjectsOf(infos), ["M.YQ==", "M.Yg=="]);
  deepStrictEqual(subjectsOf(locks), ["S3.lock.b"]);
  strictEqual(await countConsumers(given), 1);

  followers.unsubscribe(bucket, infos);
  await publish("M.Yw==", "S3.lock.c");
  await follower.bringUpToDate();
  deepStrictEqual(subjectsOf(infos), ["M.YQ==", "M.Yg=="]);
  deepStrictEqual(subjectsOf(locks), ["S3.lock.b", "S3.lock.c"]);
  followers.unsubscribe(bucket, locks);
  for (let i = 0; i < 200 && await countConsumers(given) > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  strictEqual(await countConsumers(given), 0);
});

Deno.test("messages that overtake the answer about their stream do not end what is followed", async () => {
  await using given = await storeOnServer();
  await using proxy = new TcpProxy(given.server.port);
  await given.store.createBucket(bucket, "alice");
  const put = (key: string): Promise<unknown> =>
    given.store.putObject(bucket, key as ObjectKey, input(new Uint8Array(10)));
  await put("first");
  await using other = await openStore(proxy.url);
  const list = async (): Promise<readonly string[]> => {
    const query = { prefix: "", delimiter: "", after: "", limit: 10 };
    return (await other.store.listObjects(bucket, query)).objects.map(({ key }) => key);
  };
  deepStrictEqual(await list(), ["first"]);

  let puts = 0, consumers = 0;
  const answers = new Map<string, Promise<void>>();
  const delivered = new Map<string, () => void>();
  proxy.judge = ({ direction, subject, reply }) => {
    if (subject.startsWith("$JS.API.CONSUMER.CREATE")) consumers++;
    if (direction === "to server" && subject === `$JS.API.STREAM.INFO.OBJ_${bucket}`) {
      answers.set(reply, new Promise((resolve) => delivered.set(reply, resolve)));
    }
    const delivery = answers.get(subject);
    if (direction === "to server" || delivery === undefined) return "pass";
    put(`later${++puts}`).then(() => pause(100)).then(delivered.get(subject));
    return { hold: delivery };
  };
  strictEqual((await list())[0], "first");
  ok(puts >= 2, `${puts} answers were overtaken`);
  strictEqual(consumers, 0);
});
