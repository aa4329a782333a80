/** Leaders that are killed, paused and deposed, and the loss of a quorum. */

import { ok, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { S3Error } from "../../src/s3/errors.ts";
import { compareWithLive } from "../nats/live_bytes.ts";
import { input, read, sameBytes, someBytes } from "../nats/store_on_server.ts";
import { type Cluster, cluster, type StoreOnCluster } from "./store_on_cluster.ts";

const bucket = "servers" as BucketName;
const stream = "OBJ_servers";

async function given(): Promise<Cluster & { readonly first: StoreOnCluster }> {
  const started = await cluster();
  const first = await started.open();
  await first.store.createBucket(bucket, "alice");
  return {
    ...started,
    first,
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]();
      await started[Symbol.asyncDispose]();
    },
  };
}

/** Overwrites a few keys until stopped; returns the possible final values of each key. */
async function load(
  { store }: StoreOnCluster,
  signal: AbortSignal,
): Promise<ReadonlyMap<ObjectKey, readonly Uint8Array[]>> {
  const possible = new Map<ObjectKey, Uint8Array[]>();
  await Promise.all(Array.from({ length: 4 }, async (_, i) => {
    const key = `k${i}` as ObjectKey;
    for (let round = 0; !signal.aborted; round++) {
      const bytes = someBytes(round % 2 === 0 ? 100 + round : 700_000 + round, round * 4 + i);
      try {
        await store.putObject(bucket, key, input(bytes));
        possible.set(key, [bytes]);
      } catch (cause) {
        ok(cause instanceof S3Error, String(cause));
        possible.get(key)?.push(bytes); // the server may have stored it
      }
      await delay(10);
    }
  }));
  return possible;
}

for (const [what, disturb] of Object.entries(disturbances())) {
  Deno.test(`nothing acknowledged is lost when a leader is ${what} under load`, async () => {
    await using servers = await given();
    const stop = new AbortController();
    const loading = load(servers.first, stop.signal);
    await delay(500);
    for (let round = 0; round < 2; round++) {
      const leader = await servers.leaderOf(stream);
      await disturb(leader);
      await servers.recovered(stream);
      await delay(500);
    }
    stop.abort();
    const possible = await loading;
    await servers.recovered(stream);
    for (const server of servers.nats.servers) {
      await using reader = await servers.open([server]);
      for (const [key, values] of possible) {
        const { bytes } = await read(reader.store, bucket, key);
        ok(values.some((value) => sameBytes(value, bytes)), key);
      }
    }
    await using sweeper = await servers.open(undefined, { grace: 0 });
    await sweeper.store.sweep(bucket, { minAge: 0, dryRun: false });
    const { unnamed, missing } = await compareWithLive(servers.connection, "servers");
    strictEqual([...unnamed, ...missing].join(), "");
  });
}

type Disturb = (leader: Cluster["nats"]["servers"][number]) => Promise<void>;

function disturbances(): Readonly<Record<string, Disturb>> {
  return {
    async "killed"(leader) {
      await leader.kill("SIGKILL");
      await delay(1500);
      await leader.start();
    },
    async "paused"(leader) {
      await leader.kill("SIGSTOP");
      await delay(6000);
      await leader.kill("SIGCONT");
    },
  };
}

Deno.test("a PUT that only a leader without followers has is not acknowledged", async () => {
  await using servers = await given();
  const key = "k" as ObjectKey;
  await servers.first.store.putObject(bucket, key, input(someBytes(10)));
  const leader = await servers.leaderOf(stream);
  const followers = servers.nats.servers.filter((server) => server !== leader);
  await using gateway = await servers.open([leader], { timeout: 700 });
  await gateway.store.readObject(bucket, key);
  for (const follower of followers) await follower.kill("SIGSTOP");
  // Without bytes, so that only the metadata is published.
  const outcome = await gateway.store.putObject(bucket, key, input(new Uint8Array()))
    .then(() => "acknowledged", (cause) => cause.code as string);
  // The only server that stored it is gone.
  await leader.kill("SIGKILL");
  for (const follower of followers) await follower.kill("SIGCONT");
  await delay(500);
  await leader.start();
  strictEqual(outcome, "ServiceUnavailable");
});

Deno.test("a deposed leader writes nothing over what came after it", async () => {
  await using servers = await given();
  const key = "k" as ObjectKey;
  const leader = await servers.leaderOf(stream);
  const others = servers.nats.servers.filter((server) => server !== leader);
  await using old = await servers.open([leader], { timeout: 1500 });
  await using now = await servers.open(others);
  await now.store.putObject(bucket, key, input(someBytes(1000, 1)));
  await old.store.readObject(bucket, key);
  await leader.kill("SIGSTOP");
  // Sent to the paused leader, which reads it once it resumes.
  const late = old.store.putObject(bucket, key, input(new Uint8Array()))
    .then(() => true, () => false);
  const latest = someBytes(300_000, 2);
  const deadline = Date.now() + 30_000;
  for (;;) {
    const done = await now.store.putObject(bucket, key, input(latest)).then(
      () => true,
      () => false,
    );
    if (done) break;
    ok(Date.now() < deadline, "no new leader");
  }
  const acknowledged = await Promise.race([late, delay(100).then(() => undefined)]);
  await leader.kill("SIGCONT");
  const lateEnded = await late;
  await servers.recovered(stream);
  // The late write overlaps with the other one, so it may come last if it was acknowledged.
  const { bytes } = await read(now.store, bucket, key);
  if (acknowledged === false || !lateEnded) ok(sameBytes(bytes, latest), `${bytes.length} bytes`);
  ok(sameBytes(bytes, latest) || bytes.length === 0);
});
