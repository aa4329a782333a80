/**
 * A bucket in memory whose lifecycle rules are carried out, under a clock that a test sets.
 * @module
 */

import type { LifecycleRule } from "../../src/s3/lifecycle.ts";
import { formatKeptLifecycle } from "../../src/s3/lifecycle_document.ts";
import { createMemoryStore, type MemoryStore } from "../../src/store/memory/memory_store.ts";
import type { TaskClaim } from "../../src/store/maintenance.ts";
import { SILENT_LOG } from "../../src/telemetry/log.ts";
import { carryOutLifecycles, type LifecycleLag } from "../../src/workers/lifecycle.ts";
import { bucket, key, OWNER, plain } from "../contract/inputs.ts";
import { put } from "../contract/steps.ts";

/** Milliseconds. */
export const DAY = 24 * 60 * 60 * 1000;
/** When everything begins: in the morning of a day. */
export const BEGIN: number = Date.parse("2024-05-01T10:00:00Z");

/** A rule without its id. */
export type Rule = Partial<LifecycleRule>;

/** What the workers of a test did. */
export type Did = {
  /** Kinds of what was removed, in order, and reasons why something was kept. */
  readonly removed: string[];
  readonly kept: string[];
  readonly ran: string[];
  lag: LifecycleLag | undefined;
};

/** The scene. */
export type LifecycleScene = {
  readonly store: MemoryStore;
  readonly did: Did;
  /** Sets the clock some days after the beginning. */
  readonly wait: (days: number) => void;
  readonly setRules: (...rules: readonly Rule[]) => Promise<void>;
  /** Lets a gateway look at all buckets once. Its store may differ from that of the scene. */
  readonly look: (changes?: Partial<MemoryStore>) => Promise<Did>;
  /** Returns versions and markers, and uploads: `key@n` is the n-th version of a key from its first one. */
  readonly left: () => Promise<readonly string[]>;
  /** Lets another gateway hold the claim. */
  claimed: boolean;
};

/** Creates the scene with the empty bucket {@linkcode bucket}. */
export async function lifecycleScene(): Promise<LifecycleScene> {
  let now = BEGIN;
  const store = createMemoryStore({ now: () => new Date(now), minPartSize: 1 });
  await store.createBucket(bucket, OWNER);
  const scene: LifecycleScene = {
    store,
    did: { removed: [], kept: [], ran: [], lag: undefined },
    claimed: false,
    wait(days) {
      now = BEGIN + days * DAY;
    },
    async setRules(...rules) {
      const kept = rules.map((rule, index): LifecycleRule => ({
        id: `rule ${index}`,
        isEnabled: true,
        filter: { form: "filter", tags: new Map() },
        ...rule,
      }));
      const text = formatKeptLifecycle({ rules: kept, minimumSize: "varies_by_storage_class" });
      await store.putDocument(bucket, "lifecycle", text);
    },
    async look(changes = {}) {
      const stop = new AbortController();
      const did: Did = { removed: [], kept: [], ran: [], lag: undefined };
      const claim: TaskClaim = { release: () => Promise.resolve() };
      await carryOutLifecycles({
        ...store,
        ...changes,
        claimLifecycle: () => Promise.resolve(scene.claimed ? undefined : claim),
        serverTime: () => Promise.resolve(new Date(now)),
      }, {
        day: DAY,
        log: SILENT_LOG,
        signal: stop.signal,
        observe: {
          removed: (kind) => void did.removed.push(kind),
          kept: (reason) => void did.kept.push(reason),
          ran: (result) => void did.ran.push(result),
          looked(lag) {
            did.lag = lag;
            stop.abort();
          },
        },
      });
      Object.assign(scene.did, did);
      return did;
    },
    async left() {
      const { versions } = await store.listVersions(bucket, {
        prefix: "",
        delimiter: "",
        afterKey: "",
        afterVersion: undefined,
        limit: 1000,
      });
      const { uploads } = await store.listUploads(bucket, {
        prefix: "",
        delimiter: "",
        keyMarker: "",
        uploadIdMarker: "",
        limit: 1000,
      });
      return [
        ...versions.map(({ key, isMarker, size, isLatest }) =>
          `${key} ${isMarker ? "marker" : size}${isLatest ? "" : " noncurrent"}`
        ),
        ...uploads.map(({ key }) => `${key} upload`),
      ];
    },
  };
  return scene;
}

/** Puts an object of some size, with tags. */
export async function putSized(
  store: MemoryStore,
  name: string,
  size: number,
  tags: Readonly<Record<string, string>> = {},
): Promise<void> {
  await put(store, name, "x".repeat(size), { properties: { ...plain, tags } });
}

/** Begins an upload. */
export async function begin(store: MemoryStore, name: string): Promise<void> {
  await store.createUpload(bucket, key(name), {
    properties: plain,
    owner: OWNER,
    algorithm: undefined,
    checksumType: undefined,
  });
}
