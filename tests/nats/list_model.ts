/**
 * Writes to one bucket at random, through several gateways and natively, and compares every listing with a model: a Map,
 * and S3's rules as plainly as they can be written.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 *
 * A listing shows every write that was acknowledged before it began. Of a write that runs beside it, it shows the key
 * as it was or as it becomes; nothing else is allowed.
 * @module
 */

import { Buffer } from "node:buffer";
import { AssertionError, deepStrictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ObjectStore } from "@nats-io/obj";
import { connect } from "@nats-io/transport-node";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { ListQuery } from "../../src/store/listings.ts";
import type { Store } from "../../src/store/store.ts";
import { Random } from "../http/malformed_requests.ts";
import { input, sha256, STORE_OPTIONS, storeOnServer } from "./store_on_server.ts";

/** How much to do. */
export type ListModelLength = { readonly steps: number; readonly seed: number };

/** What to do, and to whom. */
export type ListModelOptions = ListModelLength & {
  /** An empty one. */
  readonly bucket: BucketName;
  /** Stores on connections of their own. */
  readonly gateways: readonly Store[];
  /** The same bucket, as native clients see it. */
  readonly native: ObjectStore;
  /** Called when writes and listings begin to run beside each other, and when they have ended. */
  readonly onCrowd?: (begins: boolean) => void;
};

/** How often each thing was done. */
export type ListModelReport = Readonly<Record<string, number>>;

/** Keys that there may be: more than a leaf of an index holds. */
const KEYS = 400;
/** Half of the writes go to so many of them. */
const HOT = 40;
const MAX_KEY_BYTES = 1024;
/** Milliseconds that an answer takes to the gateway that is far away. */
const DISTANCE = 2;
/** Actions that a failure tells. */
const REMEMBERED = 20;
const EVERYTHING: ListQuery = { prefix: "", delimiter: "", after: "", limit: KEYS };

/** What keys, prefixes and delimiters are made of. */
const PIECES = [
  ..."ab/-.+% \t\u0000\u0001\u001f\u007f\u0085é\ud7ff\ue000！\uffff😀\u{10ffff}",
  ..."a/a/a/a/",
  "//",
  "..",
  "%2F",
  "\r\n",
  "e\u0301",
  "ab",
];

// deno-lint-ignore no-control-regex
const NOT_ASCII = /[^\u0000-\u007f]/;

/**
 * Runs it.
 *
 * @throws Error that names seed and step, when a listing shows anything but what it must
 */
export async function runListModel(options: ListModelOptions): Promise<ListModelReport> {
  return await new Run(options).run();
}

/**
 * Runs it on a nats-server of its own, with two gateways. One of them is far away while all write and list at once, so
 * that much happens between its requests and their answers.
 */
export async function runListModelOnServer(length: ListModelLength): Promise<ListModelReport> {
  await using given = await storeOnServer();
  await using wire = new Wire(Number(new URL(given.server.url).port));
  const connection = await connect({ servers: wire.url });
  try {
    using far = createNatsStore(connection, STORE_OPTIONS);
    const bucket = "list-model" as BucketName;
    await given.store.createBucket(bucket, "alice");
    return await runListModel({
      ...length,
      bucket,
      gateways: [given.store, far],
      native: await given.native.open(bucket),
      onCrowd: (begins) => wire.delay = begins ? DISTANCE : 0,
    });
  } finally {
    await connection.close();
  }
}

/** One connection to a server, on which what comes back may take its time. */
class Wire implements AsyncDisposable {
  /** Milliseconds. */
  delay = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #running: Promise<void>;

  constructor(serverPort: number) {
    this.#running = this.#run(serverPort);
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
  }

  async #run(port: number): Promise<void> {
    const client = await this.#listener.accept();
    this.#listener.close();
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    client.setNoDelay();
    server.setNoDelay();
    const late = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: async (bytes, controller) => {
        if (this.delay > 0) await delay(this.delay);
        controller.enqueue(bytes);
      },
    });
    await Promise.allSettled([
      client.readable.pipeTo(server.writable),
      server.readable.pipeThrough(late).pipeTo(client.writable),
    ]);
  }
}

