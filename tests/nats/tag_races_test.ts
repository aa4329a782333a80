/** Tags that are changed beside other writers, or whose answer never comes: one outcome, and nothing is lost. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { ObjectKey, PartNumber } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { compareWithLive } from "./live_bytes.ts";
import { input, openStore, read, sameBytes, someBytes } from "./store_on_server.ts";
import {
  bucket,
  BYTES,
  hasBytes,
  key,
  SUBJECT,
  tagsOf,
  withProxy,
  withTags,
} from "./tagged_object.ts";
import type { Frame, TcpProxy } from "./tcp_proxy.ts";

const never = new AbortController().signal;

const isCommit = ({ direction, verb, subject }: Frame): boolean =>
  direction === "to server" && verb === "HPUB" && subject === SUBJECT;

/** Holds the next commits of object info back: `held` says that the first came. */
function holdCommit(
  proxy: TcpProxy,
): { readonly held: Promise<void>; readonly release: () => void } {
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  let isFirst = true;
  proxy.judge = (frame) => {
    if (!isFirst || !isCommit(frame)) return "pass";
    isFirst = false;
    held.resolve();
    return { hold: gate.promise };
  };
  return { held: held.promise, release: gate.resolve };
}

Deno.test("an object that is put while its tags change keeps the tags of its own put", () =>
  withProxy(async (given) => {
    const { store, slow, proxy } = given;
    const { held, release } = holdCommit(proxy);
    const tagging = slow.putObjectTags(bucket, key, { tagger: "1" });
    await held;
    const bytes = someBytes(200_000, 9);
    await store.putObject(bucket, key, input(bytes, withTags({ put: "1" })));
    release();
    await tagging;
    deepStrictEqual(await tagsOf(given), { put: "1" });
    await hasBytes(given, bytes);
  }));

Deno.test("of two changes of tags at once the later one counts, whole", () =>
  withProxy(async (given) => {
    const { store, slow, proxy } = given;
    const { held, release } = holdCommit(proxy);
    const tagging = slow.putObjectTags(bucket, key, { slow: "1" });
    await held;
    await store.putObjectTags(bucket, key, { quick: "1" });
    deepStrictEqual(await tagsOf(given), { quick: "1" });
    release();
    await tagging;
    deepStrictEqual(await tagsOf(given), { slow: "1" });
    await hasBytes(given, BYTES);
  }));

Deno.test("a PUT that tags overtook frees the bytes of the object that it replaces", () =>
  withProxy(async (given) => {
    const { store, slow, proxy } = given;
    const { held, release } = holdCommit(proxy);
    const bytes = someBytes(200_000, 9);
    const putting = slow.putObject(bucket, key, input(bytes, withTags({ put: "1" })));
    await held;
    await store.putObjectTags(bucket, key, { quick: "1" });
    release();
    await putting;
    deepStrictEqual(await tagsOf(given), { put: "1" });
    await hasBytes(given, bytes);
  }));

Deno.test("an object that is deleted or renamed while its tags change stays so", async () => {
  for (const change of ["delete", "rename"] as const) {
    await withProxy(async (given) => {
      const { store, slow, proxy, connection } = given;
      const { held, release } = holdCommit(proxy);
      const refused = rejects(slow.putObjectTags(bucket, key, {}), { code: "NoSuchKey" });
      await held;
      const other = "other" as ObjectKey;
      const precondition = { source: {}, destination: {} };
      if (change === "delete") await store.deleteObject(bucket, key, { precondition: {} });
      else await store.renameObject(bucket, key, other, { precondition });
      release();
      await refused;
      await rejects(store.readObject(bucket, key), { code: "NoSuchKey" });
      if (change === "rename") ok(sameBytes((await read(store, bucket, other)).bytes, BYTES));
      const { missing } = await compareWithLive(connection, bucket);
      deepStrictEqual(missing, []);
    });
  }
});

/** Replaces the object with one in parts. */
async function upload(store: Store): Promise<void> {
  const id = await store.createUpload(bucket, key, {
    ...withTags({ uploaded: "1" }),
    owner: "alice",
    algorithm: undefined,
    checksumType: undefined,
  });
  const parts = [];
  for (const [i, bytes] of [BYTES.subarray(0, 100_000), BYTES.subarray(100_000)].entries()) {
    const number = i + 1 as PartNumber;
    const { etag } = await store.putPart(bucket, key, id, number, {
      content: input(bytes).content,
      signal: never,
    });
    parts.push({ number, etag, checksum: undefined });
  }
  const precondition = {};
  await store.completeUpload(bucket, key, id, {
    parts,
    precondition,
    checksum: undefined,
    size: undefined,
  });
}

Deno.test("tags that change while an object in parts is rewritten for native clients are kept", () =>
  withProxy(async (given) => {
    const { store, slow, proxy, native } = given;
    await upload(slow);
    const before = await store.readObject(bucket, key);
    const { held, release } = holdCommit(proxy);
    const rewriting = slow.flattenNext(never);
    await held;
    await store.putObjectTags(bucket, key, { team: "a" });
    release();
    strictEqual((await rewriting)?.outcome, "rewritten");
    const tagged = { ...before, properties: { ...before.properties, tags: { team: "a" } } };
    deepStrictEqual(await store.readObject(bucket, key), tagged);
    const blob = await (await native.open(bucket)).getBlob(key);
    ok(blob !== null && sameBytes(blob, BYTES));
    await hasBytes(given, BYTES);
  }));

Deno.test("an object that is rewritten for native clients while its tags change gets them", () =>
  withProxy(async (given) => {
    const { slow, proxy, server } = given;
    await using other = await openStore(server.url, { grace: 0, nativeLayout: "background" });
    await upload(other.store);
    const { held, release } = holdCommit(proxy);
    const tagging = slow.putObjectTags(bucket, key, { team: "a" });
    await held;
    strictEqual((await other.store.flattenNext(never))?.outcome, "rewritten");
    release();
    await tagging;
    deepStrictEqual(await tagsOf(given), { team: "a" });
    await hasBytes(given, BYTES);
  }));

Deno.test("tags whose answer is lost are found to be stored", () =>
  withProxy(async (given) => {
    const { slow, proxy } = given;
    let reply: string | undefined;
    proxy.judge = (frame) => {
      if (reply === undefined && isCommit(frame)) reply = frame.reply;
      return frame.direction === "to client" && frame.subject === reply ? "drop" : "pass";
    };
    await slow.putObjectTags(bucket, key, { slow: "1" });
    deepStrictEqual(await tagsOf(given), { slow: "1" });
    await hasBytes(given, BYTES);
  }));

Deno.test("tags that were lost on their way, and overtaken by others, are no success", () =>
  withProxy(async (given) => {
    const { store, slow, proxy } = given;
    const dropped = Promise.withResolvers<void>();
    let isFirst = true;
    proxy.judge = (frame) => {
      if (!isFirst || !isCommit(frame)) return "pass";
      isFirst = false;
      dropped.resolve();
      return "drop";
    };
    const tagging = slow.putObjectTags(bucket, key, { slow: "1" });
    const refused = rejects(tagging, { code: "ServiceUnavailable" });
    await dropped.promise;
    await store.putObjectTags(bucket, key, { quick: "1" });
    await refused;
    deepStrictEqual(await tagsOf(given), { quick: "1" });
    await hasBytes(given, BYTES);
  }));
