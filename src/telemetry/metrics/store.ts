/**
 * Metrics of the store: buffers, the key index, and the work of the background workers.
 * @module
 */

import type {
  FlattenOutcome,
  FlattenResult,
  FreeReport,
  SweepReport,
} from "../../store/maintenance.ts";
import type { Metrics } from "./registry.ts";

const WAIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 4];

/** Statistics of the keys that are in memory for listings. */
export type IndexStats = {
  readonly buckets: number;
  readonly keys: number;
  /** Estimated memory. */
  readonly bytes: number;
  /** Changes in the store that have not reached the index yet. */
  readonly pending: number;
};

/** Statistics that are read when metrics are rendered. */
export type StoreStats = {
  readonly index: IndexStats;
  /** Bytes requested but not arrived, fetched ahead of readers, and published but not acknowledged. */
  readonly buffered: {
    readonly read: number;
    readonly ahead: number;
    readonly write: number;
    /** Of request documents, which a store does not see. */
    readonly documents?: number;
  };
  /** Buckets with versions from which JetStream removes messages by itself. */
  readonly forgetfulBuckets: number;
  /** Buckets with trash from this gateway. */
  readonly trashedBuckets: number;
  /** Chunk groups that had to stay when this gateway last emptied the trash. */
  readonly waitingTrash: number;
  /** Multipart objects that wait to be flattened. */
  readonly waitingToFlatten: number;
  /** Bytes of multipart objects that were read to flatten them. */
  readonly flattenedBytes: number;
  /** Access keys of users and accounts, by state. */
  readonly users: {
    readonly usable: number;
    /** No key opens their secrets. */
    readonly locked: number;
    /** An older key sealed their secrets. */
    readonly outdated: number;
  };
};

/** Counters of the store's work. An undefined report means that the work failed. */
export type StoreMetrics = {
  /** @param milliseconds For which a listing waited for the index to catch up, successfully or not. */
  readonly indexed: (milliseconds: number) => void;
  /** @param kind Of the record, from the closed set of kinds. */
  readonly unreadable: (kind: string) => void;
  readonly emptiedTrash: (report: FreeReport | undefined) => void;
  readonly swept: (report: SweepReport | undefined) => void;
  readonly flattened: (object: Pick<FlattenResult, "outcome"> | undefined) => void;
};

/** Adds the metrics of the store. */
export function addStoreMetrics(registry: Metrics, read: () => StoreStats): StoreMetrics {
  registry.gauge(
    "nats_s3_buffered_bytes",
    "Bytes requested from JetStream but not arrived (read), fetched ahead of readers (ahead), and published but not acknowledged (write); and of request documents that are arriving (documents).",
    ["direction"],
    () => Object.entries(read().buffered).map(([direction, n]) => [[direction], n]),
  );
  const unreadable = registry.counter(
    "nats_s3_unreadable_records_total",
    "Times that a record in JetStream could not be read, by kind: object info (info), chunks with an odd subject (chunks), a record below S3, or a record of users (users). The log names the first of each bucket and kind.",
    ["kind"],
  );
  registry.gauge(
    "nats_s3_forgetful_buckets",
    "Buckets with versioning that this gateway has used and whose streams lose messages by themselves: they have max_age, discard old or a limit of messages.",
    [],
    () => read().forgetfulBuckets,
  );
  addUsers(registry, () => read().users);
  return {
    unreadable: (kind) => unreadable.add([kind]),
    indexed: addIndex(registry, () => read().index),
    ...addCleanup(registry, read),
    flattened: addFlattening(registry, read),
  };
}

function addUsers(registry: Metrics, read: () => StoreStats["users"]): void {
  registry.gauge(
    "nats_s3_users_access_keys",
    "Access keys of users and accounts in the KV bucket: accepted unless they are inactive (usable), of these sealed under an older key (outdated), and sealed under a key that is missing (locked).",
    ["state"],
    () => {
      const { usable, outdated, locked } = read();
      return [[["usable"], usable], [["outdated"], outdated], [["locked"], locked]];
    },
  );
}

