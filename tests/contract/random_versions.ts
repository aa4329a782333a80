/**
 * Random operations on the versions of a few keys.
 * @module
 */

import type { WritePrecondition } from "../../src/s3/conditions.ts";
import type { LockChange, LockInput, RetentionMode } from "../../src/store/objects.ts";
import { Random } from "../simulation/random.ts";
import {
  bucket,
  completion,
  key,
  KIB,
  objectInput,
  OWNER,
  part,
  partInput,
  pattern,
  plain,
  uploadInput,
} from "./inputs.ts";
import type { Label, LabelledStore } from "./labelled_store.ts";
import { md5Of } from "./steps.ts";
import { setVersioning } from "./version_steps.ts";

/** One operation. Its text tells a person what it does. */
export type Operation = {
  readonly text: string;
  /** The key that it may change. */
  readonly name: string;
  /** Carries it out and returns what was answered, in a form that can be compared. */
  readonly run: (on: LabelledStore) => Promise<unknown>;
};

/** The keys of the operations. */
export const NAMES = ["a", "a/1", "a/2", "b", "c/1/x"];

/** The sizes of the bodies that are written, in bytes. */
const SIZES = [0, 1, ...Array<number>(12).fill(10), 130 * KIB, 300 * KIB];
const DAY = 24 * 60 * 60 * 1000;
const TODAY = Math.floor(Date.now() / DAY) * DAY;

/** Returns random operations. */
export class RandomVersions {
  readonly #random: Random;
  readonly #labelsOf: (name: string) => readonly Label[];

  /** @param labelsOf Returns the versions that operations on a key may name, those that are gone too. */
  constructor(seed: number, labelsOf: (name: string) => readonly Label[]) {
    this.#random = new Random(seed);
    this.#labelsOf = labelsOf;
  }

