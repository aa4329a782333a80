/** Server access logs over a memory store: which requests have lines, and what becomes of the lines. */

import { createHash } from "node:crypto";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { createMemoryStore, type MemoryStore } from "../../src/store/memory/memory_store.ts";
import type { LogFields } from "../../src/telemetry/log.ts";
import { AccessLog, type AccessLogOptions } from "../../src/workers/access_log.ts";
import { enterWorld, wallClock } from "../../src/world/world.ts";
import { createTestGateway, NOW, type Send, type TestGateway } from "./test_gateway.ts";

/** Time that moves only when a test moves it. Timers run when their time has come. */
class Clock implements Disposable {
  #now = NOW.getTime();
  #timers: { readonly at: number; readonly run: () => void }[] = [];
  readonly #world = enterWorld({
    wallClock: () => this.#now,
    monotonic: () => this.#now,
    startTimer: (milliseconds, run) => {
      const timer = { at: this.#now + milliseconds, run };
      this.#timers.push(timer);
      return timer as unknown as number;
    },
    stopTimer: (timer) => {
      this.#timers = this.#timers.filter((one) => one !== timer as unknown);
    },
    startTicker: () => 0,
    stopTicker: () => {},
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  });

  get timers(): number {
    return this.#timers.length;
  }

  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.run();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  [Symbol.dispose](): void {
    this.#world[Symbol.dispose]();
  }
}

/** Lets everything that waits for nothing but promises go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

type Logged = TestGateway & AsyncDisposable & {
  readonly log: AccessLog;
  readonly clock: Clock;
  readonly warnings: readonly (readonly [string, LogFields])[];
  /** The fields of all lines in a bucket, in the order of the keys of their objects. */
  readonly lines: (bucket?: string) => Promise<readonly (readonly string[])[]>;
};

type Change = Pick<AccessLogOptions, "ownerOf" | "limits"> & {
  readonly wrap?: (store: MemoryStore) => AccessLogOptions["store"];
};

/** A gateway whose bucket `bucket` is logged in `logs` with the prefix `a/`. */
async function createLogged(
  { limits = {}, wrap = (store) => store, ...options }: Change = {},
): Promise<Logged> {
  const clock = new Clock();
  const warnings: (readonly [string, LogFields])[] = [];
  const logs: AccessLog[] = [];
  const gateway = await createTestGateway({
    store: createMemoryStore({ minPartSize: 5, now: wallClock }),
    accessLog: {
      add(ended) {
        for (const log of logs) log.add(ended);
      },
    },
  });
  const { store, ok: send } = gateway;
  const log = new AccessLog({
    store: wrap(store),
    account: "000000000000",
    region: "us-east-1",
    checksum: "CRC64NVME",
    log: { warn: (message, fields = {}) => void warnings.push([message, fields]) },
    limits,
    ...options,
  });
  logs.push(log);
  await send("PUT", "/logs");
  await clock.pass(1000);
  await send("PUT", "/bucket?logging", { body: configuration() });
  await clock.pass(1000);
  return {
    ...gateway,
    log,
    clock,
    warnings,
    lines: async (bucket = "logs") => (await readLog(store, bucket)).map(fieldsOf),
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]();
      clock[Symbol.dispose]();
    },
  };
}

function configuration(target = "logs", more = ""): string {
  return `<BucketLoggingStatus><LoggingEnabled><TargetBucket>${target}</TargetBucket>` +
    `<TargetPrefix>a/</TargetPrefix>${more}</LoggingEnabled></BucketLoggingStatus>`;
}

const partitioned = (source: string): string =>
  `<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>${source}</PartitionDateSource>` +
  "</PartitionedPrefix></TargetObjectKeyFormat>";

async function keysOf(store: MemoryStore, bucket = "logs"): Promise<readonly ObjectKey[]> {
  const query = { prefix: "", delimiter: "", after: "", limit: 1000 };
  return (await store.listObjects(bucket as BucketName, query)).objects.map(({ key }) => key);
}

async function readLog(store: MemoryStore, bucket: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const key of await keysOf(store, bucket)) {
    const { body } = await store.getObject(bucket as BucketName, key, () => "all");
    const text = await new Response(body).text();
    ok(text.endsWith("\n"));
    lines.push(...text.slice(0, -1).split("\n"));
  }
  return lines;
}

function fieldsOf(line: string): readonly string[] {
  const fields = line.match(/\[[^\]]*\]|"[^"]*"|[^ ]+/g) ?? [];
  strictEqual(fields.length, 27, line);
  return fields;
}

