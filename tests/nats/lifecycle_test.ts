/** Lifecycle rules on JetStream: the claim, two gateways at once, a full bucket, and the dry run of the command. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { createNatsStore, type NatsStore } from "../../src/nats/store.ts";
import type { LifecycleRule } from "../../src/s3/lifecycle.ts";
import { formatKeptLifecycle } from "../../src/s3/lifecycle_document.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { SILENT_LOG } from "../../src/telemetry/log.ts";
import { carryOutLifecycles } from "../../src/workers/lifecycle.ts";
import { parseState } from "../../src/workers/lifecycle_state.ts";
import { enterWorld } from "../../src/world/world.ts";
import { bucket, key, OWNER, query, uploadInput } from "../contract/inputs.ts";
import { put } from "../contract/steps.ts";
import { remove, setVersioning } from "../contract/version_steps.ts";
import { commandsOn } from "./commands_on_server.ts";
import { STORE_OPTIONS, storeOnServer } from "./store_on_server.ts";

/** Milliseconds of a day, in these tests. */
const DAY = 500;

async function setRules(store: NatsStore, ...rules: readonly Partial<LifecycleRule>[]) {
  const kept = rules.map((rule, index): LifecycleRule => ({
    id: `rule ${index}`,
    isEnabled: true,
    filter: { form: "filter", tags: new Map() },
    ...rule,
  }));
  const text = formatKeptLifecycle({ rules: kept, minimumSize: "varies_by_storage_class" });
  await store.putDocument(bucket, "lifecycle", text);
}

