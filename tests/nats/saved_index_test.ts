/** Saved indexes that somebody made up or damaged, and what failed attempts to save one leave behind. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { mapAtOnce } from "../../src/collections/map_at_once.ts";
import { createBucketsContext } from "../../src/nats/buckets/context.ts";
import type { KeyEntry } from "../../src/nats/listing/key_packing.ts";
import { type IndexToSave, saveIndex } from "../../src/nats/listing/key_snapshot.ts";
import { KeyTable } from "../../src/nats/listing/key_table.ts";
import { VersionTable } from "../../src/nats/listing/version_table.ts";
import { parseHead } from "../../src/nats/listing/snapshot_head.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { Random } from "../http/malformed_requests.ts";
import {
  input,
  openStore,
  someBytes,
  STORE_OPTIONS,
  type StoreOnServer,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";

const bucket = "saved" as BucketName;
const COUNT = 1000;
const keys = Array.from({ length: COUNT }, (_, i) => `k${String(i).padStart(5, "0")}`);

async function keysOf(store: Store): Promise<readonly string[]> {
  const query = { prefix: "", delimiter: "", after: "", limit: 1000 };
  return (await store.listObjects(bucket, query)).objects.map(({ key }) => key as string);
}

type Head = Readonly<Record<string, unknown>> & { readonly sequence: number };
type Saved = { readonly head: Head; readonly page: Uint8Array };

async function last(given: StoreOnServer, subject: string): Promise<Uint8Array> {
  const reply = await given.connection.request(
    `$JS.API.STREAM.MSG.GET.OBJ_${bucket}`,
    JSON.stringify({ last_by_subj: subject }),
  );
  return Uint8Array.fromBase64(reply.json<{ message: { data: string } }>().message.data);
}

/** A bucket with a saved index of one page. */
async function saved(): Promise<StoreOnServer & { readonly saved: Saved }> {
  const given = await storeOnServer({ store: { indexSavedFrom: COUNT } });
  await given.store.createBucket(bucket, "alice");
  await mapAtOnce(keys, 100, async (key) => {
    await given.store.putObject(bucket, key as ObjectKey, input(someBytes(3)));
  });
  await keysOf(given.store);
  for (let i = 0;; i++) {
    const subjects = await subjectsOfStream(given.connection, `OBJ_${bucket}`);
    const isSaving = "$O.saved.S3.lock.snapshot" in subjects;
    if ("$O.saved.S3.snapshot" in subjects && !isSaving) break;
    ok(i < 400, "the index is saved");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const head = JSON.parse(new TextDecoder().decode(await last(given, "$O.saved.S3.snapshot")));
  const page = await last(given, `$O.saved.S3.snapshot.${head.id}.0`);
  return { ...given, saved: { head, page } };
}

/** A table with the keys of a real page, or with others. */
function tableOf({ head, page }: Saved, change: (table: KeyTable) => void): KeyTable {
  const table = new KeyTable();
  table.readLegend(head["legend"] as never);
  ok(table.unpack(page));
  change(table);
  return table;
}

function entry(key: string, change: Partial<KeyEntry> = {}): KeyEntry {
  return {
    key: key as ObjectKey,
    size: 3,
    etag: "0".repeat(32),
    modified: new Date(0),
    owner: "alice",
    checksum: undefined,
    storageClass: undefined,
    sequence: 5,
    nuid: 1,
    ...change,
  };
}

type Forgery = { readonly head: unknown; readonly page?: Uint8Array };

/** A head and its page, with the right digest. */
function forged(
  saved: Saved,
  table: KeyTable,
  edit: (page: Uint8Array) => void = () => {},
): Forgery {
  const page = table.pack("", 1_000_000).data;
  edit(page);
  return { head: { ...saved.head, legend: table.legend, sha256: digest(page) }, page };
}

function digest(page: Uint8Array): string {
  return createHash("sha256").update(page).digest("hex");
}

/** Writes a number into a page, and returns what does it. */
function number(at: number, value: number): (page: Uint8Array) => void {
  return (page) => new DataView(page.buffer).setFloat64(at, value, true);
}

/** Leaves of one key each, which take many times more memory than bytes. */
function sparse(): Uint8Array {
  const leaves = Array.from({ length: 12_000 }, (_, i) => {
    const table = new KeyTable();
    table.set(entry(`k${String(i).padStart(5, "0")}`));
    return table.pack("", 1000).data;
  });
  const page = new Uint8Array(leaves.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const leaf of leaves) {
    page.set(leaf, at);
    at += leaf.length;
  }
  return page;
}

const FORGERIES: Readonly<Record<string, (saved: Saved) => Forgery>> = {
  "without pages": ({ head }) => ({
    head: { ...head, pages: 0, sha256: digest(new Uint8Array()) },
  }),
  "of an older gateway, which proved nothing": ({ head: { proved: _, ...head } }) => ({ head }),
  "with 250,000 traits": ({ head }) => ({
    head: {
      ...head,
      legend: { traits: Array.from({ length: 250_000 }, () => ({})), oddETags: [] },
    },
  }),
  "with a checksum that does not exist": ({ head }) => ({
    head: { ...head, legend: { traits: [{ algorithm: "<>", type: "FULL_OBJECT" }], oddETags: [] } },
  }),
  "from before the beginning": ({ head }) => ({ head: { ...head, sequence: -5 } }),
  "from between two messages": ({ head }) => ({ head: { ...head, sequence: 1.5 } }),
  "whose id is a wildcard": ({ head }) => ({ head: { ...head, id: "*" } }),
  "with endless pages": ({ head }) => ({ head: { ...head, pages: Number.MAX_SAFE_INTEGER } }),
  "with thousands of nameless subjects": ({ head }) => ({
    head: { ...head, nameless: Array.from({ length: 5000 }, () => "$O.saved.M.x") },
  }),
  "of half of the keys": (saved) =>
    forged(
      saved,
      tableOf(saved, (table) => {
        for (let i = 0; i < COUNT; i += 2) table.delete(keys[i] as ObjectKey);
      }),
    ),
  "of keys that do not exist": (saved) =>
    forged(
      saved,
      tableOf(saved, (table) => {
        for (let i = 0; i < COUNT; i++) table.set(entry(`ghost${i}`));
      }),
    ),
  "of sizes that are no numbers": (saved) =>
    forged(saved, tableOf(saved, () => {}), number(8, NaN)),
  "of times that no clock shows": (saved) =>
    forged(saved, tableOf(saved, () => {}), number(16, 1e300)),
  "of sequences below zero": (saved) => forged(saved, tableOf(saved, () => {}), number(24, -7)),
  "of keys in no order": (saved) =>
    forged(
      saved,
      tableOf(saved, () => {}),
      (page) => page.set(new Uint8Array(6).fill(0x7a), at(page)),
    ),
  "of keys that are not UTF-8": (saved) =>
    forged(saved, tableOf(saved, () => {}), (page) => page.set([0x6b, 0xff], at(page))),
  "that fills the memory": ({ head }) => {
    const page = sparse();
    const { legend } = tableOf({ head, page: new Uint8Array() }, (table) => table.set(entry("k")));
    return { head: { ...head, legend, sha256: digest(page) }, page };
  },
};

/** Where the texts of a page's first leaf begin. */
function at(page: Uint8Array): number {
  return 8 + new DataView(page.buffer).getUint32(0, true) * 56;
}

Deno.test("a saved index that somebody made up is ignored", async (t) => {
  await using given = await saved();
  const { connection, server } = given;
  const { head, page } = given.saved;
  const head0 = "$O.saved.S3.snapshot";
  const page0 = `${head0}.${head["id"]}.0`;
  for (const [name, forge] of Object.entries(FORGERIES)) {
    await t.step(name, async () => {
      const forgery = forge(given.saved);
      if (forgery.page !== undefined) await connection.request(page0, forgery.page);
      await connection.request(head0, JSON.stringify(forgery.head));
      await using other = await openStore(server.url, { indexMemory: 16 * 1024 * 1024 });
      await rejects(other.store.deleteBucket(bucket), { code: "BucketNotEmpty" });
      deepStrictEqual(await keysOf(other.store), keys);
      await rejects(other.store.deleteBucket(bucket), { code: "BucketNotEmpty" });
      await connection.request(page0, page);
      await connection.request(head0, JSON.stringify(head));
    });
  }
});

Deno.test("mutated heads and pages of saved indexes are refused or harmless", async () => {
  await using given = await saved();
  const { head, page } = given.saved;
  const text = new TextEncoder().encode(JSON.stringify(head));
  const random = new Random(7);
  const mutate = (bytes: Uint8Array): Uint8Array => {
    const copy = bytes.slice(0, random.below(20) === 0 ? random.below(bytes.length) : undefined);
    for (let n = 1 + random.below(4); n > 0; n--) {
      copy[random.below(copy.length)] = random.below(256);
    }
    return copy;
  };
  let accepted = 0;
  for (let i = 0; i < 1000; i++) {
    parseHead(mutate(text));
    const table = new KeyTable();
    table.readLegend(head["legend"] as never);
    // Mostly where the numbers of the first leaf are.
    const bytes = mutate(random.below(2) === 0 ? page : page.subarray(0, 9000));
    if (!table.unpack(bytes)) continue;
    accepted++;
    let before = "";
    for (const { key, modified, size } of { [Symbol.iterator]: () => table.from("") }) {
      ok(key > before && size >= 0 && modified.toISOString() !== "", key);
      before = key;
    }
  }
  ok(accepted > 0, "bytes of a digest may change");
});

Deno.test("an index that cannot be saved leaves no pages behind", async (t) => {
  await using given = await storeOnServer();
  const { connection, store } = given;
  await store.createBucket(bucket, "alice");
  const context = createBucketsContext(connection, STORE_OPTIONS, undefined);
  using _requests = context.requests;
  const table = new KeyTable();
  for (const key of keys) table.set(entry(key));
  const owners = new KeyTable();
  for (const [i, key] of keys.entries()) {
    for (const half of ["a", "b"]) {
      owners.set(entry(key + half, { owner: `${i}${half}`.repeat(40) }));
    }
  }
  const index = {
    table,
    sequence: 1,
    read: new Date(),
    versions: new VersionTable(),
    unlistable: [] as readonly string[],
    findProved: (): Promise<number | undefined> => Promise.resolve(1),
  };
  let pages = 0;
  const subject = "$O.saved.S3.snapshot.>";
  const watched = connection.subscribe(subject, {
    callback() {
      pages++;
    },
  });
  const purgePages = async (): Promise<number> => {
    const filter = JSON.stringify({ filter: subject });
    await connection.request(`$JS.API.STREAM.PURGE.OBJ_${bucket}`, filter);
    return 1;
  };
  const attempts: Readonly<Record<string, Partial<IndexToSave> & { readonly pages: number }>> = {
    "too many owners": { table: owners, pages: 0 },
    "too many long names": { unlistable: Array(300).fill("x".repeat(1400)), pages: 0 },
    "another history": { findProved: () => Promise.resolve(undefined), pages: 1 },
    "no response": { findProved: () => Promise.reject(new Error("no response")), pages: 1 },
    "the last page is lost": { findProved: purgePages, pages: 1 },
  };
  for (const [name, { pages: expected, ...change }] of Object.entries(attempts)) {
    await t.step(name, async () => {
      pages = 0;
      const stream = await context.streams.read(bucket);
      const isSaved = await saveIndex(context, stream, { ...index, ...change }).catch(() => false);
      strictEqual(isSaved, false);
      await connection.flush();
      strictEqual(pages, expected);
      const left = Object.keys(await subjectsOfStream(connection, `OBJ_${bucket}`));
      deepStrictEqual(left.filter((each) => each.includes("snapshot")), []);
    });
  }
  ok(await saveIndex(context, await context.streams.read(bucket), index));
  watched.unsubscribe();
});
