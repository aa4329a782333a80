/** GetObject and HeadObject with `x-nats-s3-as-of`: an object as it was. */

import { match, strictEqual } from "node:assert/strict";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import {
  assertError,
  createTestGateway,
  NOW,
  type Send,
  signedRequest,
  type TestGateway,
} from "./test_gateway.ts";
import { idOf, mark, put, setVersioning } from "./version_steps.ts";

const KEY = "/bucket/key";
const HOUR = 3_600_000;

type Scene = TestGateway & { readonly wait: () => void };

/** Creates a gateway whose store's clock stands still between two waits of an hour; it begins a day before now. */
async function createScene(): Promise<Scene> {
  let now = NOW.getTime() - 24 * HOUR;
  const store = createMemoryStore({ minPartSize: 5, now: () => new Date(now) });
  const gateway = await createTestGateway({ store });
  return { ...gateway, wait: () => void (now += HOUR) };
}

/** Returns the headers of a look back to some hours after the beginning. */
function asOf(hours: number, headers: Readonly<Record<string, string>> = {}): Send {
  const time = new Date(NOW.getTime() + (hours - 24) * HOUR);
  return { headers: { ...headers, "x-nats-s3-as-of": time.toISOString() } };
}

Deno.test("GET and HEAD return an object as it was at a time", async () => {
  const scene = await createScene();
  const { ok, send, wait } = scene;
  await setVersioning(scene, "Enabled");
  wait(); // 1
  const first = await put(scene, "one", { "x-amz-meta-a": "1", "x-amz-tagging": "t=1" });
  wait(); // 2
  const second = await put(scene, "two two");
  wait(); // 3
  const marker = await mark(scene);
  wait(); // 4
  const third = await put(scene, "three");
  wait(); // 5

  for (
    const [hours, id, text] of [
      [1, first, "one"],
      [1.5, first, "one"],
      [2, second, "two two"],
      [4, third, "three"],
      [5, third, "three"],
    ] as const
  ) {
    const got = await ok("GET", KEY, asOf(hours));
    strictEqual(await got.text(), text);
    strictEqual(idOf(got), id);
    const head = await ok("HEAD", KEY, asOf(hours));
    strictEqual(idOf(head), id);
    strictEqual(head.headers.get("content-length"), String(text.length));
  }
  const got = await ok("GET", KEY, asOf(1, { range: "bytes=1-1" }));
  strictEqual(await got.text(), "n");
  strictEqual(got.headers.get("x-amz-meta-a"), "1");
  strictEqual(got.headers.get("x-amz-tagging-count"), "1");
  const etag = (await ok("HEAD", KEY, asOf(2))).headers.get("etag") ?? "";
  const stale = asOf(1, { "if-match": etag });
  await assertError(await send("GET", KEY, stale), 412, "PreconditionFailed");

  const early = await send("GET", KEY, asOf(0));
  strictEqual(early.headers.get("x-amz-delete-marker"), null);
  await assertError(early, 404, "NoSuchKey");
  const marked = await send("GET", KEY, asOf(3));
  strictEqual(marked.headers.get("x-amz-delete-marker"), "true");
  strictEqual(marked.headers.get("x-amz-version-id"), marker);
  await assertError(marked, 404, "NoSuchKey");
  strictEqual((await send("HEAD", KEY, asOf(3))).status, 404);
  await assertError(await send("GET", "/bucket/none", asOf(3)), 404, "NoSuchKey");
  await assertError(await send("GET", "/none/key", asOf(3)), 404, "NoSuchBucket");

  await ok("DELETE", `${KEY}?versionId=${second}`);
  const unknown = await send("GET", KEY, asOf(2));
  match(await unknown.clone().text(), /not known: a version from around that time was removed/);
  await assertError(unknown, 404, "NoSuchVersion");
});

Deno.test("GET refuses a time that is none, in the future, or beside a version", async () => {
  const scene = await createScene();
  const { send } = scene;
  await assertError(await send("GET", KEY, asOf(0)), 409, "InvalidBucketState");
  await setVersioning(scene, "Enabled");
  const id = await put(scene, "one");
  for (const text of ["", "yesterday", "2h", "2024-05-01", "2024-02-30T00:00:00Z", "1714557600"]) {
    const headers = { "x-nats-s3-as-of": text };
    await assertError(await send("GET", KEY, { headers }), 400, "InvalidArgument");
    strictEqual((await send("HEAD", KEY, { headers })).status, 400);
  }
  await assertError(await send("GET", KEY, asOf(1)), 400, "InvalidArgument");
  const both = `${KEY}?versionId=${id}`;
  await assertError(await send("GET", both, asOf(0)), 400, "InvalidArgument");
});

Deno.test("a read of now asks nothing about versions", async () => {
  const store = createMemoryStore({ now: () => NOW });
  const asked: string[] = [];
  const gateway = await createTestGateway({
    store: {
      ...store,
      versionAsOf: (...args) => (asked.push(args[1]), store.versionAsOf(...args)),
    },
  });
  const { ok } = gateway;
  await setVersioning(gateway, "Enabled");
  await put(gateway, "one");
  await ok("GET", KEY);
  await ok("HEAD", KEY);
  strictEqual(asked.length, 0);
  await ok("GET", KEY, asOf(24));
  strictEqual(asked.length, 1);
});

Deno.test("a look back must be signed", async () => {
  const scene = await createScene();
  await setVersioning(scene, "Enabled");
  await put(scene, "one");
  const { handler } = scene;
  const request = signedRequest("GET", KEY, {});
  request.headers.set("x-nats-s3-as-of", "2024-04-30T12:00:00Z");
  await assertError(await handler(request), 403, "AccessDenied");
});
