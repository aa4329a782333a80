/**
 * The one write path: every write of a key's object info goes through {@linkcode replace}.
 *
 * It reads the current object info, lets the caller describe the change, checks the precondition and the guard, commits
 * by compare-and-set, frees the chunk group that the old object info named, and starts over if another write was faster.
 * So every change of an object passes the same checks.
 * @module
 */

import { checkWrite } from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import type { ObjectKey } from "../../s3/names.ts";
import { monotonic } from "../../world/world.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { mayHaveChanged, versioningOf } from "../buckets/versioning.ts";
import { isConflict, isFull, Unanswered } from "../jetstream/errors.ts";
import type { Nuid } from "../layout/nuid.ts";
import { infoSubject, VERSIONS_LAYOUT } from "../layout/subjects.ts";
import { checkReplace, validatorOf } from "./check_replace.ts";
import { commitInfo, type Outcome } from "./commit.ts";
import { type Current, readBefore } from "./current.ts";
import { deleteInFullBucket } from "./full_bucket.ts";
import type { Line } from "./key_lines.ts";
import { checkUnlocked } from "./lock_guard.ts";
import { keepBoth, versionOfLate } from "./late_write.ts";
import {
  type Change,
  Overtaken,
  type Replaced,
  type Replacement,
  type ReplaceNeeds,
} from "./replacement.ts";
import { findArchived, removeHidden, takeTurn, type Turn } from "./new_version.ts";
import {
  discardGroup,
  freeReplaced,
  namesBytes,
  reasonOf,
  trashGroup,
  trashMessage,
} from "./trash.ts";
import { heldVersion } from "./version_records.ts";

/** How often a write that conflicts starts over: enough for a crowd of writers on one key. */
const WRITE_ATTEMPTS = 200;
/** How often a batch is published while no response comes. */
const BATCH_ATTEMPTS = 3;

/**
 * Replaces a key's object info under a precondition and a guard, and frees the chunk group that the old one named.
 *
 * @throws S3Error from the precondition, the guard and `describe`; `SlowDown` after too many conflicts
 * @throws Overtaken
 * @throws Unanswered if no response came: the change may have been made, or may yet be
 */
