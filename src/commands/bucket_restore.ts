/**
 * `nats-s3 buckets restore BUCKET [PREFIX] --as-of TIME`: brings objects back to how they were at a time.
 * @module
 */

import { parseDuration } from "../config/values.ts";
import { readTime } from "../s3/as_of.ts";
import { restore, type Restored } from "../workers/restore.ts";
import { formatBytes } from "./bucket_text.ts";
import { parseBucket, parseOperand, type Verb } from "./verb.ts";

/** `restore`: brings a prefix back. */
export const RESTORE: Verb = {
  usage: "BUCKET [PREFIX]",
  help:
    "Brings objects back to how they were at --as-of, by new versions and delete markers alone; --dry-run says what would change",
  flags: ["as-of", "exact", "json"],
  plan({ operands: [name = "", text = ""], flags }) {
    const bucket = parseBucket(name);
    const given = flags.get("as-of");
    if (given === undefined) {
      throw new RangeError("Missing --as-of: name a time such as 2026-01-31T09:30:00Z, or 2h");
    }
    const at = parseOperand("as-of", given, parseMoment);
    const isExact = flags.get("exact") === "true";
    const isJson = flags.get("json") === "true";
    return async ({ store, config: { dryRun }, print }) => {
      const now = await store.serverTime(bucket);
      const time = typeof at === "number" ? new Date(now.getTime() - at) : at;
      if (time > now) throw new RangeError(`The time ${time.toISOString()} is in the future`);
      // Who repeats the command after a kill needs the same time.
      if (!isJson) print(`${bucket}: as of ${time.toISOString()}`);
      const counts = { restored: 0, deleted: 0, same: 0, unknown: 0, changed: 0 };
      let bytes = 0;
      await restore(store, bucket, {
        ...{ time, text, isExact, dryRun },
        visit(restored) {
          counts[restored.kind]++;
          if (restored.kind === "restored") bytes += restored.size;
          if (restored.kind === "same") return;
          print(
            isJson ? JSON.stringify({ ...restored, dryRun }) : formatRestored(restored, dryRun),
          );
        },
      });
      const { restored, deleted, same, unknown, changed } = counts;
      const would = dryRun ? "would restore" : "restored";
      if (!isJson) {
        print(
          `${bucket}: ${would} ${restored} objects (${formatBytes(bytes)}), ` +
            `${dryRun ? "would delete" : "deleted"} ${deleted}, left ${same} as they are`,
        );
      }
      if (unknown + changed === 0) return;
      throw new RangeError(
        `${unknown} keys of bucket "${bucket}" were left alone because it is not known how they were, ` +
          `and ${changed} because clients changed them meanwhile`,
      );
    };
  },
};

/** Parses a time, or how many milliseconds ago it was. */
function parseMoment(text: string): Date | number {
  const time = readTime(text);
  if (time !== undefined) return time;
  try {
    return parseDuration(text);
  } catch {
    throw new RangeError(
      "it is neither a time such as 2026-01-31T09:30:00Z nor a duration such as 2h",
    );
  }
}

/** The key is quoted as in JSON, because it may have any characters. */
function formatRestored(restored: Exclude<Restored, { kind: "same" }>, dryRun: boolean): string {
  const key = JSON.stringify(restored.key);
  switch (restored.kind) {
    case "restored":
      return `${dryRun ? "would restore" : "restored"} ${key} from ${restored.from}`;
    case "deleted":
      return `${dryRun ? "would delete" : "deleted"} ${key}, which did not exist`;
    case "unknown":
      return `left ${key}: ${restored.reason}`;
    case "changed":
      return `left ${key}: a client changed it meanwhile`;
  }
}