/** Operation, key and status of a line. */
const summary = (fields: readonly string[]): string => `${fields[6]} ${fields[7]} ${fields[9]}`;

Deno.test("requests of a logged bucket are in an object of its target within five minutes", async () => {
  await using logged = await createLogged();
  const { ok: send, send: sendAny, store, clock, lines, log } = logged;
  await send("PUT", "/bucket/a%20b", { body: "bytes" });
  await (await send("GET", "/bucket/a%20b")).text();
  await (await sendAny("GET", "/bucket/missing")).text();
  await (await sendAny("GET", "/bucket/a%20b", { anonymous: true })).text();
  await (await send("GET", "/bucket?list-type=2", { headers: { "user-agent": 'a"b' } })).text();
  await clock.pass(230_000);
  deepStrictEqual(await keysOf(store), []);
  await clock.pass(30_000);
  const [key = "", ...others] = await keysOf(store);
  deepStrictEqual(others, []);
  match(key, /^a\/2024-05-01-10-04-\d\d-[0-9A-F]{16}$/);
  const all = await lines();
  deepStrictEqual(all.map(summary), [
    "REST.PUT.LOGGING_STATUS - 200",
    "REST.PUT.OBJECT a%20b 200",
    "REST.GET.OBJECT a%20b 200",
    "REST.GET.OBJECT missing 404",
    "REST.GET.OBJECT a%20b 403",
    "REST.GET.BUCKET - 200",
  ]);
  const [, put = [], get = [], missing = [], denied = [], list = []] = all;
  deepStrictEqual(put.slice(0, 2), ["alice", "bucket"]);
  match(put[2] ?? "", /^\[01\/May\/2024:10:00:02 \+0000\]$/);
  deepStrictEqual([put[4], put[11], put[12]], ["alice", "-", "5"]);
  deepStrictEqual([get[11], get[12]], ["5", "5"]);
  strictEqual(missing[10], "NoSuchKey");
  deepStrictEqual([denied[4], denied[10]], ["-", "AccessDenied"]);
  strictEqual(list[16], '"a%22b"');
  const { properties, owner, checksum } = await store.readObject(
    "logs" as BucketName,
    key as ObjectKey,
  );
  deepStrictEqual([properties.system.contentType, owner], ["text/plain", "alice"]);
  strictEqual(checksum?.algorithm, "CRC64NVME");
  deepStrictEqual(log.stats, {
    waiting: 0,
    delivered: 6,
    dropped: { memory: 0, undeliverable: 0, stopping: 0 },
  });
  await clock.pass(30_000);
  strictEqual(clock.timers, 0); // nothing waits, so nothing is looked for
});

Deno.test("the keys of DeleteObjects and the source of a copy have lines of their own", async () => {
  await using logged = await createLogged();
  const { ok: send, clock, lines } = logged;
  await send("PUT", "/other");
  await send("PUT", "/bucket/a", { body: "bytes" });
  await send("PUT", "/other/b", { headers: { "x-amz-copy-source": "bucket/a" } });
  await send("PUT", "/bucket/c", { headers: { "x-amz-copy-source": "other/b" } });
  const document = "<Delete><Object><Key>a</Key></Object>" +
    "<Object><Key>c</Key><ETag>no</ETag></Object></Delete>";
  const md5 = createHash("md5").update(document).digest("base64");
  await send("POST", "/bucket?delete", { body: document, headers: { "content-md5": md5 } });
  await clock.pass(300_000);
  const all = await lines();
  deepStrictEqual(all.map(summary), [
    "REST.PUT.LOGGING_STATUS - 200",
    "REST.PUT.OBJECT a 200",
    "REST.COPY.OBJECT_GET a 200",
    "REST.COPY.OBJECT c 200",
    "REST.POST.MULTI_OBJECT_DELETE - 200",
    "BATCH.DELETE.OBJECT a 204",
    "BATCH.DELETE.OBJECT c 412",
  ]);
  const [, , copied = []] = all;
  deepStrictEqual([copied[1], copied[4], copied[12]], ["bucket", "alice", "5"]);
  strictEqual(all[6]?.[10], "PreconditionFailed");
});

