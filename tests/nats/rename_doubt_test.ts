/** Renames whose answer never comes, beside other writers, and where they are refused: one outcome, and nothing is lost. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { isS3Error } from "../../src/s3/errors.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { RenameInput } from "../../src/store/objects.ts";
import type { Maintenance } from "../../src/store/maintenance.ts";
import type { Store } from "../../src/store/store.ts";
import { compareWithLive } from "./live_bytes.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  sharedServer,
  someBytes,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";
import { type Frame, TcpProxy } from "./tcp_proxy.ts";

// Tests that take turns on one server.
const on = await sharedServer();

const bucket = "moves" as BucketName;
const [a, b] = ["a", "b"] as unknown as [ObjectKey, ObjectKey];
const SOURCE = someBytes(300_000, 1);
const OLD = someBytes(300_000, 2);
const LATER = someBytes(300_000, 3);
const TIMEOUT = 500;

function rename(
  store: Store,
  source: ObjectKey,
  key: ObjectKey,
  idempotency?: RenameInput["idempotency"],
): Promise<unknown> {
  const precondition = { source: {}, destination: {} };
  return store.renameObject(bucket, source, key, { precondition, idempotency });
}

/** A store behind a proxy, one beside it that nothing disturbs, and one that frees without a grace. */
type Given = StoreOnServer & {
  readonly proxy: TcpProxy;
  readonly doubtful: Store;
  readonly cleaner: Maintenance;
};

async function withProxy(run: (given: Given) => Promise<void>): Promise<void> {
  await using given = await storeOnServer({ on });
  await using proxy = new TcpProxy(given.server.port);
  await using doubtful = await openStore(proxy.url, { timeout: TIMEOUT });
  await using cleaner = await openStore(given.server.url, { grace: 0 });
  await given.store.createBucket(bucket, "alice");
  await given.store.putObject(bucket, a, input(SOURCE));
  await given.store.putObject(bucket, b, input(OLD));
  await doubtful.store.readObject(bucket, a);
  await run({ ...given, proxy, doubtful: doubtful.store, cleaner: cleaner.store });
}

/** These objects are shown, each with its bytes, and after a sweep nothing else is there. */
async function shows(
  { store, cleaner, connection }: Pick<Given, "store" | "cleaner" | "connection">,
  expected: readonly (readonly [key: ObjectKey, bytes: Uint8Array])[],
): Promise<void> {
  for (let i = 0; (await cleaner.freeReplaced(bucket)).waiting > 0; i++) {
    ok(i < 60, "the trash is not emptied");
    await delay(100);
  }
  await cleaner.sweep(bucket, { minAge: 0, dryRun: false });
  deepStrictEqual(await compareWithLive(connection, bucket), { unnamed: [], missing: [] });
  const query = { prefix: "", delimiter: "", after: "", limit: 10 };
  const { objects } = await store.listObjects(bucket, query);
  deepStrictEqual(objects.map(({ key }) => key), expected.map(([key]) => key));
  for (const [key, bytes] of expected) {
    ok(sameBytes((await read(store, bucket, key)).bytes, bytes), `"${key}" has other bytes`);
  }
}

const isCommit = ({ verb, text }: Frame): boolean =>
  verb === "HPUB" && text.includes("Nats-Batch-Commit: 1");

Deno.test("a rename whose answer is lost is found to be made", () =>
  withProxy(async (given) => {
    const { proxy, doubtful } = given;
    let reply: string | undefined;
    proxy.judge = (frame) => {
      if (reply === undefined && isCommit(frame)) reply = frame.reply;
      return frame.direction === "to client" && frame.subject === reply ? "drop" : "pass";
    };
    await rename(doubtful, a, b);
    await shows(given, [[b, SOURCE]]);
  }));

Deno.test("a rename whose answer is lost is found to be made, also if the source is written meanwhile", () =>
  withProxy(async (given) => {
    const { proxy, doubtful, store } = given;
    let reply: string | undefined;
    let wrote: Promise<unknown> | undefined;
    proxy.judge = (frame) => {
      if (reply === undefined && isCommit(frame)) reply = frame.reply;
      if (frame.direction !== "to client" || frame.subject !== reply) return "pass";
      wrote ??= store.putObject(bucket, a, input(LATER));
      return "drop";
    };
    await rename(doubtful, a, b);
    await wrote;
    await shows(given, [[a, LATER], [b, SOURCE]]);
  }));

Deno.test("a rename that is lost on its way is sent again", () =>
  withProxy(async (given) => {
    const { proxy, doubtful } = given;
    let isFirst = true;
    proxy.judge = (frame) => {
      if (!isFirst || !isCommit(frame)) return "pass";
      isFirst = false;
      return "drop";
    };
    await rename(doubtful, a, b);
    await shows(given, [[b, SOURCE]]);
  }));

