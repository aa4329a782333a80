/** Commits whose answer never comes: what is shown has its bytes, and what was acknowledged is shown. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import { createNatsStore } from "../../src/nats/store.ts";
import { S3Error } from "../../src/s3/errors.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import type { BucketName, ObjectKey, PartNumber, UploadId } from "../../src/s3/names.ts";
import type { Maintenance } from "../../src/store/maintenance.ts";
import type { Store } from "../../src/store/store.ts";
import type { CompletedPart } from "../../src/store/uploads.ts";
import { call } from "../contract/nats_store.ts";
import { compareWithLive } from "./live_bytes.ts";
import {
  input,
  read,
  sameBytes,
  someBytes,
  STORE_OPTIONS,
  type StoreOnServer,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";
import { type Frame, TcpProxy, type Verdict } from "./tcp_proxy.ts";

const bucket = "doubt" as BucketName;
const key = "k" as ObjectKey;
const stream = "OBJ_doubt";
const OLD = someBytes(600_000, 1);
const NEW = someBytes(700_000, 2);
const OTHER = someBytes(500_000, 3);
const TIMEOUT = 500;

/** A store behind a proxy, and one beside it that nothing disturbs. */
type Given = StoreOnServer & {
  readonly proxy: TcpProxy;
  readonly doubtful: Store;
  /** Sweeps without a grace. */
  readonly sweeper: Maintenance;
};