export async function replace<R, P = undefined>(
  needs: ReplaceNeeds,
  stream: BucketStream,
  key: ObjectKey,
  replacement: Replacement<R, P>,
): Promise<Replaced<R>> {
  const { prepare, describe, precondition, guard, newGroup, discard = discardGroup } = replacement;
  const { makesVersion = false } = replacement;
  let reading = replacement.current;
  let taken = replacement.turn;
  let line: Line | undefined;
  try {
    for (let attempt = 0, unanswered = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      if (line === undefined && (attempt > 0 || isInLine(needs, stream, key))) {
        if (reading instanceof Promise) reading.catch(() => {});
        [reading, taken] = [undefined, undefined]; // the writes before this one change the key
        line = await needs.lines.join(infoSubject(stream.store, key));
      }
      let before: Current | undefined;
      let change: Change<R> | undefined;
      let outcome: Outcome;
      let isSent = false;
      let turn: Turn | undefined;
      let prepared: P | undefined;
      let at = monotonic();
      try {
        if (makesVersion && stream.layout >= VERSIONS_LAYOUT) {
          turn = await (taken ?? takeTurn(needs, stream, key, reading, (current) => {
            // What `prepare` reads may tell that the change was made.
            if (prepare !== undefined) return;
            checkWrite(precondition, validatorOf(current), key, heldVersion(current)?.id);
          }));
          ({ before, at } = turn);
          if (prepare !== undefined) prepared = await prepare();
        } else {
          reading ??= readBefore(needs, stream, key);
          if (prepare === undefined) before = await reading;
          else [before, prepared] = await Promise.all([reading, prepare()]);
        }
        [reading, taken] = [undefined, undefined];
        if (makesVersion && turn === undefined && before.version !== undefined) {
          // What is known of the bucket may be old: it seems to keep versions.
          stream = await needs.streams.read(stream.bucket, true);
          if (stream.layout >= VERSIONS_LAYOUT) continue;
        }
        const described = describe(before, prepared as P, turn?.version); // without `prepare`, P is undefined
        change = described instanceof Promise ? await described : described;
        if (change.kind === "done") return { sequence: 0, result: change.result };
        const now = needs.now();
        checkReplace(key, before, precondition, turn === undefined ? guard : undefined, now);
        if (turn?.locked !== undefined) checkUnlocked(key, turn.locked, false, now);
        if (change.kind === "nothing") {
          if (newGroup !== undefined) await discard(needs, stream, newGroup);
          return { sequence: 0, result: change.result };
        }
        if (turn !== undefined && mayHaveChanged(at)) {
          if (await versioningOf(needs, stream) !== turn.versioning) continue;
          at = monotonic();
        }
        isSent = true;
        outcome = change.kind === "batch"
          ? await commitBatch(
            needs,
            stream,
            key,
            isReplaced(turn) ? before : undefined,
            change,
            before,
          )
          : await commitInfo(needs, stream, key, change, before.sequence);
      } catch (cause) {
        if (
          before !== undefined && turn === undefined && change?.kind === "marker" && isFull(cause)
        ) {
          outcome = await deleteInFullBucket(needs, stream, key, before, change);
          if (outcome.kind === "committed") return { sequence: 0, result: change.result };
        } else {
          if (change?.kind === "batch") {
            // The first batch to land turns the others into conflicts: read again whose it was.
            if (isConflict(cause)) continue;
            if (cause instanceof Unanswered && ++unanswered < BATCH_ATTEMPTS) continue;
          }
          // A group whose commit may yet land belongs to the sweep. Before the commit, only reads can be unanswered.
          if (newGroup !== undefined && !(isSent && cause instanceof Unanswered)) {
            await discard(needs, stream, newGroup).catch(() => {});
          }
          throw cause;
        }
      }
      if (outcome.kind === "overtaken" && turn !== undefined) {
        outcome = await findArchived(needs, stream, key, turn.version.id, change.nuid) ?? outcome;
      }
      switch (outcome.kind) {
        case "committed":
          if (line !== undefined) needs.lines.leave(line);
          line = undefined;
          if (makesVersion && turn?.versioning !== "Enabled" && mayHaveChanged(at)) {
            const rescue = { before, turn, sequence: outcome.sequence };
            const version = await versionOfLate(needs, stream, key, rescue);
            if (version !== undefined) {
              const again = await describe(before, prepared as P, version);
              await keepBoth(needs, stream, key, rescue, version, again);
              return { sequence: outcome.sequence, result: again.result };
            }
          }
          if (change.kind === "batch") needs.trashed.add(stream.bucket);
          else if (before.nuid !== change.nuid && isReplaced(turn)) {
            await freeReplaced(needs, stream, key, before);
          }
          if (turn?.hidden !== undefined) await removeHidden(needs, stream, key, turn.hidden);
          return { sequence: outcome.sequence, result: change.result };
        case "refused":
          break;
        case "overtaken":
          await trashDoubtful(needs, stream, key, newGroup);
          if (before.nuid !== change.nuid && namesBytes(before) && isReplaced(turn)) {
            await trashDoubtful(needs, stream, key, before.nuid);
          }
          throw new Overtaken(key, precondition);
      }
    }
    if (newGroup !== undefined) await discard(needs, stream, newGroup);
    throw new S3Error("SlowDown", { Key: key });
  } finally {
    if (line !== undefined) needs.lines.leave(line);
  }
}

/** Returns whether a write takes the place of what it has read: otherwise that is archived. */
function isReplaced(turn: Turn | undefined): boolean {
  return turn === undefined || turn.isInPlace;
}

/** Returns whether other writes of a key are in line, which this one joins rather than to be refused. */
function isInLine({ lines }: ReplaceNeeds, { store }: BucketStream, key: ObjectKey): boolean {
  return !lines.isEmpty && lines.has(infoSubject(store, key));
}

/** Leaves it to the trash, which looks at the object, whether a group is still named after a write in doubt. */
async function trashDoubtful(
  needs: ReplaceNeeds,
  stream: BucketStream,
  key: ObjectKey,
  nuid: Nuid | undefined,
): Promise<void> {
  await trashGroup(needs, stream, key, nuid, "perhaps named");
}

/** Publishes object info, its records and the trash that they make, all or none. */
async function commitBatch(
  { requests }: ReplaceNeeds,
  { store }: BucketStream,
  key: ObjectKey,
  replaced: Current | undefined,
  { nuid, message, before, after }: Extract<Change<unknown>, { readonly kind: "batch" }>,
  { sequence: expect }: Current,
): Promise<Outcome> {
  const trash = replaced?.nuid === undefined || replaced.nuid === nuid
    ? []
    : [trashMessage(store, key, replaced.nuid, reasonOf(replaced))];
  const following = [...after, ...trash];
  const last = await requests.publishBatch([
    ...before,
    { subject: infoSubject(store, key), data: message, rollup: true, expect },
    ...following,
  ]);
  return { kind: "committed", sequence: last - following.length };
}