Deno.test("a rename that nobody answered changes nothing or all; its client may repeat it", () =>
  withProxy(async (given) => {
    const { proxy, doubtful, store } = given;
    const token = { token: "t", parameters: "a b" };
    const replies = new Set<string>();
    proxy.judge = (frame) => {
      if (isCommit(frame)) replies.add(frame.reply);
      return frame.direction === "to client" && replies.has(frame.subject) ? "drop" : "pass";
    };
    // Each answer is lost, but the record of the first batch tells.
    await rename(doubtful, a, b, token);
    proxy.judge = (frame) => isCommit(frame) ? "drop" : "pass";
    await store.putObject(bucket, a, input(LATER));
    await rename(doubtful, a, b, token);
    await rejects(rename(doubtful, a, b), { code: "ServiceUnavailable" });
    proxy.judge = () => "pass";
    await shows(given, [[a, LATER], [b, SOURCE]]);
  }));

Deno.test("a DELETE that a rename overtook does not take the bytes", () =>
  withProxy(async (given) => {
    const { proxy, doubtful, store } = given;
    const dropped = Promise.withResolvers<void>();
    let isFirst = true;
    proxy.judge = ({ verb, subject }) => {
      if (!isFirst || !verb.endsWith("PUB") || !subject.startsWith("$O.moves.M.")) return "pass";
      isFirst = false;
      dropped.resolve();
      return "drop";
    };
    const refused = rejects(doubtful.deleteObject(bucket, a, { precondition: {} }), {
      code: "ServiceUnavailable",
    });
    await dropped.promise;
    await rename(store, a, b);
    await refused;
    await shows(given, [[b, SOURCE]]);
  }));

Deno.test("renames, PUTs and DELETEs of both keys at once have one outcome each", () =>
  withProxy(async (given) => {
    const { store, server } = given;
    await using other = await openStore(server.url);
    const bodies = [SOURCE, LATER, OLD, someBytes(10, 4), someBytes(0)];
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return (state >>> 8) % below;
    };
    for (let round = 0; round < 60; round++) {
      const key = random(2) === 0 ? a : b;
      const body = bodies[random(bodies.length)] ?? SOURCE;
      const calls = [
        () => rename(store, a, b),
        () => rename(other.store, b, a),
        () => other.store.putObject(bucket, key, input(body)),
        () => store.deleteObject(bucket, key, { precondition: {} }),
      ];
      const results = await Promise.allSettled(
        calls.filter(() => random(3) > 0).map(async (call) => {
          await delay(random(6));
          await call();
        }),
      );
      for (const result of results) {
        if (result.status === "fulfilled" || isS3Error(result.reason, "NoSuchKey")) continue;
        throw result.reason;
      }
      for (const shown of [a, b]) {
        const bytes = await read(other.store, bucket, shown).then(
          ({ bytes }) => bytes,
          (cause) => {
            if (!isS3Error(cause, "NoSuchKey")) throw cause;
          },
        );
        ok(
          bytes === undefined || bodies.some((known) => sameBytes(bytes, known)),
          `round ${round}`,
        );
      }
    }
    for (const key of [a, b]) await store.putObject(bucket, key, input(SOURCE));
    await shows(given, [[a, SOURCE], [b, SOURCE]]);
  }));

Deno.test("a rename is refused for a locked object on either end, and changes nothing", () =>
  withProxy(async (given) => {
    const { store, native } = given;
    const metadata = { "x-amz-object-lock-legal-hold": "ON" };
    const locked = "locked" as ObjectKey;
    await (await native.open(bucket)).putBlob({ name: locked, metadata }, OLD);
    strictEqual((await store.readObject(bucket, locked)).legalHold, true);
    await rejects(rename(store, locked, b), { code: "AccessDenied" });
    await rejects(rename(store, a, locked), { code: "AccessDenied" });
    await shows(given, [[a, SOURCE], [b, OLD], [locked, OLD]]);
  }));

for (
  const [what, change, code] of [
    ["that has no room at all", "full", "QuotaExceeded"],
    ["without atomic batches", "no batches", "NotImplemented"],
  ] as const
) {
  Deno.test(`a rename in a bucket ${what} is refused and changes nothing`, () =>
    withProxy(async (given) => {
      const { store, connection } = given;
      const call = async <T>(method: string, body?: unknown): Promise<T> =>
        (await connection.request(`$JS.API.STREAM.${method}.OBJ_moves`, JSON.stringify(body ?? {})))
          .json<T>();
      const { config, state } = await call<{ config: object; state: { bytes: number } }>("INFO");
      const limits = change === "full" ? { max_bytes: state.bytes } : { allow_atomic: false };
      strictEqual("error" in await call<object>("UPDATE", { ...config, ...limits }), false);
      await rejects(rename(store, a, b), { code });
      await call("UPDATE", config);
      await shows(given, [[a, SOURCE], [b, OLD]]);
    }));
}
