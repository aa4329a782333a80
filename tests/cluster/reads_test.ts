/** Reads from three servers: they never return a follower's outdated state, nor miss a chunk that a follower lacks. */

import { ok, strictEqual } from "node:assert/strict";
import { Objm } from "@nats-io/obj";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { input, read, sameBytes, someBytes } from "../nats/store_on_server.ts";
import { cluster } from "./store_on_cluster.ts";

const bucket = "reads" as BucketName;
const stream = "OBJ_reads";
const ROUNDS = 400;
const WRITERS = 8;
const list = { prefix: "", delimiter: "", after: "", limit: 1000 };

Deno.test("what one gateway was told is stored, another one shows at once", async () => {
  await using given = await cluster();
  const [a, b] = given.nats.servers;
  ok(a !== undefined && b !== undefined);
  await using writer = await given.open([a]);
  await using reader = await given.open([b]);
  await writer.store.createBucket(bucket, "alice");
  let wrong = 0;
  await Promise.all(Array.from({ length: WRITERS }, async (_, i) => {
    const key = `k${i}` as ObjectKey;
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = someBytes(10 + round, round);
      const { etag } = await writer.store.putObject(bucket, key, input(bytes));
      const head = await reader.store.readObject(bucket, key).catch(() => undefined);
      const got = await read(reader.store, bucket, key).catch(() => undefined);
      if (head?.etag !== etag || got?.info.etag !== etag || !sameBytes(got.bytes, bytes)) wrong++;
      if (round % 20 === i) {
        const { objects } = await reader.store.listObjects(bucket, list);
        if (objects.find((object) => object.key === key)?.etag !== etag) wrong++;
      }
      if (round % 10 === 9) {
        await writer.store.deleteObject(bucket, key, { precondition: {} });
        const gone = await reader.store.readObject(bucket, key).then(() => false, () => true);
        if (!gone) wrong++;
      }
    }
  }));
  strictEqual(wrong, 0, `${wrong} of ${WRITERS * ROUNDS} reads were stale`);
});

Deno.test("a listing misses no key of those that are written meanwhile", async () => {
  await using given = await cluster();
  const [a, b] = given.nats.servers;
  ok(a !== undefined && b !== undefined);
  await using writer = await given.open([a]);
  await using reader = await given.open([b]);
  await writer.store.createBucket(bucket, "alice");
  const written = new Map<string, string>();
  const stop = new AbortController();
  const lists = (async () => {
    while (!stop.signal.aborted) await reader.store.listObjects(bucket, list);
  })();
  await Promise.all(Array.from({ length: WRITERS }, async (_, i) => {
    for (let round = 0; round < 100; round++) {
      const key = `${i}/${round % 50}` as ObjectKey;
      const { etag } = await writer.store.putObject(bucket, key, input(someBytes(10 + i, round)));
      written.set(key, etag);
    }
  }));
  stop.abort();
  await lists;
  const { objects } = await reader.store.listObjects(bucket, list);
  const missed = [...written].filter(([key, etag]) =>
    objects.find((object) => object.key === key)?.etag !== etag
  );
  strictEqual(missed.length, 0, `${missed.length} of ${written.size} keys are missing or old`);
});

Deno.test("chunks that the server asked lacks come from the leader", async () => {
  await using given = await cluster();
  await using first = await given.open();
  await first.store.createBucket(bucket, "alice");
  const bytes = someBytes(2_000_000);
  await first.store.putObject(bucket, "ours" as ObjectKey, input(bytes));
  const native = await new Objm(given.connection).open("reads");
  await native.putBlob({ name: "theirs" }, bytes);
  // A mirror responds to direct gets as a follower does. This one holds no chunk, so it lags forever.
  const mirror = await given.connection.request(
    "$JS.API.STREAM.CREATE.lagging",
    JSON.stringify({
      name: "lagging",
      storage: "file",
      mirror_direct: true,
      mirror: { name: stream, filter_subject: "$O.reads.S3.>" },
    }),
    { timeout: 10_000 },
  );
  // A server prefers its own replica or mirror, so the gateway connects to the mirror's server.
  const { cluster: { leader } } = mirror.json<{ cluster: { leader: string } }>();
  const server = given.nats.servers[Number(leader.slice(1)) - 1];
  ok(server !== undefined);
  await using gateway = await given.open([server]);
  const { connection } = gateway;
  const { seq } = (await given.connection.request(
    `$JS.API.STREAM.MSG.GET.${stream}`,
    JSON.stringify({ seq: 1, next_by_subj: "$O.reads.C.>" }),
  )).json<{ message: { seq: number } }>().message;
  const lacking = async (): Promise<number> => {
    const replies = await Promise.all(
      Array.from(
        { length: 100 },
        () => connection.request(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify({ seq })),
      ),
    );
    return replies.filter(({ headers }) => headers?.code === 404).length;
  };
  const deadline = Date.now() + 20_000;
  while (await lacking() < 5) ok(Date.now() < deadline, "the mirror never responds");

  for (const key of ["ours", "theirs"] as ObjectKey[]) {
    for (let round = 0; round < 20; round++) {
      // A new store does not remember where the chunks are.
      await using another = await given.open([server]);
      const { store } = another;
      ok(sameBytes((await read(store, bucket, key)).bytes, bytes), key);
      const range = { start: 300_000, end: 1_200_000 };
      const part = await read(store, bucket, key, range);
      ok(sameBytes(part.bytes, bytes.subarray(range.start, range.end + 1)), key);
    }
  }
});

Deno.test("an object is read while a replica is paused", async () => {
  await using given = await cluster(4);
  await using first = await given.open();
  await first.store.createBucket(bucket, "alice");
  const bytes = someBytes(3_000_000);
  const key = "k" as ObjectKey;
  await first.store.putObject(bucket, key, input(bytes));
  const leader = await given.leaderOf(stream);
  const replicas = await given.replicasOf(stream);
  const followers = replicas.filter((server) => server !== leader);
  // A server without a replica asks all replicas, and takes minutes to notice that one is paused.
  const without = given.nats.servers.find((server) => !replicas.includes(server));
  ok(without !== undefined);
  await using gateway = await given.open([without], { timeout: 1000 });
  await gateway.store.readObject(bucket, key);
  // Pause each follower, because the server may prefer either.
  for (const follower of followers) {
    await follower.kill("SIGSTOP");
    try {
      for (let round = 0; round < 3; round++) {
        ok(sameBytes((await read(gateway.store, bucket, key)).bytes, bytes));
      }
    } finally {
      await follower.kill("SIGCONT");
    }
    await given.recovered(stream);
  }
});
