/**
 * `nats-s3 sweep [--dry-run]`: scans every bucket once for data left by crashes, frees it and prints a report.
 * @module
 */

import { storeOptionsOf } from "../compose.ts";
import type { Config } from "../config/config.ts";
import { closeConnection, connect } from "../nats/connection/connection.ts";
import { waitForJetStream } from "../nats/jetstream/availability.ts";
import { createNatsStore } from "../nats/store.ts";
import type { SweepReport } from "../store/maintenance.ts";
import type { Log } from "../telemetry/log.ts";

/**
 * Sweeps every bucket.
 *
 * @param print Prints a line of the report.
 * @returns Exit code: 0, or 1 if the sweep of a bucket stopped.
 */
export async function sweep(
  config: Config,
  { log, print }: { readonly log: Log; readonly print: (line: string) => void },
): Promise<number> {
  const connection = await connect(config.nats, { log });
  try {
    await waitForJetStream(connection, config.nats.apiPrefix, { log });
    using store = createNatsStore(connection, {
      ...storeOptionsOf(config),
      log,
    });
    let code = 0;
    for (const { name } of await store.listBuckets()) {
      const { minAge, uploadExpiry } = config.sweep;
      const report = await store.sweep(name, { minAge, uploadExpiry, dryRun: config.dryRun });
      if (report.stopped !== undefined) code = 1;
      print(formatReport(report));
    }
    return code;
  } finally {
    await closeConnection(connection);
    await log.flush();
  }
}

function formatReport({ bucket, dryRun, stopped, ...counts }: SweepReport): string {
  if (stopped !== undefined) return `${bucket}: stopped: ${stopped}`;
  const verb = dryRun ? "would free" : "freed";
  const { replaced, uploads, orphans, records, entries } = counts;
  return `${bucket}: ${verb} ${orphans} orphaned chunk groups and ${records} records ` +
    `(${entries} messages), ${replaced} groups from the trash, ${uploads} abandoned uploads`;
}
