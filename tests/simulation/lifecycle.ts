/**
 * Lifecycle rules of the bucket that stays: clients set and remove them, the gateways carry them out with a short day, and what
 * goes must be what a rule in force lets go, by the server's clock.
 * @module
 */

import { textOf } from "../../src/nats/jetstream/messages.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { records } from "../../src/nats/layout/subjects.ts";
import type { NatsStore } from "../../src/nats/store.ts";
import {
  type Expiry,
  expiryOfMarker,
  expiryOfNoncurrent,
  expiryOfObject,
  expiryOfUpload,
  type LifecycleRule,
} from "../../src/s3/lifecycle.ts";
import { parseKeptLifecycle } from "../../src/s3/lifecycle_document.ts";
import { NULL_VERSION } from "../../src/s3/version_id.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import type { Held, HeldVersions } from "./held_versions.ts";
import { EPOCH } from "./home.ts";
import type { Stored } from "./jetstream/message_store.ts";
import type { Stream } from "./jetstream/stream.ts";
import type { LifecyclePlan } from "./plan.ts";
import type { Uploads } from "./upload_lists.ts";

/** Rules from a moment on until the next ones. */
type Period = { readonly since: number; readonly rules: readonly LifecycleRule[] };
/** Something that a gateway removes. */
type Removal = { readonly key: ObjectKey; readonly runSince: number; readonly began: number };

/** Milliseconds for which gateways may obey rules after a change, and what is on its way may need, at most. */
const [LEASE, ON_ITS_WAY, ON_A_BAD_WAY] = [1000, 500, 30_000];
/** Milliseconds for which a removal may still happen after its call has failed. */
const LATE = 60_000;
/** Milliseconds by which the beginning of an upload may be earlier than its client knows. */
const BEFORE_ANSWER = 20_000;

/** The rules that are or were in force, and what gateways remove because of them. */
export class Lifecycle {
  readonly plan: LifecyclePlan;
  /** Gateways that begin carry no rules out any more. */
  isOver = false;
  readonly #subject: string;
  readonly #now: () => number;
  readonly #object: (text: string) => void;
  readonly #slack: number;
  readonly #uploads: Uploads;
  #stream: Stream | undefined;
  #last: Stored | undefined;
  #periods: Period[] = [];
  readonly #removals = new Set<Removal>();
  /** Clients' requests to delete that may be carried out. */
  readonly #asked = new Set<Pick<Removal, "key" | "began">>();

  constructor(plan: LifecyclePlan, { store, now, object, isQuiet, uploads }: {
    readonly store: StoreName;
    /** Milliseconds of simulated time. */
    readonly now: () => number;
    readonly object: (text: string) => void;
    readonly isQuiet: boolean;
    readonly uploads: Uploads;
  }) {
    this.plan = plan;
    this.#subject = records.bucket(store, "lifecycle");
    this.#now = () => EPOCH + now();
    this.#object = object;
    this.#uploads = uploads;
    this.#slack = LEASE + (isQuiet ? ON_ITS_WAY : ON_A_BAD_WAY);
  }

  /** Begins to hear of a stream. */
  follow(stream: Stream): void {
    this.#stream = stream;
    stream.copies[0]?.consumers.add(this);
    this.beginAnew();
  }

  /** Goes on with what the server holds now. */
  beginAnew(): void {
    this.#note(this.#stream?.store.last(this.#subject));
  }

  /** Hears of a change. */
  changed(): void {}

  /** Looks what the rules are after changes that belong together. */
  deliverNew(): void {
    this.#note(this.#stream?.store.last(this.#subject));
  }

  #note(message: Stored | undefined): void {
    if (this.#periods.length > 0 && message === this.#last) return;
    this.#last = message;
    const text = message === undefined ? "" : textOf(message.data);
    const rules = text === "" ? [] : parseKeptLifecycle(text).rules;
    this.#periods.push({ since: this.#now(), rules });
  }