  /** Returns the next operation. */
  next(): Operation {
    const random = this.#random;
    const name = random.pick(NAMES);
    const kinds: [weight: number, make: (name: string) => Operation][] = [
      [24, (name) => this.#put(name)],
      [6, (name) => this.#upload(name)],
      [10, (name) => this.#delete(name)],
      [20, (name) => this.#remove(name)],
      [8, (name) => this.#tag(name)],
      [10, (name) => this.#changeLock(name)],
      [6, (name) => this.#read(name)],
      [8, (name) => this.#list(name)],
      [3, (name) => this.#rename(name)],
      [3, (name) => this.#setVersioning(name)],
      [2, (name) => this.#deleteBucket(name)],
    ];
    let at = random.below(kinds.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, make] of kinds) {
      if (at < weight) return make(name);
      at -= weight;
    }
    throw new RangeError("No kind has this weight");
  }

  #put(name: string): Operation {
    const bytes = this.#bytes();
    const precondition = this.#precondition();
    const lock = this.#lock();
    const properties = { ...plain, user: { number: `${this.#random.below(10)}` } };
    const options = { precondition, properties, ...(lock && { lock }) };
    return {
      text: `put ${name} ${bytes.length} ${JSON.stringify({ precondition, lock })}`,
      name,
      run: async (on) =>
        on.info(await on.store.putObject(bucket, key(name), objectInput(bytes, options))),
    };
  }

  #upload(name: string): Operation {
    const bytes = this.#bytes();
    const precondition = this.#precondition();
    const lock = this.#lock();
    const isAborted = this.#random.chance(0.2);
    return {
      text: `upload ${name} ${bytes.length} ${JSON.stringify({ precondition, lock, isAborted })}`,
      name,
      async run(on) {
        const { store } = on;
        const id = await store.createUpload(bucket, key(name), uploadInput(lock && { lock }));
        const put = await store.putPart(bucket, key(name), id, part(1), partInput(bytes));
        if (isAborted) return await store.abortUpload(bucket, key(name), id);
        const input = { ...completion([put]), precondition };
        return on.info(await store.completeUpload(bucket, key(name), id, input));
      },
    };
  }

  #delete(name: string): Operation {
    const precondition = this.#precondition();
    return {
      text: `delete ${name} ${JSON.stringify(precondition)}`,
      name,
      async run(on) {
        const input = { precondition, owner: OWNER };
        const { versionId, isMarker } = await on.store.deleteObject(bucket, key(name), input);
        return { version: on.label(versionId), isMarker };
      },
    };
  }

  #remove(name: string): Operation {
    const label = this.#version(name);
    const bypass = this.#random.chance(0.5);
    const precondition = this.#random.chance(0.1) ? this.#precondition() : {};
    return {
      text: `remove ${name} ${label} ${JSON.stringify({ bypass, precondition })}`,
      name,
      async run(on) {
        const input = { precondition, bypass, owner: OWNER, versionId: on.id(label) };
        const { versionId, isMarker } = await on.store.deleteObject(bucket, key(name), input);
        return { version: on.label(versionId), isMarker };
      },
    };
  }

  #tag(name: string): Operation {
    const label = this.#random.chance(0.3) ? undefined : this.#version(name);
    const tags = { number: `${this.#random.below(100)}` };
    return {
      text: `tag ${name} ${label} ${tags.number}`,
      name,
      async run(on) {
        const options = { versionId: on.id(label) };
        const { versionId } = await on.store.putObjectTags(bucket, key(name), tags, options);
        return on.label(versionId);
      },
    };
  }

  #changeLock(name: string): Operation {
    const random = this.#random;
    const label = random.chance(0.3) ? undefined : this.#version(name);
    const change: LockChange = random.chance(0.6)
      ? { kind: "hold", legalHold: random.chance(0.3) }
      : { kind: "retention", retention: this.#retention(), bypass: random.chance(0.6) };
    return {
      text: `lock ${name} ${label} ${JSON.stringify(change)}`,
      name,
      async run(on) {
        const options = { versionId: on.id(label) };
        const { versionId } = await on.store.changeLock(bucket, key(name), change, options);
        return on.label(versionId);
      },
    };
  }

  #read(name: string): Operation {
    const label = this.#random.chance(0.3) ? undefined : this.#version(name);
    return {
      text: `read ${name} ${label}`,
      name,
      run: async (on) =>
        on.info(await on.store.readObject(bucket, key(name), { versionId: on.id(label) })),
    };
  }

  #list(name: string): Operation {
    const query = {
      prefix: this.#random.pick(["", "", "a", "a/", "c/", name]),
      delimiter: this.#random.pick(["", "/"]),
      limit: this.#random.pick([1, 2, 3, 7, 1000]),
    };
    return { text: `list ${JSON.stringify(query)}`, name, run: (on) => on.pages(query) };
  }

  #rename(name: string): Operation {
    const source = this.#random.pick(NAMES);
    const input = { precondition: { source: {}, destination: {} } };
    return {
      text: `rename ${source} ${name}`,
      name,
      run: ({ store }) => store.renameObject(bucket, key(source), key(name), input),
    };
  }

  #setVersioning(name: string): Operation {
    const state = this.#random.chance(0.65) ? "Enabled" : "Suspended";
    return {
      text: `versioning ${state}`,
      name,
      run: ({ store }) => setVersioning(store, state),
    };
  }

  #deleteBucket(name: string): Operation {
    return {
      text: "delete the bucket",
      name,
      async run(on) {
        const pages = await on.pages({ prefix: "", delimiter: "/", limit: 1 });
        // The run goes on in the same bucket.
        if (pages.length > 1) await on.store.deleteBucket(bucket);
      },
    };
  }

  #bytes(): Uint8Array {
    return pattern(this.#random.pick(SIZES), this.#random.below(3));
  }

  #precondition(): WritePrecondition {
    const random = this.#random;
    if (random.chance(0.75)) return {};
    return random.pick<WritePrecondition>([
      { ifNoneMatch: "*" },
      { ifMatch: "*" },
      { ifMatch: md5Of(this.#bytes()) },
    ]);
  }

  #lock(): LockInput | undefined {
    const random = this.#random;
    if (random.chance(0.8)) return undefined;
    if (random.chance(0.3)) return { legalHold: true };
    const until = new Date(TODAY + random.pick([-10, 10, 20]) * DAY);
    const mode = this.#mode();
    return { retention: random.chance(0.5) ? { mode, until } : { mode, days: 1 } };
  }

  #retention(): { mode: RetentionMode; until: Date } | undefined {
    if (this.#random.chance(0.4)) return undefined;
    const days = this.#random.pick([-10, 10, 20, 30]);
    return { mode: this.#mode(), until: new Date(TODAY + days * DAY) };
  }

  /** Mostly GOVERNANCE: a version under COMPLIANCE stays until the end of the run. */
  #mode(): RetentionMode {
    return this.#random.chance(0.1) ? "COMPLIANCE" : "GOVERNANCE";
  }

  /** Returns a version that a key has or had, the version `null`, or one of another key. */
  #version(name: string): Label {
    const random = this.#random;
    const from = random.chance(0.05) ? random.pick(NAMES) : name;
    const labels = this.#labelsOf(from);
    // Late ones mostly, because the early ones are gone.
    if (labels.length === 0 || random.chance(0.2)) return "null";
    return random.pick(random.chance(0.7) ? labels.slice(-4) : labels);
  }
}
