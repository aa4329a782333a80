/**
 * `nats-s3 buckets versions BUCKET [PREFIX]`: lists versions and delete markers.
 * @module
 */

import { mapAtOnce } from "../collections/map_at_once.ts";
import type { BucketName } from "../s3/names.ts";
import type { ListedVersion } from "../store/listings.ts";
import type { ObjectInfo } from "../store/objects.ts";
import type { Store } from "../store/store.ts";
import { isS3Error } from "../s3/errors.ts";
import { versionPages } from "../workers/version_pages.ts";
import { formatRows } from "./iam_operands.ts";
import { parseBucket, type Verb } from "./verb.ts";

/** Locks that are read at the same time. */
const AT_ONCE = 8;

/** The lock of a version. */
type Lock = Pick<ObjectInfo, "retention" | "legalHold">;

/** `versions`: lists versions. */
export const VERSIONS: Verb = {
  usage: "BUCKET [PREFIX]",
  help: "Lists the versions and delete markers of each key, the newest first, with their locks",
  flags: ["exact", "json"],
  plan({ operands: [name = "", text = ""], flags }) {
    const bucket = parseBucket(name);
    const isExact = flags.get("exact") === "true";
    const isJson = flags.get("json") === "true";
    return async ({ store, print }) => {
      const hasLocks = await store.readDocument(bucket, "objectLock") !== undefined;
      let head: readonly string[] = ["KEY", "VERSION", "MODIFIED", "SIZE", "ETAG", "STATE"];
      for await (const versions of versionPages(store, bucket, { text, isExact })) {
        const locks = hasLocks
          ? await mapAtOnce(versions, AT_ONCE, (version) => readLock(store, bucket, version))
          : [];
        if (isJson) {
          // A line for each, so that a million of them need no memory.
          for (const [i, version] of versions.entries()) {
            print(JSON.stringify(toJson(version, locks[i])));
          }
          continue;
        }
        const rows = versions.map((version, i) => rowOf(version, locks[i]));
        for (const line of formatRows(head, rows)) if (line !== "") print(line);
        head = head.map(() => "");
      }
    };
  },
};

/** Reads the lock of a version; undefined for a delete marker, and for a version that was removed meanwhile. */
async function readLock(
  store: Store,
  bucket: BucketName,
  { key, versionId, isMarker }: ListedVersion,
): Promise<Lock | undefined> {
  if (isMarker) return undefined;
  try {
    return await store.readObject(bucket, key, { versionId });
  } catch (cause) {
    if (isS3Error(cause, "NoSuchVersion")) return undefined;
    throw cause;
  }
}

function toJson(version: ListedVersion, lock: Lock | undefined): unknown {
  const { key, versionId, modified, size, etag, isLatest, isMarker } = version;
  return {
    ...{ key, versionId, modified: modified.toISOString() },
    ...(!isMarker && { size, etag }),
    ...{ current: isLatest, marker: isMarker },
    retention: lock?.retention ?? null,
    legalHold: lock?.legalHold === true,
  };
}

/** The key is quoted as in JSON, because it may have any characters. */
function rowOf(version: ListedVersion, lock: Lock | undefined): readonly string[] {
  const { key, versionId, modified, size, etag, isLatest, isMarker } = version;
  const state = [
    ...(isLatest ? ["current"] : []),
    ...(isMarker ? ["delete marker"] : []),
    ...(lock?.retention === undefined
      ? []
      : [`${lock.retention.mode} until ${lock.retention.until.toISOString()}`]),
    ...(lock?.legalHold === true ? ["legal hold"] : []),
  ];
  return [
    JSON.stringify(key),
    versionId,
    modified.toISOString(),
    isMarker ? "-" : String(size),
    isMarker ? "-" : etag,
    state.join(", ") || "-",
  ];
}
