/**
 * A store of which answers can be compared with those of another store that was asked the same: version ids have labels, in
 * the order in which they appeared, and times that clocks gave are left out.
 * @module
 */

import { ok } from "node:assert/strict";
import { S3Error } from "../../src/s3/errors.ts";
import { NULL_VERSION, type VersionId } from "../../src/s3/version_id.ts";
import type { ListedVersion, VersionQuery } from "../../src/store/listings.ts";
import type { ObjectInfo } from "../../src/store/objects.ts";
import type { Store } from "../../src/store/store.ts";
import { bucket, key } from "./inputs.ts";
import { md5Of } from "./steps.ts";
import { pageOf } from "./version_steps.ts";

const DAY = 24 * 60 * 60 * 1000;

/** What stands for a version id: `null`, or `v1` for the first that appeared. */
export type Label = string;

/** A store, and the labels of its version ids. */
export class LabelledStore {
  readonly store: Store;
  readonly #labels = new Map<VersionId, Label>([[NULL_VERSION, "null"]]);
  readonly #ids = new Map<Label, VersionId>([["null", NULL_VERSION]]);
  readonly #listedLabels = new Map<string, Label[]>();

  constructor(store: Store) {
    this.store = store;
  }

  /** Returns the id that a label stands for. */
  id(label: Label | undefined): VersionId | undefined {
    if (label === undefined) return undefined;
    const id = this.#ids.get(label);
    ok(id !== undefined, `the store gave no version that is "${label}"`);
    return id;
  }

  /** Returns the label of an id, which it makes for one that has not appeared before. */
  label(id: VersionId | undefined): Label | undefined {
    if (id === undefined) return undefined;
    const known = this.#labels.get(id);
    if (known !== undefined) return known;
    const label = `v${this.#labels.size}`;
    this.#labels.set(id, label);
    this.#ids.set(label, id);
    return label;
  }

  /** Returns the labels of all versions of a key that were ever listed, removed ones too. */
  labelsOf(name: string): readonly Label[] {
    return this.#listedLabels.get(name) ?? [];
  }

  /** Returns an object's info so that it can be compared. */
  info({ versionId, modified, retention, ...info }: ObjectInfo): unknown {
    return {
      ...info,
      version: this.label(versionId),
      // A date that a test stated is a whole day; the others were counted from the time of modification.
      retention: retention && {
        mode: retention.mode,
        until: retention.until.getTime() % DAY === 0
          ? retention.until.toISOString()
          : (retention.until.getTime() - modified.getTime()) / DAY,
      },
    };
  }

  /** Returns what a call has answered: its value, or the code of its error. */
  async answer(call: Promise<unknown>): Promise<unknown> {
    try {
      return await call;
    } catch (cause) {
      if (!(cause instanceof S3Error)) throw cause;
      const { code, headers } = cause;
      const marker = headers["x-amz-version-id"] as VersionId | undefined;
      return { code, isMarker: headers["x-amz-delete-marker"], marker: this.label(marker) };
    }
  }

  /** Returns all pages of a listing of versions. */
  async pages(given: Pick<VersionQuery, "prefix" | "delimiter" | "limit">): Promise<unknown[]> {
    const pages: unknown[] = [];
    for (let afterKey = "", afterVersion: string | undefined;;) {
      const page = await pageOf(this.store, { ...given, afterKey, afterVersion });
      const { versions, commonPrefixes, next } = page;
      pages.push({ versions: versions.map((version) => this.#listed(version)), commonPrefixes });
      if (next === undefined) return pages;
      afterKey = next.key;
      afterVersion = next.version;
      ok(pages.length < 1000, "the listing never ends");
    }
  }

  /** Returns everything that the store shows of a key, with the bytes of each version. */
  async key(name: string): Promise<unknown> {
    const { versions } = await pageOf(this.store, { prefix: name });
    const own = versions.filter((version) => version.key === name);
    this.#checkTimes(own);
    const shown = [];
    for (const version of own) {
      shown.push([this.#listed(version), await this.#content(name, version.versionId)]);
    }
    return { versions: shown, current: await this.#content(name, undefined) };
  }

  /** Returns a version with a digest of its bytes; the error for a delete marker. */
  async #content(name: string, versionId: VersionId | undefined): Promise<unknown> {
    const options = { versionId, partChecksums: true };
    return await this.answer((async () => {
      const { info, body } = await this.store.getObject(bucket, key(name), () => "all", options);
      const bytes = new Uint8Array(await new Response(body).arrayBuffer());
      return { info: this.info(info), md5: md5Of(bytes) };
    })());
  }

  #listed({ versionId, modified: _, ...version }: ListedVersion): unknown {
    const label = this.label(versionId) ?? "";
    const labels = this.labelsOf(version.key);
    if (!labels.includes(label)) this.#listedLabels.set(version.key, [...labels, label]);
    return { ...version, version: label };
  }

  #checkTimes(versions: readonly ListedVersion[]): void {
    const times = versions.map(({ modified }) => modified.getTime());
    for (const [i, time] of times.entries()) {
      ok(time >= (times[i + 1] ?? 0), "times of modification run backwards");
    }
  }
}