function addIndex(registry: Metrics, read: () => IndexStats): StoreMetrics["indexed"] {
  registry.gauge(
    "nats_s3_index_buckets",
    "Buckets whose keys are in memory for listings.",
    [],
    () => {
      return read().buckets;
    },
  );
  registry.gauge("nats_s3_index_keys", "Keys that are in memory for listings.", [], () => {
    return read().keys;
  });
  registry.gauge(
    "nats_s3_index_memory_bytes",
    "Estimated memory of the keys that are in memory for listings.",
    [],
    () => read().bytes,
  );
  registry.gauge(
    "nats_s3_index_lag_messages",
    "Changes in JetStream that have not reached the keys in memory yet.",
    [],
    () => read().pending,
  );
  const waits = registry.histogram(
    "nats_s3_index_wait_seconds",
    "Time that a listing waited, successfully or not, until the keys in memory included every earlier acknowledged change.",
    [],
    WAIT_SECONDS,
  );
  return (milliseconds) => waits.observe([], milliseconds / 1000);
}

function addCleanup(
  registry: Metrics,
  read: () => StoreStats,
): Pick<StoreMetrics, "emptiedTrash" | "swept"> {
  const runs = registry.counter(
    "nats_s3_trash_runs_total",
    "Runs that emptied the trash of a bucket, by result.",
    ["result"],
  );
  for (const result of ["done", "failed"]) runs.add([result], 0);
  const purged = registry.counter(
    "nats_s3_trash_purged_groups_total",
    "Purged chunk groups of replaced and deleted objects.",
  );
  registry.gauge("nats_s3_trash_buckets", "Buckets with trash from this gateway.", [], () => {
    return read().trashedBuckets;
  });
  registry.gauge(
    "nats_s3_trash_waiting_groups",
    "Chunk groups that had to stay in the last run: for the grace period, or for a reader.",
    [],
    () => read().waitingTrash,
  );
  const sweeps = registry.counter(
    "nats_s3_sweeps_total",
    "Sweeps of buckets: completed (done), stopped at a record of a newer version (stopped), or failed.",
    ["result"],
  );
  for (const result of ["done", "stopped", "failed"]) sweeps.add([result], 0);
  const swept = registry.counter(
    "nats_s3_swept_total",
    "Data freed by sweeps: chunk groups and records that nothing refers to, and abandoned multipart uploads.",
    ["kind"],
  );
  const messages = registry.counter(
    "nats_s3_swept_messages_total",
    "Messages purged by sweeps.",
  );
  return {
    emptiedTrash(report) {
      runs.add([report === undefined ? "failed" : "done"]);
      if (report !== undefined) purged.add([], report.freed);
    },
    swept(report) {
      if (report === undefined) return sweeps.add(["failed"]);
      sweeps.add([report.stopped === undefined ? "done" : "stopped"]);
      swept.add(["groups"], report.orphans);
      swept.add(["records"], report.records);
      swept.add(["uploads"], report.uploads);
      messages.add([], report.entries);
      purged.add([], report.replaced);
    },
  };
}

const OUTCOMES: readonly (FlattenOutcome | "failed")[] = [
  "rewritten",
  "needless",
  "taken",
  "too-large",
  "no-room",
  "failed",
];

function addFlattening(registry: Metrics, read: () => StoreStats): StoreMetrics["flattened"] {
  const objects = registry.counter(
    "nats_s3_native_layout_objects_total",
    "Multipart objects that were considered for rewriting for native clients, by outcome.",
    ["outcome"],
  );
  for (const outcome of OUTCOMES) objects.add([outcome], 0);
  registry.gauge(
    "nats_s3_native_layout_waiting_objects",
    "Multipart objects that wait to be rewritten.",
    [],
    () => read().waitingToFlatten,
  );
  registry.readCounter(
    "nats_s3_native_layout_read_bytes_total",
    "Bytes of multipart objects that were read to rewrite them.",
    [],
    () => read().flattenedBytes,
  );
  return (object) => objects.add([object?.outcome ?? "failed"]);
}