/** Carries rules out on some stores at once until a condition holds. Returns what each of them did. */
async function carryOut(
  stores: readonly NatsStore[],
  isEnough: () => Promise<boolean>,
): Promise<readonly string[][]> {
  const stop = new AbortController();
  const did = stores.map((): string[] => []);
  const workers = stores.map((store, i) =>
    carryOutLifecycles(store, {
      day: DAY,
      log: SILENT_LOG,
      signal: stop.signal,
      observe: {
        removed: (kind) => void did[i]?.push(kind),
        kept: (reason) => void did[i]?.push(reason),
        ran: (result) => result === "failed" && void did[i]?.push(result),
        looked: () => {},
      },
    })
  );
  for (let looks = 0; looks < 400 && !await isEnough(); looks++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  stop.abort(); // the caller compares what is left
  await Promise.all(workers);
  return did;
}

async function left(store: NatsStore): Promise<readonly string[]> {
  const { versions } = await store.listVersions(bucket, {
    ...query(),
    afterKey: "",
    afterVersion: undefined,
  });
  return versions.map(({ key, isMarker, size }) => `${key} ${isMarker ? "marker" : size}`);
}

Deno.test("one gateway at a time has the claim on a bucket", async () => {
  await using on = await storeOnServer();
  const { store, connection } = on;
  using other = createNatsStore(connection, STORE_OPTIONS);
  await store.createBucket(bucket, OWNER);
  await put(store, "a", "1");
  const claim = await store.claimLifecycle(bucket);
  ok(claim !== undefined);
  strictEqual(await other.claimLifecycle(bucket), undefined);
  await claim.release();
  const next = await other.claimLifecycle(bucket);
  ok(next !== undefined);
  strictEqual(await store.claimLifecycle(bucket), undefined);
  await next.release();
  const missing = "missing" as BucketName;
  await rejects(store.claimLifecycle(missing), { code: "NoSuchBucket" });
  await rejects(store.serverTime(missing), { code: "NoSuchBucket" });
});

Deno.test("the time is nats-server's, whatever the clock of the gateway says", async () => {
  await using on = await storeOnServer({ store: { now: () => new Date("2001-01-01") } });
  await on.store.createBucket(bucket, OWNER);
  ok(await on.store.serverTime(bucket) > new Date("2020-01-01"));
});

/** A year, in milliseconds. */
const YEAR = 365 * 24 * 60 * 60 * 1000;

for (const [offset, name] of [[YEAR, "ahead"], [-YEAR, "behind"]] as const) {
  Deno.test(`a gateway whose clock is a year ${name} removes what nats-server's clock says`, async () => {
    using _world = enterWorld({
      wallClock: () => Date.now() + offset,
      monotonic: () => performance.now(),
      startTimer: (milliseconds, run) => setTimeout(run, milliseconds),
      stopTimer: (timer) => clearTimeout(timer),
      startTicker: (milliseconds, run) => setInterval(run, milliseconds),
      stopTicker: (timer) => clearInterval(timer),
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    });
    await using on = await storeOnServer();
    const { store } = on;
    await store.createBucket(bucket, OWNER);
    await put(store, "tmp/a", "1");
    await put(store, "later/a", "1");
    const filter = { form: "filter", tags: new Map() } as const;
    await setRules(
      store,
      { filter: { ...filter, prefix: "tmp/" }, expiration: { days: 1 } },
      // Some real days, so less than a year.
      { filter: { ...filter, prefix: "later/" }, expiration: { days: 1_000_000 } },
    );
    await carryOut([store], async () => (await left(store)).length === 1);
    deepStrictEqual(await left(store), ["later/a 1"]);
  });
}

Deno.test("two gateways remove everything that is due once, and nothing else", async () => {
  await using on = await storeOnServer();
  const { store, connection } = on;
  using other = createNatsStore(connection, STORE_OPTIONS);
  await store.createBucket(bucket, OWNER);
  await setVersioning(store, "Enabled");
  for (const size of [1, 2, 3]) await put(store, "tmp/a", "x".repeat(size));
  for (const size of [1, 2]) await put(store, "kept/a", "x".repeat(size));
  await put(store, "tmp/locked", "1", { lock: { legalHold: true } });
  await store.createUpload(bucket, key("tmp/up"), uploadInput());
  await store.createUpload(bucket, key("kept/up"), uploadInput());
  const filter = { form: "filter", prefix: "tmp/", tags: new Map() } as const;
  await setRules(
    store,
    { filter, expiration: { days: 1 } },
    { filter, noncurrent: { days: 1 } },
    { filter, abortDays: 1 },
  );
  const kept = ["kept/a 2", "kept/a 1", "tmp/locked marker", "tmp/locked 1"];
  const did = await carryOut(
    [store, other],
    async () => (await left(other)).join() === kept.join(),
  );
  deepStrictEqual(await left(store), kept);
  const removed = did.flat().filter((what) => what !== "locked").sort();
  deepStrictEqual(removed, ["marker", "object", "object", "upload", ...Array(3).fill("version")]);
  const { uploads } = await store.listUploads(bucket, {
    prefix: "",
    delimiter: "",
    keyMarker: "",
    uploadIdMarker: "",
    limit: 10,
  });
  deepStrictEqual(uploads.map(({ key }) => key), ["kept/up"]);
  const state = parseState(await other.readDocument(bucket, "lifecycleRun"));
  strictEqual(state?.isDone, true);
});

Deno.test("tags decide, and an object without versions goes for good", async () => {
  await using on = await storeOnServer();
  const { store } = on;
  await store.createBucket(bucket, OWNER);
  const properties = { system: {}, user: {}, tags: { temporary: "yes" } };
  await put(store, "a", "1");
  await put(store, "b", "1", { properties });
  const filter = { form: "filter", tags: new Map([["temporary", "yes"]]) } as const;
  await setRules(store, { filter, expiration: { days: 1 } });
  await carryOut([store], async () => (await left(store)).length === 1);
  deepStrictEqual(await left(store), ["a 1"]);
});

Deno.test("buckets lifecycle --dry-run lists what would go and removes nothing", async () => {
  await using on = await storeOnServer();
  const { store, server } = on;
  const run = commandsOn(server);
  await store.createBucket(bucket, OWNER);
  await setVersioning(store, "Enabled");
  await put(store, "old", "1");
  await put(store, "old", "22");
  await put(store, "gone", "1");
  await remove(store, "gone");
  const none = await run(`buckets lifecycle ${bucket} --dry-run`);
  match(none.output, /would remove 0 objects, 0 noncurrent versions, 0 delete markers/);
  await setRules(store, { id: "all", expiration: { days: 1 }, noncurrent: { days: 1 } });
  await new Promise((resolve) => setTimeout(resolve, 2 * DAY + 100));
  const before = await left(store);

  const env = { NATS_S3_LIFECYCLE_DAY: `${DAY}ms` };
  const { code, output } = await run(`buckets lifecycle ${bucket} --dry-run`, { env });
  strictEqual(code, 0);
  const lines = output.trim().split("\n");
  strictEqual(lines.length, 5);
  match(lines[0] ?? "", /^noncurrent version "gone" \w{32}, by rule "all" since 2/);
  match(lines[1] ?? "", /^delete marker "gone" \w{32}, by rule "all"/);
  match(lines[2] ?? "", /^noncurrent version "old" /);
  match(lines[3] ?? "", /^object "old", by rule "all"/);
  match(lines[4] ?? "", /would remove 1 objects, 2 noncurrent versions, 1 delete markers and 0 up/);
  deepStrictEqual(await left(store), before);

  const json = await run(`buckets lifecycle ${bucket} --dry-run --json`, { env });
  const [first] = json.output.trim().split("\n").map((line) => JSON.parse(line));
  deepStrictEqual([first.kind, first.key, first.rule], ["version", "gone", "all"]);

  const refused = await run(`buckets lifecycle ${bucket}`);
  strictEqual(refused.code, 1);
  match(refused.errors, /Add --dry-run/);
  const missing = await run("buckets lifecycle missing --dry-run");
  match(missing.errors, /There is no bucket "missing"/);
});
