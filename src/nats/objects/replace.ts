/**
 * The one write path: every write of a key's object info goes through {@linkcode replace}.
 *
 * It reads the current object info, lets the caller describe the change, checks the precondition and the guard, commits
 * by compare-and-set, frees the chunk group that the old object info named, and starts over if another write was faster.
 * So every change of an object passes the same checks.
 * @module
 */

import { checkWrite, type WritePrecondition } from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import type { ObjectKey } from "../../s3/names.ts";
import { monotonic } from "../../world/world.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { mayHaveChanged, versioningOf } from "../buckets/versioning.ts";
import { isConflict, isFull, Unanswered } from "../jetstream/errors.ts";
import type { BatchMessage } from "../jetstream/messages.ts";
import type { Nuid } from "../layout/nuid.ts";
import { infoSubject, VERSIONS_LAYOUT } from "../layout/subjects.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import { checkReplace, type Guard, validatorOf } from "./check_replace.ts";
import { commitInfo, type NewInfo, type Outcome } from "./commit.ts";
import type { ObjectsContext } from "./context.ts";
import { type Current, readBefore } from "./current.ts";
import { deleteInFullBucket } from "./full_bucket.ts";
import type { Line } from "./key_lines.ts";
import { keepBoth, versionOfLate } from "./late_write.ts";
import { findArchived, removeHidden, takeTurn, type Turn } from "./new_version.ts";
import {
  discardGroup,
  freeReplaced,
  namesBytes,
  reasonOf,
  trashGroup,
  trashMessage,
} from "./trash.ts";

/** How often a write that conflicts starts over: enough for a crowd of writers on one key. */
const WRITE_ATTEMPTS = 200;
/** How often a batch is published while no response comes. */
const BATCH_ATTEMPTS = 3;

/** The fields of a context that a write needs. */
export type ReplaceNeeds = Pick<
  ObjectsContext,
  | "requests"
  | "streams"
  | "trashed"
  | "doubt"
  | "log"
  | "now"
  | "unfinished"
  | "findNamed"
  | "lines"
  | "documents"
  | "reportUnreadable"
>;

/** The change that a write makes to the current object info. */
export type Change<R> =
  & {
    /** The value that {@linkcode replace} returns once the change is made. */
    readonly result: R;
  }
  & (
    /** An object in place of the current one. */
    | NewInfo & { readonly kind: "object" }
    /** An object, and records that are stored with it in one atomic batch, before and after the object info. */
    | NewInfo & {
      readonly kind: "batch";
      readonly before: readonly BatchMessage[];
      readonly after: readonly BatchMessage[];
    }
    /** A delete marker. Its nuid names no chunks. */
    | NewInfo & { readonly kind: "marker" }
    /** There is nothing to change. The precondition and the guard still apply. */
    | { readonly kind: "nothing" }
    /** An earlier request has made the change, and has passed the checks. */
    | { readonly kind: "done" }
  );

/** A write of a key's object info. `P` is the type of other facts that it reads first. */
export type Replacement<R, P = undefined> = {
  /** The current object info, if the caller has read it or begun to. */
  readonly current?: Current | Promise<Current>;
  /** Reads what `describe` needs besides the current object info, at the same time and again on each attempt. */
  readonly prepare?: () => Promise<P>;
  /** Describes the change. Called again, with newer object info, if another write was faster. */
  readonly describe: (
    before: Current,
    prepared: P,
    version: VersionFacts | undefined,
  ) => Change<R> | Promise<Change<R>>;
  /**
   * The change makes a new version, which `describe` gets: undefined in a bucket that never had versioning. Otherwise the
   * current version stays the one that it is.
   */
  readonly makesVersion?: true;
  /** What {@linkcode takeTurn} has read and prepared, if the caller has called it. */
  readonly turn?: Promise<Turn> | undefined;
  readonly precondition: WritePrecondition;
  /** Undefined for a rewrite that changes nothing a guard protects. */
  readonly guard: Guard | undefined;
  /** A chunk group that was written for this change and is discarded if the change is refused. */
  readonly newGroup?: Nuid;
  /** Discards `newGroup`; by default {@linkcode discardGroup}. */
  readonly discard?: (needs: ReplaceNeeds, stream: BucketStream, nuid: Nuid) => Promise<void>;
};

/** A write that was made. */
export type Replaced<R> = {
  /** Stream sequence of the new object info; 0 if none was stored. */
  readonly sequence: number;
  readonly result: R;
};

/**
 * Another write took the place of this one. Whether this one was stored before it is unknown, and the other one may have
 * had a condition that this one would have failed, so it is not a success.
 */
export class Overtaken extends S3Error {
  constructor(key: ObjectKey, precondition: WritePrecondition) {
    const isConditional = Object.keys(precondition).length > 0;
    super(isConditional ? "ConditionalRequestConflict" : "ServiceUnavailable", { Key: key });
  }
}

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
            if (prepare === undefined) checkWrite(precondition, validatorOf(current), key);
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
          stream = await needs.streams.read(stream.bucket);
          if (stream.layout >= VERSIONS_LAYOUT) continue;
        }
        const described = describe(before, prepared as P, turn?.version); // without `prepare`, P is undefined
        change = described instanceof Promise ? await described : described;
        if (change.kind === "done") return { sequence: 0, result: change.result };
        checkReplace(
          key,
          before,
          precondition,
          turn === undefined ? guard : undefined,
          needs.now(),
        );
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