async function given(): Promise<Given> {
  const beside = await storeOnServer();
  const proxy = new TcpProxy(beside.server.port);
  const connection = await connect({
    servers: proxy.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  const doubtful = createNatsStore(connection, { ...STORE_OPTIONS, timeout: TIMEOUT });
  const sweeper = createNatsStore(beside.connection, { ...STORE_OPTIONS, grace: 0 });
  await beside.store.createBucket(bucket, "alice");
  await warmUp(doubtful);
  return {
    ...beside,
    proxy,
    doubtful,
    sweeper,
    async [Symbol.asyncDispose]() {
      doubtful[Symbol.dispose]();
      sweeper[Symbol.dispose]();
      await connection.close();
      await proxy[Symbol.asyncDispose]();
      await beside[Symbol.asyncDispose]();
    },
  };
}

let isWarm = false;

/** Writes once before the first test, because a process that has just started may not keep to the timeout. */
async function warmUp(store: Store): Promise<void> {
  while (!isWarm) {
    try {
      await store.putObject(bucket, key, input(NEW));
      await store.deleteObject(bucket, key, { precondition: {} });
      isWarm = true;
    } catch (cause) {
      if (!(cause instanceof S3Error && cause.code === "ServiceUnavailable")) throw cause;
    }
  }
}

type Matches = (frame: Frame) => boolean;

/** A message published below `$O.doubt.`. */
function published(kind: string): Matches {
  return ({ verb, subject }) => verb.endsWith("PUB") && subject.startsWith(`$O.doubt.${kind}.`);
}

/** A call of JetStream's API. */
function called(method: string): Matches {
  return ({ verb, subject }) => verb.endsWith("PUB") && subject === `$JS.API.${method}.${stream}`;
}

/** The last message of an atomic batch. */
const committed: Matches = ({ verb, text }) =>
  verb === "HPUB" && text.includes("Nats-Batch-Commit: 1");

/** Lets these through and swallows their answers. */
function swallowAnswers(matches: Matches, times = 1): (frame: Frame) => Verdict {
  const replies = new Set<string>();
  return (frame) => {
    if (matches(frame) && replies.size < times) replies.add(frame.reply);
    return frame.direction === "to client" && replies.has(frame.subject) ? "drop" : "pass";
  };
}

/** Does this with the first one. */
function once(matches: Matches, verdict: Verdict): (frame: Frame) => Verdict {
  let done = false;
  return (frame) => {
    if (done || !matches(frame)) return "pass";
    done = true;
    return verdict;
  };
}

/** What is shown has its bytes; after a sweep these are the only ones. */
async function checkWhole(
  { store, sweeper, connection }: Given,
  expected: Uint8Array | undefined,
): Promise<void> {
  const shown = async (): Promise<void> => {
    if (expected === undefined) await rejects(read(store, bucket, key), { code: "NoSuchKey" });
    else ok(sameBytes((await read(store, bucket, key)).bytes, expected), "other bytes are shown");
    const { objects } = await store.listObjects(bucket, {
      prefix: "",
      delimiter: "",
      after: "",
      limit: 10,
    });
    deepStrictEqual(objects.map(({ size }) => size), expected ? [expected.length] : []);
  };
  await shown();
  await sweeper.sweep(bucket, { minAge: 0, dryRun: false });
  deepStrictEqual(await compareWithLive(connection, "doubt"), { unnamed: [], missing: [] });
  await shown();
}

function test(name: string, run: (given: Given) => Promise<void>): void {
  Deno.test(`an unanswered commit: ${name}`, async () => {
    await using store = await given();
    await run(store);
  });
}

test("a PUT whose acknowledgement is lost is found to be stored", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  proxy.judge = swallowAnswers(published("M"));
  await doubtful.putObject(bucket, key, input(NEW));
  await checkWhole(given, NEW);
});

test("a PUT that wins under a condition is no conflict with itself", async (given) => {
  const { doubtful, proxy } = given;
  proxy.judge = swallowAnswers(published("M"));
  await doubtful.putObject(bucket, key, input(NEW, { precondition: { ifNoneMatch: "*" } }));
  await checkWhole(given, NEW);
});

test("a DELETE that a native update overtook leaves the bytes that the update names", async (given) => {
  const { doubtful, store, proxy, connection, sweeper } = given;
  const small = someBytes(1000, 4);
  await store.putObject(bucket, key, input(small));
  const subject = `$O.doubt.M.${btoa(key)}`;
  const info = await connection.request(`$JS.API.DIRECT.GET.${stream}.${subject}`);
  const dropped = Promise.withResolvers<void>();
  let isFirst = true;
  proxy.judge = (frame) => {
    if (!isFirst || !published("M")(frame)) return "pass";
    isFirst = false;
    dropped.resolve();
    return "drop";
  };
  const refused = rejects(doubtful.deleteObject(bucket, key, { precondition: {} }), {
    code: "ServiceUnavailable",
  });
  await dropped.promise;
  await connection.request(subject, info.data); // it names the same group
  await refused;
  ok(sameBytes((await read(store, bucket, key)).bytes, small));
  await sweeper.freeReplaced(bucket);
  await checkWhole(given, small);
});

test("a PUT whose connection ends after its metadata was sent", async (given) => {
  const { doubtful, proxy } = given;
  proxy.judge = once(published("M"), "pass and cut");
  await doubtful.putObject(bucket, key, input(NEW));
  await checkWhole(given, NEW);
});

test("a PUT whose connection ends before its metadata was sent", async (given) => {
  const { doubtful, proxy } = given;
  proxy.judge = once(published("M"), "cut");
  await doubtful.putObject(bucket, key, input(NEW));
  await checkWhole(given, NEW);
});

test("a PUT that nobody answered is whole when it lands later", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  const release = Promise.withResolvers<void>();
  proxy.judge = (frame) => published("M")(frame) ? { hold: release.promise } : "pass";
  await rejects(doubtful.putObject(bucket, key, input(NEW)), { code: "ServiceUnavailable" });
  ok(sameBytes((await read(store, bucket, key)).bytes, OLD));
  release.resolve();
  await delay(200);
  await checkWhole(given, NEW);
});

test("a PUT whose connections have ended is whole when it lands later", async (given) => {
  const { doubtful, proxy } = given;
  const release = Promise.withResolvers<void>();
  proxy.judge = (frame) => {
    if (!published("M")(frame)) return "pass";
    setTimeout(() => proxy.cut(), 20);
    return { hold: release.promise };
  };
  await rejects(doubtful.putObject(bucket, key, input(NEW)), { code: "ServiceUnavailable" });
  release.resolve();
  await delay(200);
  await checkWhole(given, NEW);
});

