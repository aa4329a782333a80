/**
 * Renames an object within its bucket. No chunks move: the object info of the new key names the group of the old one.
 *
 * One atomic batch stores a record of the rename, the object info under the new key and the tombstone of the old one, each
 * by compare-and-set, so at no moment does the object have two keys or none. The record tells a request whose response was
 * lost, or which the client repeats, that the rename was made.
 *
 * The group's nuid keeps the digest of the key that it was made for. A record `S3.renamed.<nuid>` says that this key has no
 * claim to it any more. Only the object info of all keys tells that nothing names the group, and the trash and the sweep
 * read it (see `cleanup/empty_trash.ts`).
 *
 * The object info goes before the tombstone: whoever reads names in the order of the stream finds the group at any point.
 *
 * A bucket on which versioning was ever set is refused: the versions of a key would have to move with it.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { checkRename } from "../../s3/rename.ts";
import type { Renamed, RenameInput } from "../../store/objects.ts";
import { uniqueId } from "../../world/world.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { JetStreamCode, JetStreamError } from "../jetstream/errors.ts";
import { type BatchMessage, textOf } from "../jetstream/messages.ts";
import { newNuid } from "../layout/nuid.ts";
import { formatTombstone, TOMBSTONE_TTL } from "../layout/format_info.ts";
import type { ObjectBytes } from "../layout/object_info.ts";
import { formatRename, parseRename, RENAME_TTL, renameDigest } from "../layout/rename_record.ts";
import { formatRenamed } from "../layout/renamed_info.ts";
import { infoSubject, records, VERSIONS_LAYOUT } from "../layout/subjects.ts";
import { validatorOf } from "./check_replace.ts";
import { type Current, readBefore } from "./current.ts";
import { existing, type InfoNeeds } from "./objects.ts";
import { replace } from "./replace.ts";
import type { Change, ReplaceNeeds } from "./replacement.ts";
import { checkRetention } from "./retention.ts";
import { trashMessage } from "./trash.ts";

type RenameNeeds = ReplaceNeeds & InfoNeeds;

/** A renamed object; `isInParts` if native clients cannot read it. */
type RenamedObject = Renamed & { readonly isInParts: boolean };

/** The object to rename, and the record of an earlier request of the same token. */
type Source = [source: Current, made: RenamedObject | undefined];

/** A rename, as its record describes it. */
type Identified = { readonly id: string; readonly parameters: string };

/**
 * Renames an object, in place of the one that has the new key. Onto itself, it checks the conditions and changes nothing.
 *
 * @throws S3Error as {@linkcode Objects.renameObject} does, and `NotImplemented` if the stream has no atomic batches
 */
export async function renameObject(
  needs: RenameNeeds,
  bucket: BucketName,
  source: ObjectKey,
  key: ObjectKey,
  input: RenameInput,
): Promise<RenamedObject> {
  const stream = await needs.streams.prepare(bucket);
  if (stream.fenced) throw new S3Error("OperationAborted", { BucketName: bucket });
  if (!stream.prepared) throw withoutBatches();
  if (stream.layout >= VERSIONS_LAYOUT) {
    throw new S3Error("InvalidBucketState", { BucketName: bucket }, {
      message: "RenameObject is not possible in a bucket that has or had versioning.",
    });
  }
  const { token, parameters } = input.idempotency ?? { token: uniqueId(), parameters: "" };
  const made = { id: renameDigest(token), parameters: renameDigest(parameters) };
  if (source === key) return await renameOntoItself(needs, stream, key, input);
  // Only a token of the client's may be known before the first attempt.
  let mayBeMade = input.idempotency !== undefined;
  try {
    const { result } = await replace<RenamedObject, Source>(needs, stream, key, {
      prepare() {
        const reading = mayBeMade ? readMade(needs, stream, made) : Promise.resolve(undefined);
        mayBeMade = true;
        return Promise.all([readBefore(needs, stream, source), reading]);
      },
      describe: (before, [current, earlier]) =>
        earlier !== undefined
          ? { kind: "done", result: earlier }
          : describeRename(needs, stream, { source, key, current, before, input, made }),
      precondition: {},
      guard: checkRetention,
    });
    return result;
  } catch (cause) {
    const isDisabled = cause instanceof JetStreamError &&
      cause.code === JetStreamCode.BatchesDisabled;
    throw isDisabled ? withoutBatches(cause) : cause;
  }
}

