/**
 * Random requests about the versions of a few keys, in a bucket with object lock and in one without.
 * @module
 */

import { Random } from "../simulation/random.ts";
import {
  inDays,
  LOCKED,
  NAMES,
  newBypass,
  newBytes,
  newCondition,
  newLock,
  newMode,
} from "./version_headers.ts";
import { type Ended, RandomUploads } from "./version_uploads.ts";
import type { AskedOfSide, Label, Named } from "./version_side.ts";

/** One request, and what a comparison must know of it. */
export type VersionRequest = {
  /** Tells a person what it does. */
  readonly text: string;
  readonly asked: AskedOfSide;
  /** The keys that it may change or depends on. A request of the whole bucket has none. */
  readonly keys: readonly string[];
} & Ended;

/** Returns random requests. */
export class RandomVersionRequests {
  readonly #random: Random;
  readonly #labelsOf: (bucket: string, name: string) => readonly Label[];
  readonly #uploads = new RandomUploads();
  readonly #buckets: readonly string[];
  #bucket = LOCKED;

  constructor(
    { seed, buckets, labelsOf }: {
      readonly seed: number;
      readonly buckets: readonly string[];
      /** Returns the versions that requests may name, those that are gone too. */
      readonly labelsOf: (bucket: string, name: string) => readonly Label[];
    },
  ) {
    this.#random = new Random(seed);
    this.#buckets = buckets;
    this.#labelsOf = labelsOf;
  }

  /** Returns the next request. */
  next(): VersionRequest {
    const random = this.#random;
    this.#bucket = random.pick([LOCKED, ...this.#buckets]);
    const kinds: [weight: number, make: (name: string) => VersionRequest][] = [
      [26, (name) => this.#put(name)],
      [10, (name) => this.#copy(name)],
      [12, (name) => this.#upload(name)],
      [10, (name) => this.#delete(name)],
      [20, (name) => this.#remove(name)],
      [6, (name) => this.#removeMany(name)],
      [8, (name) => this.#tag(name)],
      [12, (name) => this.#changeLock(name)],
      [8, (name) => this.#read(name)],
      [6, (name) => this.#list(name)],
      [1, (name) => this.#rename(name)],
      [1, () => this.#setVersioning()],
      [1, () => this.#deleteBucket()],
    ];
    let at = random.below(kinds.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, make] of kinds) {
      if (at < weight) return make(random.pick(NAMES));
      at -= weight;
    }
    throw new RangeError("No kind has this weight");
  }

  #put(name: string): VersionRequest {
    const body = newBytes(this.#random);
    const headers = {
      "x-amz-meta-number": `${this.#random.below(10)}`,
      ...newCondition(this.#random),
      ...this.#lock(),
    };
    return this.#on(name, `put ${body.length}`, { method: "PUT", headers, body });
  }

  #copy(name: string): VersionRequest {
    const source = this.#named(this.#random.pick(NAMES), 0.5);
    const isSelf = source.key === name;
    const headers = {
      ...this.#lock(),
      // Without a change, a copy on itself is refused.
      ...(isSelf && this.#random.chance(0.7) && {
        "x-amz-metadata-directive": "REPLACE",
        "x-amz-meta-number": `${this.#random.below(10)}`,
      }),
    };
    const copied = this.#on(name, `copy ${source.key} ${source.version}`, {
      method: "PUT",
      headers,
      source,
    });
    return { ...copied, keys: [name, source.key] };
  }

  #upload(name: string): VersionRequest {
    const { input, ...step } = this.#uploads.next(this.#random, this.#bucket, name);
    return { ...this.#on(name, step.what, input), ...step };
  }

  #delete(name: string): VersionRequest {
    const headers = newCondition(this.#random, true);
    return this.#on(name, "delete", { method: "DELETE", headers });
  }

  #remove(name: string): VersionRequest {
    const on = this.#named(name, 0);
    return this.#on(name, "remove", { method: "DELETE", headers: this.#bypass(), on });
  }

  #removeMany(name: string): VersionRequest {
    const random = this.#random;
    const names = [...new Set([name, random.pick(NAMES), random.pick(NAMES)])];
    const deletes = names.map((key) => this.#named(key, 0.3));
    return {
      text: `remove many in ${this.#bucket} ${JSON.stringify(deletes)}`,
      asked: {
        method: "POST",
        bucket: this.#bucket,
        query: "delete=",
        headers: this.#bypass(),
        deletes,
      },
      keys: names,
      twice: "other effect",
    };
  }

  #tag(name: string): VersionRequest {
    const on = this.#named(name, 0.3);
    if (this.#random.chance(0.3)) {
      const method = this.#random.pick(["DELETE", "GET"]);
      return this.#on(name, `tags ${method}`, { method, query: "tagging=", on }, true);
    }
    const tag = `<Tag><Key>n</Key><Value>${this.#random.below(100)}</Value></Tag>`;
    const body = `<Tagging><TagSet>${tag}</TagSet></Tagging>`;
    return this.#on(name, "tag", { method: "PUT", query: "tagging=", body, on }, true);
  }

  #changeLock(name: string): VersionRequest {
    const random = this.#random;
    const on = this.#named(name, 0.3);
    if (random.chance(0.2)) {
      const query = random.pick(["retention=", "legal-hold="]);
      return this.#on(name, `get ${query}`, { method: "GET", query, on }, true);
    }
    if (random.chance(0.6)) {
      const status = random.chance(0.3) ? "ON" : "OFF";
      const body = `<LegalHold><Status>${status}</Status></LegalHold>`;
      return this.#on(
        name,
        `hold ${status}`,
        { method: "PUT", query: "legal-hold=", body, on },
        true,
      );
    }
    const days = random.pick([-10, 10, 20, 30]);
    const until = inDays(days);
    const body = random.chance(0.3)
      ? "<Retention></Retention>"
      : `<Retention><Mode>${
        newMode(random)
      }</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`;
    const headers = this.#bypass();
    const input = { method: "PUT", query: "retention=", body, on, headers };
    return this.#on(name, `retain ${body}`, input, true);
  }

  #read(name: string): VersionRequest {
    const method = this.#random.pick(["GET", "HEAD"]);
    return this.#on(name, method, { method, on: this.#named(name, 0.3) }, true);
  }

  #list(name: string): VersionRequest {
    const random = this.#random;
    const prefix = encodeURIComponent(random.pick(["", "", "a", "a/", "c/", name]));
    const limit = random.pick([1, 2, 3, 7, 1000]);
    const delimiter = random.pick(["", "%2F"]);
    const query = `versions=&prefix=${prefix}&delimiter=${delimiter}&max-keys=${limit}`;
    return this.#whole(`list ${query}`, { method: "GET", query });
  }

  #rename(name: string): VersionRequest {
    const headers = { "x-amz-rename-source": `/${this.#bucket}/${this.#random.pick(NAMES)}` };
    return this.#on(name, "rename", { method: "PUT", query: "renameObject=", headers });
  }

  #setVersioning(): VersionRequest {
    const status = this.#random.chance(0.65) ? "Enabled" : "Suspended";
    const body = `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`;
    return this.#whole(`versioning ${status}`, { method: "PUT", query: "versioning=", body });
  }

  /** Asks to delete the bucket with object lock, which is never empty: something in it is locked from the beginning. */
  #deleteBucket(): VersionRequest {
    this.#bucket = LOCKED;
    return this.#whole("delete the bucket", { method: "DELETE" });
  }