test("a PUT that lands late does not come back over a newer one", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  const release = Promise.withResolvers<void>();
  proxy.judge = (frame) => published("M")(frame) ? { hold: release.promise } : "pass";
  await rejects(doubtful.putObject(bucket, key, input(NEW)), { code: "ServiceUnavailable" });
  await store.putObject(bucket, key, input(OTHER));
  release.resolve();
  await delay(200);
  await checkWhole(given, OTHER);
});

test("a PUT that another one overtook is not acknowledged", async (given) => {
  const { doubtful, store, proxy } = given;
  const release = Promise.withResolvers<void>();
  // Held back; then another one wins who demands that there was none before.
  proxy.judge = once(published("M"), { hold: release.promise });
  const put = doubtful.putObject(bucket, key, input(NEW));
  put.catch(() => {});
  await delay(TIMEOUT / 2);
  await store.putObject(bucket, key, input(OTHER, { precondition: { ifNoneMatch: "*" } }));
  await rejects(put, { code: "ServiceUnavailable" });
  release.resolve();
  await delay(200);
  await checkWhole(given, OTHER);
});

test("a PUT that conflicts with itself keeps its bytes while the leader cannot be asked", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  const swallow = swallowAnswers(published("M"));
  let committing = false;
  proxy.judge = (frame) => {
    committing ||= published("M")(frame);
    // Answered with an error that is definite for other calls.
    if (committing && called("STREAM.MSG.GET")(frame)) {
      return { subject: "$JS.API.STREAM.MSG.GET.OBJ_nothing" };
    }
    return swallow(frame);
  };
  await rejects(doubtful.putObject(bucket, key, input(NEW)), { code: "ServiceUnavailable" });
  await checkWhole(given, NEW);
});

/** A read of object info: from any replica, or from the leader. */
const readsInfo: Matches = ({ verb, subject, text }) =>
  verb.endsWith("PUB") && (subject + text).includes("$O.doubt.M.") &&
  (subject.startsWith(`$JS.API.DIRECT.GET.${stream}`) ||
    subject === `$JS.API.STREAM.MSG.GET.${stream}`);

/** What was refused has left nothing, without a sweep. */
async function checkNothingLeft({ connection }: Given): Promise<void> {
  deepStrictEqual(await compareWithLive(connection, "doubt"), { unnamed: [], missing: [] });
}

test("a PUT reads again what it replaces if its read is not answered", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD.subarray(0, 1000)));
  proxy.judge = swallowAnswers(readsInfo);
  await doubtful.putObject(bucket, key, input(NEW));
  await checkNothingLeft(given);
  await checkWhole(given, NEW);
});

test("a PUT whose reads are never answered has sent no commit, and leaves no bytes", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  proxy.judge = swallowAnswers(readsInfo, Infinity);
  await rejects(doubtful.putObject(bucket, key, input(NEW)), { code: "ServiceUnavailable" });
  await checkNothingLeft(given);
  await checkWhole(given, OLD);
});

test("a PUT whose commit nobody took leaves no bytes, though the bucket is not shown", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  const swallow = swallowAnswers(called("STREAM.INFO"), Infinity);
  let committing = false;
  proxy.judge = (frame) => {
    if (published("M")(frame)) {
      committing = true;
      return { subject: "$O.nothing" };
    }
    return committing ? swallow(frame) : "pass";
  };
  await rejects(doubtful.putObject(bucket, key, input(NEW)), { code: "ServiceUnavailable" });
  await checkNothingLeft(given);
  await checkWhole(given, OLD);
});

test("the server is paused at any moment of a PUT", async (given) => {
  const { doubtful, store, proxy, server } = given;
  await store.putObject(bucket, key, input(OLD));
  for (const kind of ["C", "M", "S3"]) {
    let paused: Promise<void> | undefined;
    proxy.judge = (frame) => {
      // It reads what follows only when it goes on; the client has given up by then.
      if (paused === undefined && published(kind)(frame)) paused = server.kill("SIGSTOP");
      return "pass";
    };
    const bytes = someBytes(800_000, kind.charCodeAt(0));
    const put = doubtful.putObject(bucket, key, input(bytes)).then(() => true, (cause) => {
      ok(cause instanceof S3Error, String(cause));
      return false;
    });
    await delay(2.5 * TIMEOUT);
    await server.kill("SIGCONT");
    const acknowledged = await put;
    await delay(200);
    const before = await read(store, bucket, key);
    if (acknowledged || sameBytes(before.bytes, bytes)) await checkWhole(given, bytes);
    else await checkWhole(given, OLD);
    await store.putObject(bucket, key, input(OLD));
  }
});

