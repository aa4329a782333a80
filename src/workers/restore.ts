/**
 * Brings the keys of a bucket back to how they were at a time, by new versions alone: no version is removed or changed.
 *
 * A key whose current version equals the one of that time is left alone: the same version, or one with the same size, ETag,
 * checksum, metadata, headers and tags. A copy keeps the ETag and the checksum even of an object that was uploaded in parts,
 * so a run that was killed can be repeated: it restores only what is left. A kill between the bytes of a copy and its object
 * info leaves chunks that nothing names, which the sweep frees.
 *
 * Every write expects the version that was compared, so a client's write at the same time stays current, and is reported.
 * @module
 */

import { mapAtOnce } from "../collections/map_at_once.ts";
import { S3Error } from "../s3/errors.ts";
import type { BucketName, ObjectKey } from "../s3/names.ts";
import { daysOf, parseKeptLock } from "../s3/stated_lock.ts";
import type { VersionId } from "../s3/version_id.ts";
import type { ListedVersion } from "../store/listings.ts";
import type { LockInput, ObjectInfo } from "../store/objects.ts";
import type { Store } from "../store/store.ts";
import { verifiedContent } from "../store/verified_content.ts";
import { sourceOfPiece } from "../streams/byte_source.ts";
import { historiesOf, type HistoriesQuery, type KeyHistory } from "./key_histories.ts";

/** The parts of a store that a restore uses. */
export type RestoredStore = Pick<
  Store,
  "deleteObject" | "getObject" | "listVersions" | "putObject" | "readDocument" | "readObject"
>;

/** What happened to a key, or would happen. */
export type Restored =
  | {
    readonly kind: "restored";
    readonly key: ObjectKey;
    /** The version that was copied. */
    readonly from: VersionId;
    readonly size: number;
  }
  /** The key did not exist at that time: it got a delete marker. */
  | { readonly kind: "deleted"; readonly key: ObjectKey }
  | { readonly kind: "same"; readonly key: ObjectKey }
  /** How the key was is not known, or could not be read. It was left alone. */
  | { readonly kind: "unknown"; readonly key: ObjectKey; readonly reason: string }
  /** A client changed the key meanwhile. It was left alone. */
  | { readonly kind: "changed"; readonly key: ObjectKey };

/** What to restore. */
export type RestoreOptions = HistoriesQuery & {
  /** Tells what would happen, and writes nothing. */
  readonly dryRun: boolean;
  /** Called for each key. */
  readonly visit: (restored: Restored) => void;
};

/** Keys that are restored at the same time. */
const AT_ONCE = 8;

/** Versioning of a bucket is not enabled, so that new versions would not leave the old ones alone. */
export class NoVersioning extends Error {
  override readonly name = "NoVersioning";
}

/**
 * Restores keys.
 *
 * @throws NoVersioning if versioning is not enabled, also if that changes meanwhile; S3Error `NoSuchBucket`
 */
export async function restore(
  store: RestoredStore,
  bucket: BucketName,
  options: RestoreOptions,
): Promise<void> {
  await requireVersioning(store, bucket);
  for await (const histories of historiesOf(store, bucket, options)) {
    const lock = await lockOf(store, bucket);
    await mapAtOnce(histories, AT_ONCE, async (history) => {
      options.visit(await restoreKey(store, bucket, history, lock, options));
    });
  }
}

async function restoreKey(
  store: RestoredStore,
  bucket: BucketName,
  { latest, search, found }: KeyHistory,
  lock: LockInput | undefined,
  { dryRun }: RestoreOptions,
): Promise<Restored> {
  const { key } = latest;
  const was = search.result;
  if (was.kind === "unknown") return { kind: "unknown", key, reason: was.reason };
  const precondition = {
    ifVersion: latest.versionId,
    ...(!latest.isMarker && { ifMatch: latest.etag }),
  };
  try {
    if (was.kind !== "version" || found === undefined) {
      if (latest.isMarker) return { kind: "same", key };
      if (!dryRun) {
        await requireVersioning(store, bucket);
        await store.deleteObject(bucket, key, { precondition, owner: latest.owner });
      }
      return { kind: "deleted", key };
    }
    const { versionId, size } = found;
    if (await isSame(store, bucket, latest, found)) return { kind: "same", key };
    if (!dryRun) {
      const options = { versionId, partChecksums: true };
      const { info, body } = await store.getObject(bucket, key, () => "all", options);
      const stream = body instanceof ReadableStream ? body : sourceOfPiece(body);
      try {
        await requireVersioning(store, bucket);
      } catch (cause) {
        await stream.cancel(cause).catch(() => {});
        throw cause;
      }
      await store.putObject(bucket, key, {
        content: verifiedContent(info, stream, () => mismatch(key)),
        properties: info.properties,
        owner: info.owner ?? "",
        precondition,
        lock,
        keeps: info,
      });
    }
    return { kind: "restored", key, from: versionId, size };
  } catch (cause) {
    return whyNot(key, cause);
  }
}

/** Returns whether the current version equals another one, as far as S3 shows it. */
async function isSame(
  store: RestoredStore,
  bucket: BucketName,
  latest: ListedVersion,
  found: ListedVersion,
): Promise<boolean> {
  const { key } = latest;
  if (latest.versionId === found.versionId) return true;
  if (latest.isMarker || latest.etag !== found.etag || latest.size !== found.size) return false;
  const [one, other] = await Promise.all(
    [latest, found].map(({ versionId }) => store.readObject(bucket, key, { versionId })),
  );
  return one !== undefined && other !== undefined && textOf(one) === textOf(other);
}

/** Returns what is compared of two versions, as text. */
function textOf({ size, etag, checksum, properties: { system, user, tags } }: ObjectInfo): string {
  const sorted = (fields: object): unknown =>
    Object.entries(fields).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([
    ...[size, etag, checksum?.algorithm, checksum?.type, checksum?.value],
    ...[sorted(system), sorted(user), sorted(tags)],
  ]);
}

function mismatch(key: ObjectKey): S3Error {
  return new S3Error("InternalError", { Key: key }, {
    message: "The bytes do not have the checksum that they were stored with",
  });
}

/** Returns why a key was left alone. An error that says something about other keys as well is thrown. */
function whyNot(key: ObjectKey, cause: unknown): Restored {
  if (!(cause instanceof S3Error)) throw cause;
  switch (cause.code) {
    case "PreconditionFailed":
    case "ConditionalRequestConflict":
    case "NoSuchKey":
    case "NoSuchVersion":
      return { kind: "changed", key };
    case "InternalError":
    case "MetadataTooLarge": {
      const reason = cause.cause instanceof Error ? cause.cause.message : cause.message;
      return { kind: "unknown", key, reason };
    }
    default:
      throw cause;
  }
}

/** Throws {@linkcode NoVersioning} unless a write leaves all versions alone. */
async function requireVersioning(store: RestoredStore, bucket: BucketName): Promise<void> {
  const versioning = await store.readDocument(bucket, "versioning");
  if (versioning === "Enabled") return;
  throw new NoVersioning(
    versioning === undefined
      ? `Bucket "${bucket}" never had versioning, so it keeps nothing of how its objects were`
      : `Versioning of bucket "${bucket}" is suspended, so a restored object would take the place of the version null: enable it first`,
  );
}

/** Returns the default retention of a bucket, which new versions get. */
async function lockOf(store: RestoredStore, bucket: BucketName): Promise<LockInput | undefined> {
  const text = await store.readDocument(bucket, "objectLock");
  const retention = text === undefined ? undefined : parseKeptLock(text).default;
  return retention && { retention: { mode: retention.mode, days: daysOf(retention) } };
}