  #on(
    name: string,
    what: string,
    asked: Omit<AskedOfSide, "bucket">,
    isRepeatable = asked.method === "GET" || asked.method === "HEAD",
  ): VersionRequest {
    const on = asked.on ?? { key: name };
    const bucket = this.#bucket;
    const { headers = {} } = asked;
    const text = `${what} on ${bucket}/${on.key} ${on.version ?? ""} ${JSON.stringify(headers)}`;
    return {
      text,
      asked: { ...asked, bucket, on },
      keys: [on.key],
      twice: isRepeatable ? "same" : "other effect",
    };
  }

  #whole(what: string, asked: Omit<AskedOfSide, "bucket">): VersionRequest {
    const bucket = this.#bucket;
    return { text: `${what} in ${bucket}`, asked: { ...asked, bucket }, keys: [], twice: "same" };
  }

  #lock(): Record<string, string> {
    return newLock(this.#random, this.#bucket);
  }

  #bypass(): Record<string, string> {
    return newBypass(this.#random, this.#bucket);
  }

  /** Names a version that a key has or had, the version `null`, or with a probability the current one. */
  #named(key: string, current: number): Named {
    const random = this.#random;
    if (random.chance(current)) return { key };
    const labels = this.#labelsOf(this.#bucket, random.chance(0.05) ? random.pick(NAMES) : key);
    if (labels.length === 0 || random.chance(0.2)) return { key, version: "null" };
    // Late ones mostly, because the early ones are gone.
    return { key, version: random.pick(random.chance(0.7) ? labels.slice(-4) : labels) };
  }
}