test("a DELETE whose acknowledgement is lost has deleted", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  proxy.judge = swallowAnswers(published("M"));
  await doubtful.deleteObject(bucket, key, { precondition: {} });
  await checkWhole(given, undefined);
});

test("a DELETE that nobody answered purges nothing, and deletes when it lands later", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  const release = Promise.withResolvers<void>();
  proxy.judge = (frame) => published("M")(frame) ? { hold: release.promise } : "pass";
  await rejects(doubtful.deleteObject(bucket, key, { precondition: {} }), {
    code: "ServiceUnavailable",
  });
  await checkWhole(given, OLD);
  release.resolve();
  await delay(200);
  await checkWhole(given, undefined);
});

test("a DELETE that lands late does not take a newer object", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  const release = Promise.withResolvers<void>();
  proxy.judge = (frame) => published("M")(frame) ? { hold: release.promise } : "pass";
  await rejects(doubtful.deleteObject(bucket, key, { precondition: {} }), {
    code: "ServiceUnavailable",
  });
  await store.putObject(bucket, key, input(NEW));
  release.resolve();
  await delay(200);
  await checkWhole(given, NEW);
});

/** An upload of two parts, ready to be completed. */
async function begin(
  store: Store,
): Promise<{ readonly id: UploadId; readonly complete: (by: Store) => Promise<unknown> }> {
  const { properties } = input(NEW);
  const id = await store.createUpload(bucket, key, {
    properties,
    owner: "alice",
    algorithm: undefined,
    checksumType: undefined,
  });
  const parts: CompletedPart[] = [];
  for (
    const [number, bytes] of [[1, NEW.subarray(0, 400_000)], [2, NEW.subarray(400_000)]] as const
  ) {
    const { content, signal } = input(bytes);
    const part = await store.putPart(bucket, key, id, number as PartNumber, { content, signal });
    parts.push({ number: part.number, etag: part.etag, checksum: undefined });
  }
  const complete = (by: Store): Promise<unknown> =>
    by.completeUpload(bucket, key, id, {
      parts,
      precondition: {},
      checksum: undefined,
      size: undefined,
    });
  return { id, complete };
}

test("a part whose acknowledgement is lost is there", async (given) => {
  const { doubtful, store, proxy } = given;
  proxy.judge = swallowAnswers(published("S3.part"));
  const { complete } = await begin(doubtful);
  await complete(store);
  await checkWhole(given, NEW);
});

test("a part of which a chunk is not answered leaves no bytes", async (given) => {
  const { doubtful, store, proxy } = given;
  const { id, complete } = await begin(store);
  proxy.judge = swallowAnswers(published("C"));
  const { content, signal } = input(OTHER);
  const upload = doubtful.putPart(bucket, key, id, 3 as PartNumber, { content, signal });
  await rejects(upload, { code: "ServiceUnavailable" });
  const chunks = Object.keys(await subjectsOfStream(given.connection, stream))
    .filter((subject) => subject.startsWith("$O.doubt.C."));
  strictEqual(chunks.length, 2);
  await complete(store);
  await checkWhole(given, NEW);
});

