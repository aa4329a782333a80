/** Buckets that are created with documents, such as tags: with all of them or not at all, on every gateway. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { startNatsServer } from "../../scripts/nats_server.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { input, openStore, someBytes } from "./store_on_server.ts";
import { type Frame, TcpProxy } from "./tcp_proxy.ts";

const bucket = "tagged" as BucketName;
const given = { documents: new Map([["tagging", "tags"], ["cors", "rules"]] as const) };
/** Milliseconds after which a gateway looks at a bucket's documents again. */
const LEASE = 1100;

const isCommit = ({ verb, text }: Frame): boolean =>
  verb === "HPUB" && text.includes("Nats-Batch-Commit: 1");

/** Returns what a store knows of the bucket. */
async function look(store: Store): Promise<readonly (string | undefined)[]> {
  const { owner } = await store.readBucket(bucket);
  return [
    owner,
    await store.readDocument(bucket, "tagging"),
    await store.readDocument(bucket, "cors"),
  ];
}

Deno.test("a CreateBucket that failed before its records is made whole when it is repeated", async () => {
  await using server = await startNatsServer();
  await using proxy = new TcpProxy(server.port);
  await using one = await openStore(proxy.url, { timeout: 500 });
  await using two = await openStore(server.url);
  proxy.judge = (frame) => isCommit(frame) ? "drop" : "pass";
  await rejects(one.store.createBucket(bucket, "alice", given), { code: "ServiceUnavailable" });
  // The other gateway has looked at the bucket when it had no records.
  deepStrictEqual(await look(two.store), ["native", undefined, undefined]);
  proxy.judge = () => "pass";
  await one.store.createBucket(bucket, "alice", given);
  deepStrictEqual(await look(one.store), ["alice", "tags", "rules"]);
  await delay(LEASE);
  deepStrictEqual(await look(two.store), ["alice", "tags", "rules"]);
});

Deno.test("a bucket belongs to its creator, who repeats CreateBucket, though others have written into it", async () => {
  await using server = await startNatsServer();
  await using proxy = new TcpProxy(server.port);
  await using one = await openStore(proxy.url, { timeout: 500 });
  await using two = await openStore(server.url);
  const isOwner = ({ verb, subject }: Frame): boolean =>
    verb === "HPUB" && subject.endsWith(".bucket.owner");
  proxy.judge = (frame) => isOwner(frame) ? "drop" : "pass";
  await rejects(one.store.createBucket(bucket, "alice"), { code: "ServiceUnavailable" });
  await two.store.putObject(bucket, "k" as ObjectKey, input(someBytes(10)));
  await rejects(two.store.createBucket(bucket, "bob"), { code: "BucketAlreadyExists" });
  await two.store.createBucket(bucket, "alice");
  strictEqual((await two.store.readBucket(bucket)).owner, "alice");
  const repeated = two.store.createBucket(bucket, "alice");
  await rejects(repeated, { code: "BucketAlreadyOwnedByYou" });
});

Deno.test("a bucket belongs to its creator though others write before the owner is recorded", async () => {
  await using server = await startNatsServer();
  await using proxy = new TcpProxy(server.port);
  await using one = await openStore(proxy.url);
  await using two = await openStore(server.url);
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  // The first question after the creation.
  proxy.judge = ({ verb, subject }) => {
    if (verb !== "HPUB" && verb !== "PUB" || !subject.includes("MSG.GET.OBJ_tagged")) return "pass";
    asked.resolve();
    return { hold: release.promise };
  };
  const created = one.store.createBucket(bucket, "alice");
  await asked.promise;
  await two.store.putObject(bucket, "k" as ObjectKey, input(someBytes(10)));
  release.resolve();
  await created;
  strictEqual((await two.store.readBucket(bucket)).owner, "alice");
});

Deno.test("a CreateBucket whose answer is lost has made the bucket whole", async () => {
  await using server = await startNatsServer();
  await using proxy = new TcpProxy(server.port);
  await using one = await openStore(proxy.url, { timeout: 500 });
  let reply: string | undefined;
  proxy.judge = (frame) => {
    if (reply === undefined && isCommit(frame)) reply = frame.reply;
    return frame.direction === "to client" && frame.subject === reply ? "drop" : "pass";
  };
  await rejects(one.store.createBucket(bucket, "alice", given), { code: "ServiceUnavailable" });
  const repeated = one.store.createBucket(bucket, "alice", given);
  await rejects(repeated, { code: "BucketAlreadyOwnedByYou" });
  deepStrictEqual(await look(one.store), ["alice", "tags", "rules"]);
});

Deno.test("a bucket that is deleted and made again has none of its old documents, on any gateway", async () => {
  await using server = await startNatsServer();
  await using one = await openStore(server.url);
  await using two = await openStore(server.url);
  await one.store.createBucket(bucket, "alice", given);
  deepStrictEqual(await look(two.store), ["alice", "tags", "rules"]);
  await one.store.deleteBucket(bucket);
  await one.store.createBucket(bucket, "bob");
  deepStrictEqual(await look(one.store), ["bob", undefined, undefined]);
  strictEqual((await two.store.readBucket(bucket)).owner, "bob");
  deepStrictEqual(await look(two.store), ["bob", undefined, undefined]);
});