/** An object. */
type Stored = { readonly size: number; readonly etag: string; readonly sha256: string };
/** What is at a key. */
type State = Stored | undefined;

/** A write: the states through which it brings its keys, the last of each being where it ends. */
type Write = {
  readonly name: string;
  readonly states: ReadonlyMap<string, readonly State[]>;
  readonly carryOut: () => Promise<unknown>;
};

/** A page, as far as it is compared. */
type Found = {
  readonly objects: readonly {
    readonly key: string;
    readonly size: number;
    readonly etag: string;
  }[];
  readonly commonPrefixes: readonly string[];
  readonly next: string | undefined;
};

class Run {
  readonly #options: ListModelOptions;
  readonly #random: Random;
  readonly #keys: readonly string[];
  readonly #model = new Model();
  readonly #counts: Record<string, number> = {};
  readonly #done: string[] = [];
  #step = 0;

  constructor(options: ListModelOptions) {
    this.#options = options;
    // Neighbouring seeds must not give alike sequences.
    this.#random = new Random(Math.imul(options.seed + 1, 0x9e3779b1));
    this.#keys = someKeys(this.#random);
  }

  async run(): Promise<ListModelReport> {
    const { steps, seed } = this.#options;
    try {
      await this.#fill();
      for (this.#step = 1; this.#step <= steps; this.#step++) await this.#doSomething();
    } catch (cause) {
      const where = `Seed ${seed}, step ${this.#step}`;
      const last = this.#done.join("\n");
      throw new Error(`${where}: ${cause}\nThe last that was done:\n${last}`, { cause });
    }
    return Object.fromEntries(Object.entries(this.#counts).sort(([a], [b]) => a < b ? -1 : 1));
  }

  async #fill(): Promise<void> {
    const writes = this.#keys.filter(() => this.#random.chance(0.8))
      .map((key) => this.#put(this.#random, key)).values();
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (const write of writes) await this.#write(write);
    }));
  }