Deno.test("lines name the version that was written, read, copied or removed", async () => {
  await using logged = await createLogged();
  const { ok: send, clock, lines } = logged;
  const idOf = async (method: string, target: string, more: Send = {}): Promise<string> =>
    (await send(method, target, more)).headers.get("x-amz-version-id") ?? "";
  const versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  await send("PUT", "/bucket?versioning", { body: versioning });
  const first = await idOf("PUT", "/bucket/a", { body: "bytes" });
  const headers = { "x-amz-copy-source": `bucket/a?versionId=${first}` };
  const second = await idOf("PUT", "/bucket/b", { headers });
  await send("GET", `/bucket/a?versionId=${first}`);
  const marker = await idOf("DELETE", "/bucket/a");
  const document = `<Delete><Object><Key>a</Key><VersionId>${first}</VersionId></Object></Delete>`;
  const md5 = createHash("md5").update(document).digest("base64");
  await send("POST", "/bucket?delete", { body: document, headers: { "content-md5": md5 } });
  await clock.pass(300_000);
  const all = await lines();
  deepStrictEqual(all.slice(2).map((line) => `${summary(line)} ${line[17]}`), [
    `REST.PUT.OBJECT a 200 ${first}`,
    `REST.COPY.OBJECT b 200 ${second}`,
    `REST.COPY.OBJECT_GET a 200 ${first}`,
    `REST.GET.OBJECT a 200 ${first}`,
    `REST.DELETE.OBJECT a 204 ${marker}`,
    "REST.POST.MULTI_OBJECT_DELETE - 200 -",
    `BATCH.DELETE.OBJECT a 204 ${first}`,
  ]);
});

Deno.test("a bucket that is not logged costs one look-up, and is asked for at most ten times a second", async () => {
  let reads = 0;
  await using logged = await createLogged({
    wrap: (store) => ({
      putObject: store.putObject,
      readBucket: store.readBucket,
      readDocument(bucket, kind) {
        reads++;
        return store.readDocument(bucket, kind);
      },
    }),
  });
  const { ok: send, clock, log } = logged;
  await send("PUT", "/quiet");
  await clock.pass(1000);
  reads = 0;
  const before = log.stats.waiting;
  for (let i = 0; i < 100; i++) await send("PUT", "/quiet/a", { body: "bytes" });
  strictEqual(reads, 1);
  strictEqual(log.stats.waiting, before);
  await clock.pass(100);
  await send("PUT", "/quiet/a", { body: "bytes" });
  strictEqual(reads, 2);
});

Deno.test("a busy bucket's configuration is read again before it expires, and no line waits for it", async () => {
  let reads = 0;
  const late = Promise.withResolvers<string | undefined>();
  await using logged = await createLogged({
    wrap: (store) => ({
      putObject: store.putObject,
      readBucket: store.readBucket,
      async readDocument(bucket, kind) {
        return bucket === "busy" && ++reads > 1
          ? await late.promise
          : await store.readDocument(bucket, kind);
      },
    }),
  });
  const { ok: send, clock, log } = logged;
  await send("PUT", "/busy");
  strictEqual(reads, 1);
  await clock.pass(60);
  const before = log.stats.waiting;
  for (let i = 0; i < 10; i++) await send("PUT", "/busy/a", { body: "bytes" });
  strictEqual(reads, 2);
  strictEqual(log.stats.waiting, before);
  await clock.pass(200);
  await send("PUT", "/busy/a", { body: "bytes" });
  strictEqual(log.stats.waiting > before, true);
  late.resolve(undefined);
});

Deno.test("a change is in force for the requests that end after it is readable", async () => {
  await using logged = await createLogged();
  const { ok: send, clock, lines } = logged;
  await send("PUT", "/other");
  await send("GET", "/other"); // that it is not logged is known now
  await send("PUT", "/other?logging", { body: configuration("logs") });
  await clock.pass(1000);
  await send("GET", "/other?location");
  await send("PUT", "/other?logging", { body: "<BucketLoggingStatus/>" });
  await clock.pass(1000);
  await send("GET", "/other?tagging").catch(() => {});
  await send("GET", "/other?cors").catch(() => {});
  await clock.pass(300_000);
  const ofOther = (await lines()).filter((fields) => fields[1] === "other");
  strictEqual(ofOther.some((fields) => fields[6] === "REST.GET.LOCATION"), true);
  strictEqual(ofOther.some((fields) => fields[6] === "REST.GET.CORS"), false);
});