/** What a rename has read and is about to change. */
type Renaming = {
  readonly source: ObjectKey;
  readonly key: ObjectKey;
  /** The object info of the source. */
  readonly current: Current;
  /** The object info of the destination. */
  readonly before: Current;
  readonly input: RenameInput;
  readonly made: Identified;
};

function describeRename(
  needs: RenameNeeds,
  stream: BucketStream,
  { source, key, current, before, input, made }: Renaming,
): Change<RenamedObject> {
  const { store } = stream;
  const { info, bytes } = existing(needs, stream, source, current);
  const { raw, sequence } = current;
  needs.streams.noteRename(stream.bucket);
  if (raw === undefined) throw new TypeError("An object that can be read has no object info");
  checkRename(input.precondition, info, validatorOf(before));
  checkRetention(source, current, needs.now());
  const { size, etag } = info;
  const isInParts = bytes.kind === "parts";
  const { id, parameters } = made;
  const tombstone = formatTombstone(store, source, newNuid(source), needs.now());
  return {
    kind: "batch",
    nuid: bytes.nuid,
    message: formatRenamed(raw, key, info.modified),
    before: [{
      subject: records.rename(store, id),
      data: formatRename({ parameters, size, etag }),
      expect: 0,
      ttl: RENAME_TTL,
    }],
    after: [
      {
        subject: infoSubject(store, source),
        data: tombstone,
        rollup: true,
        expect: sequence,
        ttl: TOMBSTONE_TTL,
      },
      ...recordsOfGroup(stream, key, bytes),
    ],
    result: { size, etag, isInParts },
  };
}

/**
 * Returns the records of a renamed group: that the old key has no claim to it, and for an object in parts the trash record
 * that Complete left, under the new key. It frees the parts that the object does not use, and the key that it states names
 * the group, which saves a look at all others.
 */
function recordsOfGroup(
  { store }: BucketStream,
  key: ObjectKey,
  bytes: ObjectBytes,
): readonly BatchMessage[] {
  if (bytes.kind === "group" && bytes.chunks === 0) return [];
  const { nuid } = bytes;
  const renamed = { subject: records.renamed(store, nuid), data: "", rollup: true };
  return bytes.kind === "group"
    ? [renamed]
    : [renamed, trashMessage(store, key, nuid, "perhaps named")];
}

/**
 * Reads whether a rename was made.
 *
 * @throws S3Error `IdempotencyParameterMismatch` for a rename of other parameters
 */
async function readMade(
  { requests }: Pick<RenameNeeds, "requests">,
  { store, stream }: BucketStream,
  { id, parameters }: Identified,
): Promise<RenamedObject | undefined> {
  const record = await requests.leaderGet(stream, { last_by_subj: records.rename(store, id) });
  if (record === undefined) return undefined;
  const made = parseRename(textOf(record.data));
  if (made?.parameters === parameters) {
    return { size: made.size, etag: made.etag, isInParts: false };
  }
  throw new S3Error("IdempotencyParameterMismatch");
}

async function renameOntoItself(
  needs: RenameNeeds,
  stream: BucketStream,
  key: ObjectKey,
  { precondition }: RenameInput,
): Promise<RenamedObject> {
  const { info } = existing(needs, stream, key, await readBefore(needs, stream, key));
  checkRename(precondition, info, info);
  const { size, etag } = info;
  return { size, etag, isInParts: false };
}

function withoutBatches(cause?: unknown): S3Error {
  return new S3Error("NotImplemented", {}, {
    cause,
    message:
      "RenameObject needs a stream with atomic batches, and JetStream does not let the gateway switch them on.",
  });
}