  /** Notes that a client asks to delete the current version of a key. Returns what to call when that is answered. */
  deletes(key: ObjectKey): () => void {
    const asked = { key, began: this.#now() };
    this.#asked.add(asked);
    return () => this.#asked.delete(asked);
  }

  /** Returns a store whose removals are noted. */
  watched(store: NatsStore): NatsStore {
    let runSince = this.#now();
    const removing = async <T>(key: ObjectKey, work: () => Promise<T>): Promise<T> => {
      const removal = { key, runSince, began: this.#now() };
      this.#removals.add(removal);
      const result = await work();
      this.#removals.delete(removal); // one that fails may still happen
      return result;
    };
    const watched: Pick<NatsStore, "abortUpload" | "deleteObject" | "claimLifecycle"> = {
      claimLifecycle: (bucket) => {
        runSince = this.#now();
        return store.claimLifecycle(bucket);
      },
      deleteObject: (bucket, key, options) =>
        removing(key, () => store.deleteObject(bucket, key, options)),
      abortUpload: (bucket, key, id) => {
        const began = this.#uploads.expires(id);
        const isDue = began === undefined || this.#isDue(
          this.#now() - this.#slack,
          (rules) => expiryOfUpload(rules, key, beforeAnswer(EPOCH + began), this.plan.day),
        );
        if (!isDue) this.#object(`The upload ${id} of ${key} is aborted before its time`);
        return store.abortUpload(bucket, key, id);
      },
    };
    return Object.assign(Object.create(store) as NatsStore, watched);
  }

  /**
   * Explains what is wrong with the removal of a version that no client asked for.
   *
   * @param earlier States of the key in which a gateway may have judged it.
   */
  explain(
    key: ObjectKey,
    version: Held,
    { versions, hasCurrent }: HeldVersions,
    earlier: (since: number) => readonly HeldVersions[],
  ): string | undefined {
    const since = this.#since(key);
    const name = `Version ${key} ${version.id} (${version.value})`;
    if (since === undefined) return `${name} is gone, and nobody removed it`;
    const isMarker = version.value === null;
    if (hasCurrent && versions[0] === version) {
      if (!isMarker) return `${name} is gone by a rule, and it was the current version`;
      if (versions.length > 1) return `${name} is gone by a rule, and it hid others`;
      const isDue = this.#isDue(since.rules, (rules) => {
        return expiryOfMarker(rules, key, new Date(version.modified), this.plan.day);
      });
      return isDue ? undefined : `${name} is gone by a rule before its time`;
    }
    const states = earlier(since.run);
    const isDue = states.some(({ versions }) => {
      const place = versions.findIndex(({ id }) => id === version.id);
      const newer = versions[place - 1];
      if (newer === undefined) return false;
      const facts = { since: new Date(newer.modified), newer: place - 1 };
      return this.#isDue(since.rules, (rules) => {
        return expiryOfNoncurrent(rules, subjectOf(key), facts, this.plan.day);
      });
    });
    return isDue ? undefined : `${name} is gone by a rule before its time`;
  }

  /** Explains what is wrong with a new delete marker in the place of an object. */
  explainMarker(key: ObjectKey, version: Held): string | undefined {
    const since = this.#since(key);
    const isDue = since !== undefined && this.#isDue(since.rules, (rules) => {
      return expiryOfObject(rules, subjectOf(key), new Date(version.modified), this.plan.day);
    });
    const isAsked = [...this.#asked].some((asked) => {
      return asked.key === key && asked.began + LATE >= this.#now();
    });
    if (isDue || isAsked) return undefined;
    return `A delete marker hides ${version.id} of ${key}, and neither a client nor a rule asked for it`;
  }

  /** Explains what is left of a key although it was due long ago. */
  *explainLeft(key: ObjectKey, { versions, hasCurrent }: HeldVersions): Generator<string> {
    const { day } = this.plan;
    const rules = this.#periods.at(-1)?.rules ?? [];
    const now = this.#now();
    for (const [i, version] of versions.entries()) {
      if (version.isHeld || version.until > now - 2 * day) continue;
      const modified = new Date(version.modified);
      const newer = versions[i - 1];
      let expiry: Expiry | undefined;
      if (newer !== undefined) {
        const facts = { since: new Date(newer.modified), newer: i - 1 };
        expiry = expiryOfNoncurrent(rules, subjectOf(key), facts, day);
      } else if (!hasCurrent || (version.value === null && version.id === NULL_VERSION)) {
        continue; // where versioning never was, a deletion leaves the like of a delete marker
      } else if (version.value !== null) {
        expiry = expiryOfObject(rules, subjectOf(key), modified, day);
      } else if (versions.length === 1) expiry = expiryOfMarker(rules, key, modified, day);
      if (expiry !== undefined && expiry.at.getTime() <= now - 2 * day) {
        yield `Version ${key} ${version.id} was due at ${expiry.at.getTime() - EPOCH} and is left`;
      }
    }
  }

  /** Returns since when rules may be those of a removal under way, and states what it has seen. */
  #since(key: ObjectKey): { readonly rules: number; readonly run: number } | undefined {
    let [first, run] = [Infinity, Infinity];
    for (const removal of this.#removals) {
      if (removal.began + LATE < this.#now()) this.#removals.delete(removal);
      else if (removal.key === key) {
        first = Math.min(first, removal.began);
        run = Math.min(run, removal.runSince);
      }
    }
    return first === Infinity ? undefined : { rules: first - this.#slack, run };
  }

  /** Tells whether something is due by now by rules that were in force since a moment. */
  #isDue(
    since: number,
    expiryOf: (rules: readonly LifecycleRule[]) => Expiry | undefined,
  ): boolean {
    const first = this.#periods.findLastIndex((period) => period.since <= since);
    return this.#periods.slice(Math.max(first, 0)).some(({ rules }) => {
      const expiry = expiryOf(rules);
      return expiry !== undefined && expiry.at.getTime() <= this.#now();
    });
  }
}

const NO_TAGS = new Map<string, string>();

function subjectOf(key: ObjectKey) {
  return { key, size: 1, tags: NO_TAGS };
}

function beforeAnswer(time: number): Date {
  return new Date(time - BEFORE_ANSWER);
}
