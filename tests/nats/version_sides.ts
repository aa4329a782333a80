/**
 * Two sides that have been asked the same: gateways on nats-server, and the model.
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { NAMES } from "./version_headers.ts";
import { type Answered, type AskedOfSide, type Label, type SendTo, Side } from "./version_side.ts";

/** Milliseconds within which killed processes serve again. */
const PATIENCE = 120_000;

/** Compares what both sides answer and show. */
export class VersionSides {
  readonly model: Side;
  readonly real: Side;
  readonly #mayLose: boolean;
  readonly #labels = new Map<string, Label[]>();

  constructor(
    { model, real, mayLose }: {
      readonly model: SendTo;
      readonly real: SendTo;
      /** Whether processes are killed. */
      readonly mayLose: boolean;
    },
  ) {
    this.model = new Side(model);
    this.real = new Side(real);
    this.#mayLose = mayLose;
  }

  /** Returns the labels of all versions of a key that were ever shown, removed ones too. */
  labelsOf(bucket: string, key: string): readonly Label[] {
    return this.#labels.get(`${bucket}/${key}`) ?? [];
  }

  /** Asks until there is a response. */
  async insist(asked: AskedOfSide): Promise<Answered> {
    for (const began = performance.now(); performance.now() - began < PATIENCE;) {
      const answered = await this.try(asked);
      if (answered !== undefined) return answered;
      await delay(100);
    }
    throw new Error(`${asked.method} is never answered`);
  }

  /** Returns undefined if there is no response. */
  async try(asked: AskedOfSide): Promise<Answered | undefined> {
    try {
      const answered = await this.real.ask(asked);
      return this.#mayLose && isUndone(answered) ? undefined : answered;
    } catch (cause) {
      if (this.#mayLose && (cause instanceof TypeError || cause instanceof DOMException)) {
        return undefined;
      }
      throw cause;
    }
  }

  /** Asks the model the same, and compares the answers. Returns the label of the upload that began; undefined for an error. */
  async follow(asked: AskedOfSide, answered: Answered, text: string): Promise<Label | undefined> {
    const expected = await this.model.ask(asked);
    deepStrictEqual(this.real.show(answered), this.model.show(expected), text);
    if (expected.status >= 300) return undefined;
    if (asked.query !== "uploads=") return "";
    this.real.uploadIn(answered);
    return this.model.uploadIn(expected);
  }

  /** Tells whether both sides show the same of some keys. */
  async isAlike(bucket: string, keys: readonly string[]): Promise<boolean> {
    for (const key of keys) {
      const shown = [];
      for (const side of [this.real, this.model]) {
        shown.push(await this.#state(side, bucket, key));
      }
      if (!isDeepStrictEqual(shown[0], shown[1])) return false;
    }
    return true;
  }

  /** Asks both, and compares the answers. */
  async both(asked: AskedOfSide): Promise<void> {
    const answered = await this.insist(asked);
    const expected = await this.model.ask(asked);
    deepStrictEqual(this.real.show(answered), this.model.show(expected), asked.query);
  }

  /** Compares what both sides show of a key; with all its versions if `isWhole`. */
  async compareKey(bucket: string, key: string, isWhole = false): Promise<void> {
    const real = await this.#state(this.real, bucket, key, isWhole);
    const model = await this.#state(this.model, bucket, key, isWhole);
    deepStrictEqual(real, model, `${bucket}/${key}`);
    const place = `${bucket}/${key}`;
    const known = this.#labels.get(place) ?? [];
    this.#labels.set(place, known);
    for (const { label } of model.versions) if (!known.includes(label)) known.push(label);
  }

  /** Compares what both sides show of some buckets. */
  async compareAll(buckets: readonly string[]): Promise<void> {
    for (const bucket of buckets) {
      for (const key of NAMES) await this.compareKey(bucket, key, true);
      await this.#comparePages(bucket);
      for (const query of ["list-type=2", "versioning=", "object-lock="]) {
        await this.both({ method: "GET", bucket, query });
      }
    }
  }

  /** Compares a listing of versions, page by page: each side is asked for the page after its own. */
  async #comparePages(bucket: string): Promise<void> {
    const first = "versions=&max-keys=7";
    for (let real: string | undefined = first, model: string | undefined = first; real && model;) {
      const answered = await this.insist({ method: "GET", bucket, query: real });
      const expected = await this.model.ask({ method: "GET", bucket, query: model });
      deepStrictEqual(this.real.show(answered), this.model.show(expected), real);
      const [next, expectedNext] = [this.real.nextPage(answered), this.model.nextPage(expected)];
      real = next && `${first}&${next}`;
      model = expectedNext && `${first}&${expectedNext}`;
    }
  }

  /** Returns what a side shows of a key: its versions and the current one; or each of them with its lock, tags and bytes. */
  async #state(side: Side, bucket: string, key: string, isWhole = false) {
    const ask = (asked: AskedOfSide): Promise<Answered> =>
      side === this.real ? this.insist(asked) : side.ask(asked);
    const prefix = encodeURIComponent(key);
    const list = await ask({ method: "GET", bucket, query: `versions=&prefix=${prefix}` });
    const versions = side.versionsIn(list, key);
    const current = side.show(await ask({ method: "GET", bucket, on: { key } }));
    const each: unknown[] = [];
    for (const { label, isMarker } of isWhole ? versions : []) {
      const on = { key, version: label };
      each.push(side.show(await ask({ method: "GET", bucket, on })));
      if (isMarker) continue;
      each.push(side.show(await ask({ method: "GET", bucket, on, query: "tagging=" })));
    }
    return { versions, current, each };
  }
}

/** Tells whether a response says that the request, or a part of it, may have had no effect for no fault of its own. */
function isUndone({ status, headers, bytes }: Answered): boolean {
  if (status >= 500) return true;
  if (headers.get("content-type")?.endsWith("xml") !== true) return false;
  const text = new TextDecoder().decode(bytes);
  return ["ServiceUnavailable", "InternalError"].some((code) => text.includes(`<Code>${code}</`));
}