Deno.test("keys name account, region, bucket and day, of the events or of the delivery", async () => {
  await using logged = await createLogged();
  const { ok: send, clock, store } = logged;
  await send("PUT", "/bucket?logging", { body: configuration("logs", partitioned("EventTime")) });
  await clock.pass(14 * 3_600_000 - 2500); // a second before midnight
  for (const key of await keysOf(store)) {
    await store.deleteObject("logs" as BucketName, key, { precondition: {} });
  }
  await send("GET", "/bucket?location");
  await clock.pass(2000);
  await send("GET", "/bucket?location");
  await clock.pass(300_000);
  const keys = await keysOf(store);
  strictEqual(keys.length, 2);
  match(
    keys[0] ?? "",
    /^a\/0{12}\/us-east-1\/bucket\/2024\/05\/01\/2024-05-01-00-00-00-[0-9A-F]+$/,
  );
  match(
    keys[1] ?? "",
    /^a\/0{12}\/us-east-1\/bucket\/2024\/05\/02\/2024-05-02-00-00-00-[0-9A-F]+$/,
  );
  await send("PUT", "/bucket?logging", {
    body: configuration("logs", partitioned("DeliveryTime")),
  });
  await clock.pass(1000);
  await send("GET", "/bucket?location");
  await clock.pass(300_000);
  const last = (await keysOf(store)).at(-1) ?? "";
  match(last, /^a\/0{12}\/us-east-1\/bucket\/2024\/05\/02\/2024-05-02-00-0\d-\d\d-[0-9A-F]+$/);
});

Deno.test("a bucket that is its own target has no lines about its log", async () => {
  await using logged = await createLogged();
  const { ok: send, clock, lines, log, store } = logged;
  await send("PUT", "/bucket?logging", { body: configuration("bucket") });
  await clock.pass(1000);
  await send("GET", "/bucket?location");
  for (let i = 0; i < 10; i++) await clock.pass(300_000);
  const all = await lines("bucket");
  deepStrictEqual(all.map(({ 6: operation }) => operation), [
    "REST.PUT.LOGGING_STATUS",
    "REST.GET.LOCATION",
  ]);
  strictEqual((await keysOf(store, "bucket")).length, 1);
  strictEqual(log.stats.waiting, 0);
});

Deno.test("many lines are stored at once, whole and each in one object", async () => {
  await using logged = await createLogged({ limits: { object: 2000 } });
  const { ok: send, store, lines } = logged;
  for (let i = 0; i < 40; i++) await send("GET", `/bucket?location&i=${i}`);
  await settle();
  const keys = await keysOf(store);
  strictEqual(keys.length > 3, true, String(keys.length));
  await logged.log[Symbol.asyncDispose]();
  const asked = (await lines()).flatMap(({ 8: target = "" }) => /i=\d+/.exec(target)?.[0] ?? []);
  deepStrictEqual(asked.toSorted(), Array.from({ length: 40 }, (_, i) => `i=${i}`).toSorted());
});

Deno.test("lines of a missing target wait, are warned of once, and are dropped after ten minutes", async () => {
  await using logged = await createLogged();
  const { ok: send, store, clock, log, warnings } = logged;
  await send("PUT", "/bucket/a", { body: "bytes" });
  await store.deleteBucket("logs" as BucketName);
  await clock.pass(540_000);
  strictEqual(log.stats.dropped.undeliverable, 0);
  strictEqual(log.stats.waiting > 0, true);
  await clock.pass(120_000);
  strictEqual(log.stats.dropped.undeliverable, 2);
  strictEqual(log.stats.waiting, 0);
  strictEqual(warnings.filter(([text]) => text.includes("cannot be delivered")).length, 1);
  deepStrictEqual(
    warnings.find(([text]) => text.includes("dropped") && !text.includes("cannot"))?.[1],
    { lines: 2, reason: "undeliverable" },
  );
  await send("PUT", "/bucket/a", { body: "bytes" });
  await clock.pass(300_000);
  await send("PUT", "/logs");
  await clock.pass(30_000);
  strictEqual(log.stats.delivered, 1);
});

Deno.test("a target of another owner gets no lines", async () => {
  await using logged = await createLogged();
  const { ok: send, store, clock, log } = logged;
  await send("PUT", "/bucket/a", { body: "bytes" });
  await store.deleteBucket("logs" as BucketName);
  await store.createBucket("logs" as BucketName, "somebody");
  await clock.pass(300_000);
  deepStrictEqual(await keysOf(store), []);
  strictEqual(log.stats.dropped.undeliverable, 2);
});