  async #doSomething(): Promise<void> {
    const random = this.#random;
    const kind = random.below(100);
    if (kind < 55) {
      const keys = shuffled(random, random.chance(0.5) ? this.#keys.slice(0, HOT) : this.#keys);
      await this.#write(this.#someWrite(random, keys));
      if (random.chance(0.3)) await this.#list(this.#someGateway(random), EVERYTHING);
    } else if (kind < 88) {
      await this.#list(this.#someGateway(random), this.#someQuery(random));
    } else if (kind < 92) {
      await this.#walk(this.#someQuery(random));
    } else {
      this.#options.onCrowd?.(true);
      await this.#writeAndList();
      this.#options.onCrowd?.(false);
      for (const gateway of this.#options.gateways.keys()) await this.#list(gateway, EVERYTHING);
    }
  }

  /** Several write at once, each to keys of its own, and several list meanwhile. */
  async #writeAndList(): Promise<void> {
    const keys = shuffled(this.#random, this.#keys);
    const writers = Array.from({ length: 1 + this.#random.below(6) }, async (_, i) => {
      const random = this.#ownRandom();
      const own = keys.slice(8 * i, 8 * i + 8);
      for (let left = 1 + random.below(3); left > 0; left--) {
        const write = this.#someWrite(random, shuffled(random, own));
        await this.#write(write);
        // At once: a listing of somebody else's that runs already must not answer this one.
        const [prefix = ""] = write.states.keys();
        await this.#list(this.#someGateway(random), { ...EVERYTHING, prefix });
      }
    });
    const listers = Array.from({ length: 1 + this.#random.below(3) }, async () => {
      const random = this.#ownRandom();
      for (let left = 1 + random.below(3); left > 0; left--) {
        const query = random.chance(0.4) ? EVERYTHING : this.#someQuery(random);
        await this.#list(this.#someGateway(random), query);
        if (random.chance(0.5)) await delay(random.below(4));
      }
    });
    // All of them end before the test does.
    for (const end of await Promise.allSettled([...writers, ...listers])) {
      if (end.status === "rejected") throw end.reason;
    }
    this.#count("listings beside writes");
  }

  /** All pages, each from another gateway than the one before. */
  async #walk(query: ListQuery): Promise<void> {
    const limit = 1 + this.#random.below(20);
    const items: string[] = [];
    let after: string | undefined = query.after;
    for (let i = this.#random.below(2); after !== undefined; i++) {
      const page: Found = await this.#list(i % this.#options.gateways.length, {
        ...query,
        limit,
        after,
      });
      items.push(...itemsOf(page));
      after = page.next;
    }
    const whole = listPlainly(this.#model.objects, { ...query, limit: KEYS });
    demandSame(items, itemsOf(whole), `All pages of ${describe(query)}`);
    this.#count("walk");
  }

  async #list(gateway: number, query: ListQuery): Promise<Found> {
    const { gateways, bucket } = this.#options;
    this.#note(`Gateway ${gateway} lists ${describe(query)}`);
    const look = this.#model.look();
    try {
      const page = await gateways[gateway]?.listObjects(bucket, query);
      const { objects = [], commonPrefixes = [], next } = page ?? {};
      const found = {
        objects: objects.map(({ key, size, etag }) => ({ key: key as string, size, etag })),
        commonPrefixes,
        next,
      };
      const expected = listPlainly(this.#model.explain(look, query, found), query);
      demandSame(found, expected, `Gateway ${gateway} lists ${describe(query)}`);
      this.#count("list");
      return found;
    } finally {
      this.#model.forget(look);
    }
  }

  async #write({ name, states, carryOut }: Write): Promise<void> {
    this.#note(`${name} ${describe([...states.keys()])}`);
    this.#model.begin(states);
    await carryOut();
    this.#model.end(states);
    this.#count(name);
  }

  /** One of the ways to write to some of these keys, to which nobody else writes. */
  #someWrite(random: Random, keys: readonly string[]): Write {
    const { native } = this.#options;
    const { objects } = this.#model;
    const kind = random.below(100);
    const [key = ""] = keys;
    if (kind < 30) return this.#put(random, key);
    if (kind < 45) return this.#delete(random, key);

    // nats.js takes names for Latin-1: of others it makes subjects that are no key's, or none.
    const names = keys.filter((key) => !NOT_ASCII.test(key));
    const [name] = names;
    if (name === undefined) return this.#put(random, key);
    if (kind < 60) {
      return {
        name: "native delete",
        states: new Map([[name, [undefined]]]),
        carryOut: () => native.delete(name),
      };
    }
    const old = names.find((name) => objects.has(name));
    const free = names.find((name) => !objects.has(name));
    if (kind < 82 && old !== undefined) {
      const { size, sha256 } = objects.get(old) as Stored;
      const isRename = free !== undefined && random.chance(0.8);
      // The client drops the metadata, in which the ETag was.
      const state = { size, etag: `${sha256.slice(0, 32)}-0`, sha256 };
      return {
        name: isRename ? "native rename" : "native metadata",
        states: isRename
          ? new Map([[old, [undefined]], [free, [state]]])
          : new Map([[old, [state]]]),
        carryOut: () => native.update(old, { name: isRename ? free : old }),
      };
    }
    const bytes = someBytes(random);
    const hash = sha256(bytes);
    const state = { size: bytes.length, etag: `${hash.slice(0, 32)}-0`, sha256: hash };
    const deletesFirst = kind < 90;
    return {
      name: deletesFirst ? "native delete and put" : "native put",
      states: new Map([[name, deletesFirst ? [undefined, state] : [state]]]),
      async carryOut() {
        if (deletesFirst) await native.delete(name);
        await native.putBlob({ name }, bytes);
      },
    };
  }

  #put(random: Random, key: string): Write {
    const { gateways, bucket } = this.#options;
    const gateway = this.#someGateway(random);
    const bytes = someBytes(random);
    const etag = createHash("md5").update(bytes).digest("hex");
    return {
      name: `put, gateway ${gateway}`,
      states: new Map([[key, [{ size: bytes.length, etag, sha256: sha256(bytes) }]]]),
      carryOut: async () =>
        await gateways[gateway]?.putObject(bucket, key as ObjectKey, input(bytes)),
    };
  }

  #delete(random: Random, key: string): Write {
    const { gateways, bucket } = this.#options;
    const gateway = this.#someGateway(random);
    return {
      name: `delete, gateway ${gateway}`,
      states: new Map([[key, [undefined]]]),
      carryOut: async () =>
        await gateways[gateway]?.deleteObject(bucket, key as ObjectKey, { precondition: {} }),
    };
  }

  #someQuery(random: Random): ListQuery {
    const keys = this.#keys;
    const prefix = random.chance(0.4)
      ? ""
      : random.chance(0.3)
      ? somePieces(random, 2)
      : startOf(random, random.pick(keys));
    const within = keys.filter((key) => key.startsWith(prefix));
    const near = random.pick(within.length > 0 ? within : keys);
    return {
      prefix,
      delimiter: random.chance(0.3)
        ? ""
        : random.chance(0.4)
        ? "/"
        : random.chance(0.6)
        ? somePieces(random, 3)
        : partOf(random, near),
      after: random.chance(0.4)
        ? ""
        : random.chance(0.4)
        ? near
        : random.chance(0.7)
        ? startOf(random, near)
        : near + somePieces(random, 2),
      limit: random.below(51),
    };
  }

  #someGateway(random: Random): number {
    return random.below(this.#options.gateways.length);
  }

  /** For what runs beside something else: who comes first must not change what the others do. */
  #ownRandom(): Random {
    return new Random(this.#random.below(2 ** 32));
  }

  #count(name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }

  #note(line: string): void {
    if (this.#done.push(line) > REMEMBERED) this.#done.shift();
  }
}

