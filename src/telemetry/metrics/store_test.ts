import { strictEqual } from "node:assert/strict";
import { valueOf } from "../../../tests/process/exposition.ts";
import type { BucketName } from "../../s3/names.ts";
import { Metrics } from "./registry.ts";
import { addStoreMetrics } from "./store.ts";

Deno.test("addStoreMetrics() counts the work of trash and sweeps, and their failures separately", () => {
  const registry = new Metrics();
  const metrics = addStoreMetrics(registry, () => ({
    index: { buckets: 1, keys: 2, bytes: 3, pending: 4 },
    buffered: { read: 5, ahead: 6, write: 7 },
    forgetfulBuckets: 15,
    trashedBuckets: 8,
    waitingTrash: 9,
    waitingToFlatten: 10,
    flattenedBytes: 11,
    users: { usable: 12, locked: 13, outdated: 14 },
  }));
  metrics.unreadable("trash");
  metrics.unreadable("trash");
  metrics.emptiedTrash({ freed: 3, waiting: 1 });
  metrics.emptiedTrash(undefined);
  metrics.swept({
    bucket: "photos" as BucketName,
    dryRun: false,
    replaced: 1,
    uploads: 2,
    orphans: 3,
    records: 4,
    entries: 50,
  });
  metrics.swept(undefined);
  const text = registry.render();
  strictEqual(valueOf(text, "nats_s3_unreadable_records_total", { kind: "trash" }), 2);
  strictEqual(valueOf(text, "nats_s3_trash_purged_groups_total"), 4);
  strictEqual(valueOf(text, "nats_s3_trash_runs_total", { result: "failed" }), 1);
  strictEqual(valueOf(text, "nats_s3_swept_total", { kind: "groups" }), 3);
  strictEqual(valueOf(text, "nats_s3_swept_messages_total"), 50);
  strictEqual(valueOf(text, "nats_s3_sweeps_total", { result: "done" }), 1);
  strictEqual(valueOf(text, "nats_s3_sweeps_total", { result: "failed" }), 1);
});
