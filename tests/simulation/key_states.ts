/**
 * All keys of a bucket together, as the server held them from moment to moment: a page of a listing shows one of these states.
 * @module
 */

import { parseInfo } from "../../src/nats/layout/object_info.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { infoSubject, keyOfSubject } from "../../src/nats/layout/subjects.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import type { Value } from "../cluster/history.ts";
import type { StoreChange, Stored } from "./jetstream/message_store.ts";
import type { Stream } from "./jetstream/stream.ts";

/** The keys of a bucket from one moment until the next state begins. */
type KeyState = {
  readonly since: number;
  /** Each key that has an object. */
  readonly values: ReadonlyMap<ObjectKey, string>;
};

/** The states of a bucket's keys, of which it hears as a consumer of the stream's leader does. */
export class KeyStates {
  readonly #name: StoreName;
  readonly #moment: () => number;
  #stream: Stream | undefined;
  #states: KeyState[] = [];
  /** Changes that belong together and are not a state yet. */
  #changes = new Map<ObjectKey, Value>();

  constructor(name: StoreName, moment: () => number) {
    this.#name = name;
    this.#moment = moment;
  }

  /** Begins to hear of a stream. */
  follow(stream: Stream): void {
    this.#stream = stream;
    stream.copies[0]?.consumers.add(this);
    this.beginAnew();
  }

  /** Begins again with what the server holds now, for example after a power failure. */
  beginAnew(): void {
    this.#changes.clear();
    const values = new Map<ObjectKey, string>();
    for (const subject of this.#stream?.store.subjects.keys() ?? []) {
      const key = keyOfSubject(this.#name, subject);
      const value = key === undefined
        ? null
        : this.#valueOf(key, this.#stream?.store.last(subject));
      if (key !== undefined && value !== null) values.set(key, value);
    }
    this.#states = [{ since: this.#moment(), values }];
  }

  /** Hears of a change. */
  changed(change: StoreChange, removed: readonly Stored[]): void {
    if (change.kind === "store") {
      const key = keyOfSubject(this.#name, change.message.subject);
      if (key !== undefined) this.#changes.set(key, this.#valueOf(key, change.message));
      return;
    }
    for (const { subject } of removed) {
      const key = keyOfSubject(this.#name, subject);
      if (key !== undefined) this.#changes.set(key, this.#present(key));
    }
  }

  /** Hears that the changes so far belong together. */
  deliverNew(): void {
    if (this.#changes.size === 0) return;
    const values = new Map(this.#states.at(-1)?.values);
    for (const [key, value] of this.#changes) {
      if (value === null) values.delete(key);
      else values.set(key, value);
    }
    this.#changes.clear();
    this.#states.push({ since: this.#moment(), values });
  }

  /**
   * Tells whether some keys had certain values at one moment since another one.
   *
   * @param isAsked Tells whether a key is one of them.
   */
  hadSince(
    from: number,
    isAsked: (key: ObjectKey) => boolean,
    values: ReadonlyMap<ObjectKey, string>,
  ): boolean {
    return this.#some(from, (state) => {
      let count = 0;
      for (const [key, value] of state) {
        if (!isAsked(key)) continue;
        if (values.get(key) !== value) return false;
        count++;
      }
      return count === values.size;
    });
  }

  /** Tells whether there was a certain number of objects at one moment since another one. */
  countedSince(from: number, count: number): boolean {
    return this.#some(from, ({ size }) => size === count);
  }

  #some(from: number, fits: (values: KeyState["values"]) => boolean): boolean {
    for (let i = this.#states.length - 1; i >= 0; i--) {
      const state = this.#states[i];
      if (state === undefined) break;
      if (fits(state.values)) return true;
      if (state.since < from) break;
    }
    return false;
  }

  #present(key: ObjectKey): Value {
    return this.#valueOf(key, this.#stream?.store.last(infoSubject(this.#name, key)));
  }

  #valueOf(key: ObjectKey, message: Stored | undefined): Value {
    if (message === undefined) return null;
    const parsed = parseInfo(key, message.data, new Date(message.time.ms));
    if (parsed.kind === "object") return parsed.object.info.etag;
    return parsed.kind === "absent" ? null : "unreadable";
  }
}