Deno.test("lines of a source that was deleted are delivered", async () => {
  await using logged = await createLogged();
  const { ok: send, clock, lines } = logged;
  await send("DELETE", "/bucket");
  await clock.pass(300_000);
  deepStrictEqual((await lines()).map(summary), [
    "REST.PUT.LOGGING_STATUS - 200",
    "REST.DELETE.BUCKET - 204",
  ]);
});

Deno.test("lines of a source that was deleted are not delivered to a newer bucket of the target's name", async () => {
  await using logged = await createLogged();
  const { ok: send, store, clock, log } = logged;
  await send("DELETE", "/bucket");
  await store.deleteBucket("logs" as BucketName);
  await clock.pass(1000);
  await store.createBucket("logs" as BucketName, "somebody");
  await clock.pass(300_000);
  deepStrictEqual(await keysOf(store), []);
  strictEqual(log.stats.dropped.undeliverable, 2);
});

Deno.test("the owner of a target is who the accounts say", async () => {
  const owners = new Map([["bucket", "1"], ["logs", "1"]]);
  await using logged = await createLogged({ ownerOf: ({ name }) => owners.get(name) });
  const { clock, lines, ok: send, store } = logged;
  await clock.pass(300_000);
  strictEqual((await lines()).length, 1);
  owners.set("logs", "2");
  await send("PUT", "/bucket/a", { body: "bytes" });
  await clock.pass(300_000);
  strictEqual((await keysOf(store)).length, 1);
});

Deno.test("waiting lines take bounded memory, and one target leaves room for others", async () => {
  await using logged = await createLogged({ limits: { memory: 40_000 } });
  const { ok: send, clock, log, warnings, store } = logged;
  await send("PUT", "/other");
  await send("PUT", "/others");
  await send("PUT", "/other?logging", { body: configuration("others") });
  await clock.pass(1000);
  await store.deleteBucket("logs" as BucketName);
  for (let i = 0; i < 200; i++) await send("GET", "/bucket?location");
  const { waiting, dropped } = log.stats;
  strictEqual(waiting <= 20_000, true, String(waiting));
  strictEqual(dropped.memory > 100, true, String(dropped.memory));
  strictEqual(warnings.length, 1);
  await send("GET", "/other?location");
  strictEqual(log.stats.waiting > waiting, true);
  strictEqual(log.stats.dropped.memory, dropped.memory);
});

Deno.test("the lines that wait are stored when the gateway stops", async () => {
  await using logged = await createLogged();
  const { ok: send, log, lines } = logged;
  await send("PUT", "/bucket/a", { body: "bytes" });
  await log[Symbol.asyncDispose]();
  deepStrictEqual((await lines()).map(summary), [
    "REST.PUT.LOGGING_STATUS - 200",
    "REST.PUT.OBJECT a 200",
  ]);
  await send("PUT", "/bucket/a", { body: "bytes" });
  strictEqual(log.stats.dropped.stopping, 1);
});

Deno.test("a gateway stops within seconds although its lines cannot be stored", async () => {
  let isStuck = false;
  await using logged = await createLogged({
    wrap: (store) => ({
      readDocument: store.readDocument,
      readBucket: store.readBucket,
      putObject: (...args) => isStuck ? new Promise(() => {}) : store.putObject(...args),
    }),
  });
  const { clock, log, warnings } = logged;
  isStuck = true;
  const ended = log[Symbol.asyncDispose]();
  await clock.pass(3000);
  await ended;
  strictEqual(log.stats.dropped.stopping, 1);
  strictEqual(log.stats.waiting, 0);
  strictEqual(warnings.length, 1);
});

Deno.test("strangers who invent buckets make nobody read for each of them", async () => {
  let reads = 0;
  const never = Promise.withResolvers<undefined>();
  await using logged = await createLogged({
    wrap: (store) => ({
      putObject: store.putObject,
      readBucket: store.readBucket,
      readDocument(bucket, kind) {
        if (!bucket.startsWith("invented")) return store.readDocument(bucket, kind);
        reads++;
        return never.promise;
      },
    }),
  });
  const { send } = logged;
  for (let i = 0; i < 100; i++) {
    await (await send("GET", `/invented-${i}/a`, { secret: "wrong" })).text();
  }
  strictEqual(reads, 32);
  for (let i = 0; i < 10; i++) await (await send("GET", `/missing-${i}/a`)).text();
  strictEqual(reads, 32);
  never.resolve(undefined);
});
