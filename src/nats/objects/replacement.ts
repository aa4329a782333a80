/**
 * What a write of a key's object info states, and what it returns; `replace.ts` makes it.
 * @module
 */

import type { WritePrecondition } from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { BucketStream } from "../buckets/streams.ts";
import type { BatchMessage } from "../jetstream/messages.ts";
import type { Nuid } from "../layout/nuid.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import type { Guard } from "./check_replace.ts";
import type { NewInfo } from "./commit.ts";
import type { ObjectsContext } from "./context.ts";
import type { Current } from "./current.ts";
import type { Turn } from "./new_version.ts";

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