test("a part keeps its bytes while the leader cannot be asked", async (given) => {
  const { doubtful, store, proxy } = given;
  const { id } = await begin(store);
  const swallow = swallowAnswers(published("S3.part"));
  let committing = false;
  proxy.judge = (frame) => {
    committing ||= published("S3.part")(frame);
    if (committing && called("STREAM.MSG.GET")(frame)) {
      return { subject: "$JS.API.STREAM.MSG.GET.OBJ_nothing" };
    }
    return swallow(frame);
  };
  const { content, signal } = input(OTHER);
  const upload = doubtful.putPart(bucket, key, id, 2 as PartNumber, { content, signal });
  await rejects(upload, { code: "ServiceUnavailable" });
  // It landed: the part is the one that is listed, and completes.
  const { items } = await store.listParts(bucket, key, id, { after: 0, limit: 10 });
  await store.completeUpload(bucket, key, id, {
    parts: items.map(({ number, etag }) => ({ number, etag, checksum: undefined })),
    precondition: {},
    checksum: undefined,
    size: undefined,
  });
  await checkWhole(given, new Uint8Array([...NEW.subarray(0, 400_000), ...OTHER]));
});

test("a Complete whose acknowledgement is lost has completed", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  const { complete } = await begin(store);
  proxy.judge = swallowAnswers(committed);
  await complete(doubtful);
  await checkWhole(given, NEW);
});

test("a Complete that nobody answered is whole when it lands later", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  const { complete } = await begin(store);
  const release = Promise.withResolvers<void>();
  proxy.judge = (frame) => committed(frame) ? { hold: release.promise } : "pass";
  await rejects(complete(doubtful), { code: "ServiceUnavailable" });
  ok(sameBytes((await read(store, bucket, key)).bytes, OLD));
  release.resolve();
  await delay(200);
  await checkWhole(given, NEW);
});

test("a Complete that lands after an Abort is refused", async (given) => {
  const { doubtful, store, proxy } = given;
  await store.putObject(bucket, key, input(OLD));
  const { id, complete } = await begin(store);
  const release = Promise.withResolvers<void>();
  proxy.judge = (frame) => committed(frame) ? { hold: release.promise } : "pass";
  await rejects(complete(doubtful), { code: "ServiceUnavailable" });
  await store.abortUpload(bucket, key, id);
  release.resolve();
  await delay(200);
  await checkWhole(given, OLD);
});

test("an Abort whose acknowledgement is lost has aborted", async (given) => {
  const { doubtful, store, proxy } = given;
  const { id, complete } = await begin(store);
  proxy.judge = swallowAnswers(published("S3.upload"));
  await doubtful.abortUpload(bucket, key, id);
  await rejects(complete(store), { code: "NoSuchUpload" });
  await checkWhole(given, undefined);
});

test("an Abort that nobody answered purges nothing", async (given) => {
  const { doubtful, store, proxy } = given;
  const { id, complete } = await begin(store);
  const release = Promise.withResolvers<void>();
  proxy.judge = (frame) => published("S3.upload")(frame) ? { hold: release.promise } : "pass";
  await rejects(doubtful.abortUpload(bucket, key, id), { code: "ServiceUnavailable" });
  await complete(store);
  release.resolve();
  await delay(200);
  await checkWhole(given, NEW);
});

test("a bucket whose deletion is not answered is gone", async (given) => {
  const { doubtful, store, proxy } = given;
  proxy.judge = swallowAnswers(called("STREAM.DELETE"));
  await doubtful.deleteBucket(bucket);
  await rejects(store.readBucket(bucket), { code: "NoSuchBucket" });
});

test("a bucket whose fence is not answered takes writes again", async (given) => {
  const { doubtful, store, proxy } = given;
  const release = Promise.withResolvers<void>();
  proxy.judge = (frame) => called("STREAM.UPDATE")(frame) ? { hold: release.promise } : "pass";
  await rejects(doubtful.deleteBucket(bucket), { code: "ServiceUnavailable" });
  await store.putObject(bucket, key, input(NEW));
  proxy.judge = () => "pass";
  release.resolve(); // the fence stands now, and nobody deletes the bucket
  await delay(200);
  await store.putObject(bucket, key, input(OTHER)).catch(() => {});
  const deadline = Date.now() + 10_000;
  for (;;) {
    const done = await store.putObject(bucket, key, input(OTHER)).then(() => true, () => false);
    if (done) break;
    ok(Date.now() < deadline, "the fence stands for ever");
    await delay(100);
  }
  strictEqual((await store.readObject(bucket, key)).size, OTHER.length);
  await checkWhole(given, OTHER);
});

