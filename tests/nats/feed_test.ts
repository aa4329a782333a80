/** A feed whose consumer is behind, while messages that it has not delivered are replaced by later ones. */

import { headers } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { ok, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { Feed } from "../../src/nats/buckets/feed.ts";
import { Streams } from "../../src/nats/buckets/streams.ts";
import { Requests } from "../../src/nats/jetstream/requests.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { ByteBudget } from "../../src/streams/byte_budget.ts";
import { STORE_OPTIONS } from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const bucket = "lagging" as BucketName;
const KEY = `$O.${bucket}.M.a2V5`;
/** Messages of 32 KiB that fill the window of flow control. */
const FILLERS = 64;

Deno.test("a feed reaches no barrier before it knows what replaced the messages that it never got", async () => {
  await using server = await startNatsServer();
  await using proxy = new TcpProxy(server.port);
  const through = await connect({ servers: proxy.url });
  const direct = await connect({ servers: server.url });
  using store = createNatsStore(direct, STORE_OPTIONS);
  await store.createBucket(bucket, "alice");
  const filler = "x".repeat(32 * 1024);
  const replacing = headers();
  replacing.set("Nats-Rollup", "sub");
  const publish = async (subject: string, data: string): Promise<number> => {
    const reply = await direct.request(subject, data, { timeout: 5000, headers: replacing });
    return reply.json<{ seq: number }>().seq;
  };
  const fill = async (name: string): Promise<void> => {
    for (let i = 0; i < FILLERS; i++) await publish(`$O.${bucket}.M.${name}${i}`, filler);
  };
  using requests = new Requests(through, { ...STORE_OPTIONS, timeout: 4000, observe: undefined });
  const stream = await new Streams(requests, STORE_OPTIONS).read(bucket);
  const applied = new Map<string, string>();
  using feed = new Feed({ requests, budget: new ByteBudget(2 ** 24) }, stream, {
    filters: [`$O.${bucket}.M.>`],
    asked: [`$O.${bucket}.M.>`],
    position: 0,
    apply: ({ subject, data }) => applied.set(subject, new TextDecoder().decode(data)),
  });
  await publish(KEY, "first");
  strictEqual(await feed.reach(stream, 4000), "all");
  strictEqual(applied.get(KEY), "first");

  // The server stops delivering because nobody responds to its flow control.
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: barrierIsSet, resolve: noteBarrier } = Promise.withResolvers<void>();
  proxy.judge = ({ direction, subject }) => {
    if (direction !== "to server") return "pass";
    if (subject === `$O.${bucket}.S3.sync`) noteBarrier();
    return subject.startsWith("$JS.FC.") ? { hold: released } : "pass";
  };
  await fill("before");
  const second = await publish(KEY, "second");
  const reached = feed.reach(stream, 20_000).then((reached) => [reached, applied.get(KEY)]);
  await barrierIsSet;
  const last = await requests.leaderGet(stream.stream, { last_by_subj: `$O.${bucket}.S3.sync` });
  ok((last?.sequence ?? 0) > second, "the barrier stands behind the second message");
  await fill("after");
  await publish(KEY, "third");
  ok(feed.position < second, "the consumer has not come to the second message");
  release();
  strictEqual((await reached).join(" "), "all third");
  await Promise.all([through.close(), direct.close()]);
});