/** What was there when a listing began, and all that keys may have been since, where they were written to. */
type Look = {
  readonly objects: ReadonlyMap<string, Stored>;
  readonly uncertain: Map<string, State[]>;
};

/** What the bucket holds, by what was acknowledged. */
class Model {
  readonly #objects = new Map<string, Stored>();
  readonly #running = new Set<Write["states"]>();
  readonly #looks = new Set<Look>();

  get objects(): ReadonlyMap<string, Stored> {
    return this.#objects;
  }

  begin(states: Write["states"]): void {
    this.#running.add(states);
    for (const look of this.#looks) this.#add(look, states);
  }

  end(states: Write["states"]): void {
    this.#running.delete(states);
    for (const [key, after] of states) {
      const state = after.at(-1);
      if (state === undefined) this.#objects.delete(key);
      else this.#objects.set(key, state);
    }
  }

  /** A listing begins. */
  look(): Look {
    const look = { objects: new Map(this.#objects), uncertain: new Map<string, State[]>() };
    for (const states of this.#running) this.#add(look, states);
    this.#looks.add(look);
    return look;
  }

  /** It has ended. */
  forget(look: Look): void {
    this.#looks.delete(look);
  }

  #add({ uncertain }: Look, states: Write["states"]): void {
    for (const [key, after] of states) {
      uncertain.set(key, [...uncertain.get(key) ?? [this.#objects.get(key)], ...after]);
    }
  }

  /** Of all that there may have been, what a page speaks for. */
  explain({ objects, uncertain }: Look, query: ListQuery, found: Found): Map<string, Stored> {
    const explained = new Map(objects);
    for (const [key, states] of uncertain) {
      const state = choose(key, states, query, found);
      if (state === undefined) explained.delete(key);
      else explained.set(key, state);
    }
    return explained;
  }
}

function choose(key: string, states: readonly State[], query: ListQuery, found: Found): State {
  const shown = found.objects.find((object) => object.key === key);
  if (shown !== undefined) {
    return states.find((state) => state?.etag === shown.etag && state.size === shown.size);
  }
  const isGrouped = found.commonPrefixes.includes(itemOf(key, query).name.toString());
  const isBeyond = found.next !== undefined && compareBytes(key, found.next) > 0;
  const present = states.find((state) => state !== undefined);
  return isGrouped || isBeyond ? present : states.includes(undefined) ? undefined : present;
}

/** S3's rules on the bytes of all keys: filter, sort, group, cut. */
function listPlainly(
  objects: ReadonlyMap<string, Stored>,
  query: ListQuery,
): Found {
  const prefix = Buffer.from(query.prefix);
  const after = Buffer.from(query.after);
  const keys = [...objects.keys()].filter((key) => {
    const bytes = Buffer.from(key);
    return bytes.subarray(0, prefix.length).equals(prefix) && Buffer.compare(bytes, after) > 0;
  });
  const items = new Map<string, { readonly isGroup: boolean }>();
  for (const key of keys.sort(compareBytes)) {
    const { name, isGroup } = itemOf(key, query);
    if (!(isGroup && name.equals(after))) items.set(name.toString(), { isGroup });
  }
  const page = [...items].slice(0, query.limit);
  return {
    objects: page.filter(([, { isGroup }]) => !isGroup).map(([key]) => {
      const { size, etag } = objects.get(key) as Stored;
      return { key, size, etag };
    }),
    commonPrefixes: page.filter(([, { isGroup }]) => isGroup).map(([name]) => name),
    next: page.length < items.size ? page.at(-1)?.[0] : undefined,
  };
}

/** The key itself, or the common prefix that stands for it. */
function itemOf(
  key: string,
  { prefix, delimiter }: ListQuery,
): { readonly name: Buffer; readonly isGroup: boolean } {
  const bytes = Buffer.from(key);
  const found = bytes.indexOf(delimiter, Buffer.byteLength(prefix));
  if (delimiter === "" || found < 0) return { name: bytes, isGroup: false };
  return { name: bytes.subarray(0, found + Buffer.byteLength(delimiter)), isGroup: true };
}

function itemsOf({ objects, commonPrefixes }: Found): string[] {
  return [...objects.map(({ key }) => key), ...commonPrefixes].sort(compareBytes);
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function someKeys(random: Random): readonly string[] {
  const keys = new Set<string>();
  while (keys.size < KEYS) {
    const kind = random.below(10);
    let key = somePieces(random, 5);
    if (keys.size > 0 && kind < 3) key = random.pick([...keys]) + key;
    else if (keys.size > 0 && kind < 5) key = startOf(random, random.pick([...keys]));
    else if (kind < 6) key = lengthened(random, key);
    if (key !== "" && Buffer.byteLength(key) <= MAX_KEY_BYTES) keys.add(key);
  }
  return shuffled(random, [...keys]);
}

/** The longest key that begins so and goes on with one character. */
function lengthened(random: Random, key: string): string {
  const filling = random.pick(["a", "/", "é", "😀"]);
  const left = MAX_KEY_BYTES - Buffer.byteLength(key);
  return key + filling.repeat(Math.floor(left / Buffer.byteLength(filling)));
}

function somePieces(random: Random, most: number): string {
  return Array.from({ length: 1 + random.below(most) }, () => random.pick(PIECES)).join("");
}

function startOf(random: Random, key: string): string {
  const characters = Array.from(key);
  return characters.slice(0, 1 + random.below(characters.length)).join("");
}

function partOf(random: Random, key: string): string {
  const characters = Array.from(key);
  const start = random.below(characters.length);
  return characters.slice(start, start + 1 + random.below(4)).join("");
}

function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  return items.map((item) => ({ item, at: random.next() })).sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Bytes that hardly come twice; now and then none, or more than a native chunk. */
function someBytes(random: Random): Uint8Array {
  const kind = random.below(40);
  if (kind === 0) return new Uint8Array();
  const bytes = Buffer.alloc(kind === 1 ? 140_000 : 8 + random.below(50));
  bytes.writeUInt32LE(random.below(2 ** 32));
  bytes.writeUInt32LE(random.below(2 ** 32), 4);
  return bytes;
}

function demandSame(found: unknown, expected: unknown, what: string): void {
  try {
    deepStrictEqual(found, expected);
  } catch (cause) {
    if (!(cause instanceof AssertionError)) throw cause;
    throw new Error(`${what}: ${cause.message}`);
  }
}

/** For messages: of a long text the beginning. */
function describe(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) => typeof part === "string" && part.length > 60 ? `${part.slice(0, 60)}…` : part,
  );
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