test("a bucket that was filled while its deletion was not answered keeps its objects", async (given) => {
  const { doubtful, store, proxy } = given;
  const release = Promise.withResolvers<void>();
  proxy.judge = (frame) => called("STREAM.DELETE")(frame) ? { hold: release.promise } : "pass";
  await rejects(doubtful.deleteBucket(bucket), { code: "ServiceUnavailable" });
  // Whoever writes now is either refused, or his object outlives what was held back.
  const done = await store.putObject(bucket, key, input(NEW)).then(() => true, () => false);
  release.resolve();
  await delay(200);
  if (done) await checkWhole(given, NEW);
  proxy.judge = () => "pass";
  if (!done) {
    await store.deleteBucket(bucket).catch((cause) => strictEqual(cause.code, "NoSuchBucket"));
  }
});

test("a bucket whose deletion was not answered is deleted when somebody asks again", async (given) => {
  const { doubtful, store, proxy } = given;
  proxy.judge = (frame) => called("STREAM.DELETE")(frame) ? "drop" : "pass";
  await rejects(doubtful.deleteBucket(bucket), { code: "ServiceUnavailable" });
  await rejects(store.putObject(bucket, key, input(NEW)), { code: "OperationAborted" });
  await store.deleteBucket(bucket);
  await rejects(store.readBucket(bucket), { code: "NoSuchBucket" });
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, key, input(NEW));
  await checkWhole(given, NEW);
});

test("a decision to delete a bucket that lands after it was given up takes no object", async (given) => {
  const { doubtful, store, proxy } = given;
  // The lock is taken, then renewed, then kept; only the last has no end.
  proxy.judge = swallowAnswers((frame) =>
    published("S3.lock")(frame) && !frame.text.includes("Nats-TTL")
  );
  await rejects(doubtful.deleteBucket(bucket), { code: "ServiceUnavailable" });
  await store.putObject(bucket, key, input(NEW));
  await rejects(store.deleteBucket(bucket), { code: "BucketNotEmpty" });
  await store.deleteObject(bucket, key, { precondition: {} });
  // A gateway that gave up could not take its decision back.
  await given.connection.request(`$O.${bucket}.S3.lock.delete`, "kept");
  await rejects(store.deleteBucket(bucket), { code: "OperationAborted" });
  await store.deleteBucket(bucket);
});

for (const isDeleted of [false, true]) {
  const end = isDeleted ? "brings nothing back that a full bucket has deleted" : "is stored once";
  Deno.test(`a new object whose commit is repeated ${end}`, async () => {
    await using doubt = await given();
    const { proxy, doubtful, store, connection } = doubt;
    const fresh = "fresh" as ObjectKey;
    let reply: string | undefined;
    const release = Promise.withResolvers<void>();
    proxy.judge = ({ verb, subject, direction, reply: wanted }) => {
      if (direction === "to client") return subject === reply ? "drop" : "pass";
      if (!subject.startsWith("$O.doubt.M.")) return "pass";
      if (reply === undefined) {
        reply = wanted;
        return "pass";
      }
      return verb === "HPUB" ? { hold: release.promise } : "pass";
    };
    const put = doubtful.putObject(bucket, fresh, input(NEW)).then(
      () => "done",
      ({ code }) => code,
    );
    let info: { readonly message: { readonly seq: number } } | undefined;
    while (info === undefined) {
      await delay(10);
      info = await call<typeof info>(connection, `STREAM.MSG.GET.${stream}`, {
        last_by_subj: infoSubject(bucket as string as StoreName, fresh),
      }).catch(() => undefined);
    }
    if (isDeleted) {
      // As deleteInFullBucket() does.
      await call(connection, `STREAM.MSG.DELETE.${stream}`, { seq: info.message.seq });
      await call(connection, `STREAM.PURGE.${stream}`, { filter: "$O.doubt.C.>" });
    }
    release.resolve();
    strictEqual(await put, isDeleted ? "ServiceUnavailable" : "done");
    if (isDeleted) await rejects(store.readObject(bucket, fresh), { code: "NoSuchKey" });
    else ok(sameBytes((await read(store, bucket, fresh)).bytes, NEW));
  });
}
