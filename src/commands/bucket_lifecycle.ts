/**
 * `nats-s3 buckets lifecycle BUCKET --dry-run`: says what the lifecycle rules of a bucket would remove now.
 * @module
 */

import { parseKeptLifecycle } from "../s3/lifecycle_document.ts";
import type { Due } from "../workers/lifecycle_judge.ts";
import { walkUploads, walkVersions } from "../workers/lifecycle_walk.ts";
import { parseBucket, type Verb } from "./verb.ts";

/** What each kind is called. */
const NAMES: Readonly<Record<Due["kind"], string>> = {
  object: "object",
  version: "noncurrent version",
  marker: "delete marker",
  upload: "upload",
};

/** `lifecycle`: lists what would go. */
export const LIFECYCLE: Verb = {
  usage: "BUCKET",
  help: "Lists what the lifecycle rules of a bucket would remove now; requires --dry-run",
  flags: ["json"],
  plan({ operands: [name = ""], flags }) {
    const bucket = parseBucket(name);
    const isJson = flags.get("json") === "true";
    return async ({ store, config, print }) => {
      if (!config.dryRun) {
        throw new RangeError(
          "The gateways carry lifecycle rules out. Add --dry-run to see what would go now",
        );
      }
      const text = await store.readDocument(bucket, "lifecycle");
      const { rules } = text === undefined ? { rules: [] } : parseKeptLifecycle(text);
      const counts: Record<Due["kind"], number> = { object: 0, version: 0, marker: 0, upload: 0 };
      const walk = {
        rules: rules.filter(({ isEnabled }) => isEnabled),
        now: await store.serverTime(bucket),
        day: config.lifecycle.day,
        turn: <T>(work: () => Promise<T>): Promise<T> => work(),
        parallel: 1, // so that lines are in order
        batch: (_count: number, work: () => Promise<unknown>): Promise<unknown> => work(),
        visit(due: Due): Promise<boolean> {
          counts[due.kind]++;
          print(isJson ? JSON.stringify(toJson(due)) : formatDue(due));
          return Promise.resolve(true);
        },
      };
      await walkUploads(store, bucket, walk);
      await walkVersions(store, bucket, walk, "", () => Promise.resolve());
      if (isJson) return;
      const { object, version, marker, upload } = counts;
      print(
        `${bucket}: would remove ${object} objects, ${version} noncurrent versions, ` +
          `${marker} delete markers and ${upload} uploads, except what object lock protects`,
      );
    };
  },
};

/** Returns a line of JSON, so that a million of them need no memory. */
function toJson({ kind, key, versionId, uploadId, expiry }: Due): unknown {
  const { at, rule: { id: rule } } = expiry;
  return { kind, key, versionId, uploadId, rule, expired: at.toISOString() };
}

/** The key is quoted as in JSON, because it may have any characters. */
function formatDue({ kind, key, versionId, uploadId, expiry }: Due): string {
  const id = versionId ?? uploadId;
  const named = id === undefined ? "" : ` ${id}`;
  const since = expiry.at.toISOString();
  return `${NAMES[kind]} ${JSON.stringify(key)}${named}, by rule ${
    JSON.stringify(expiry.rule.id)
  } since ${since}`;
}
