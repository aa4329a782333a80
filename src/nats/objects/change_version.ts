/**
 * Changes the tags or the lock of a version that a request names, or the lock of the current one: rewrites what describes it,
 * by compare-and-set, and nothing else.
 * @module
 */

import { Buffer } from "node:buffer";
import { S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { checkRetentionChange } from "../../s3/object_lock.ts";
import { noSuchVersion, type VersionId } from "../../s3/version_id.ts";
import type { LockChange, WrittenVersion } from "../../store/objects.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { isConflict, Unanswered } from "../jetstream/errors.ts";
import { formatLocked } from "../layout/locked_info.ts";
import type { StoredObject } from "../layout/object_info.ts";
import { records, VERSIONS_LAYOUT } from "../layout/subjects.ts";
import type { RawInfo } from "../layout/unknown_fields.ts";
import { formatVersion } from "../layout/version_record.ts";
import { commitInfo } from "./commit.ts";
import { existing, type InfoNeeds, locatedIn } from "./objects.ts";
import { replace } from "./replace.ts";
import { Overtaken, type ReplaceNeeds } from "./replacement.ts";
import { findToChange } from "./version_records.ts";

/** Bytes that a message has besides its text. */
const MESSAGE_OVERHEAD = 1024;
/** How often a change starts over because the version changes. */
const ATTEMPTS = 200;
/** How often a change is requested while no response comes. */
const UNANSWERED_ATTEMPTS = 3;

/** Returns the object info of a changed version. What it throws is thrown. */
export type Rewrite = (raw: RawInfo, object: StoredObject) => string;

/**
 * Changes the object info of a version.
 *
 * @throws S3Error `NoSuchVersion`; `MethodNotAllowed` for a delete marker
 */
export async function changeVersion(
  needs: ReplaceNeeds & InfoNeeds,
  stream: BucketStream,
  key: ObjectKey,
  id: VersionId,
  rewrite: Rewrite,
): Promise<WrittenVersion> {
  const result = { versionId: stream.layout < VERSIONS_LAYOUT ? undefined : id };
  let unanswered = 0;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { found, current, message } = await findToChange(needs, stream, key, id);
    if (found === undefined) throw noSuchVersion(key, id);
    const { object } = locatedIn(needs, stream, key, id, found);
    const version = found.kind === "noncurrent" ? found.version : undefined;
    const raw = version === undefined ? current.raw : version.info.raw;
    if (raw === undefined) throw new TypeError("A version that can be read has no object info");
    const info = rewrite(raw, object);
    try {
      if (version === undefined) {
        const { nuid } = object.bytes;
        const change = { nuid, message: info, isRewrite: true } as const;
        const outcome = await commitInfo(needs, stream, key, change, current.sequence);
        if (outcome.kind === "committed") return result;
        if (outcome.kind === "overtaken") throw new Overtaken(key, {});
        continue;
      }
      const data = formatVersion({ ...version.record, info });
      if (Buffer.byteLength(data) + MESSAGE_OVERHEAD > needs.requests.maxPayload) {
        throw new S3Error("MetadataTooLarge");
      }
      const subject = records.version(stream.store, key, id);
      await needs.requests.publish(subject, data, { expect: message.sequence, rollup: true });
      return result;
    } catch (cause) {
      if (cause instanceof Unanswered && ++unanswered < UNANSWERED_ATTEMPTS) continue;
      if (!isConflict(cause)) throw cause;
    }
  }
  throw new S3Error("SlowDown", { Key: key });
}

/**
 * Changes the retention or the legal hold of a version.
 *
 * @throws S3Error as {@linkcode Objects.changeLock} does
 */
export async function changeLock(
  needs: ReplaceNeeds & InfoNeeds,
  bucket: BucketName,
  key: ObjectKey,
  change: LockChange,
  { versionId }: { readonly versionId?: VersionId | undefined } = {},
): Promise<WrittenVersion> {
  const stream = await needs.streams.prepare(bucket);
  if (stream.fenced) throw new S3Error("OperationAborted", { BucketName: bucket });
  const rewrite: Rewrite = (raw, { info }) => {
    if (change.kind === "retention") {
      checkRetentionChange(key, info.retention, change, needs.now());
    }
    return formatLocked(raw, change, info.modified);
  };
  if (versionId !== undefined) return await changeVersion(needs, stream, key, versionId, rewrite);
  const { result } = await replace<WrittenVersion>(needs, stream, key, {
    describe(before) {
      const object = existing(needs, stream, key, before);
      if (before.raw === undefined) throw new TypeError("A readable object has no object info");
      const message = rewrite(before.raw, object);
      const { info: { versionId }, bytes: { nuid } } = object;
      return { kind: "object", nuid, message, isRewrite: true, result: { versionId } };
    },
    precondition: {},
    guard: undefined,
  });
  return result;
}
