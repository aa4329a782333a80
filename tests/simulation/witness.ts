/**
 * Hears what clients did and saw, and judges it: the history of each key, and everything that no history explains.
 * @module
 */

import { isS3Error, type S3Error } from "../../src/s3/errors.ts";
import { type Begun, History, type Value } from "../cluster/history.ts";
import type { Ended } from "./gateway.ts";
import type { PlaceJudge } from "./version_answers.ts";

/** Errors that a gateway may answer while something fails: the operation may have happened. */
const IN_DOUBT = [
  "ServiceUnavailable",
  "OperationAborted",
  "ConditionalRequestConflict",
  "SlowDown",
] as const;

/** Operations that a full bucket does not refuse, by how their descriptions begin. */
const FREEING = ["DELETE", "ABORT", "GET", "HEAD", "LIST"] as const;

/** A place where an object may be. */
export const placeOf = (bucket: string, key: string): string => `${bucket}/${key}`;

/** The histories and the violations of a simulation. */
export class Witness {
  readonly violations: string[] = [];
  history: History;
  readonly #moment: () => number;
  /** Buckets may be full: then writes may be refused. */
  mayBeFull = false;
  /** Nothing fails, so nothing may be unavailable. */
  isQuiet = false;
  /** Gateways may be too slow to hold what their readers read. */
  readsMayBreak = false;
  /** Buckets that clients create and delete. */
  readonly fleeting = new Set<string>();
  /** Judges the places of buckets with versions, where the object before comes back when a version is removed. */
  judgePlace: PlaceJudge | undefined;

  constructor(moment: () => number) {
    this.#moment = moment;
    this.history = new History(moment);
  }

  /** Returns the present moment. */
  now(): number {
    return this.#moment();
  }

  /** Adds a violation. */
  object(text: string): void {
    this.violations.push(text);
  }

  /** Ends a write by how its call ended. Returns a word for it. */
  endWrite(
    begun: Begun,
    ended: Ended<unknown>,
    hasCondition: boolean,
    bucket: string,
    what = "a write",
  ): string {
    if (ended.kind === "lost") return "lost";
    if (ended.kind === "done") {
      begun.end("done");
      return "done";
    }
    const { cause } = ended;
    if (isS3Error(cause, "PreconditionFailed") && hasCondition) {
      begun.end("refused");
      return "refused";
    }
    return this.judge(cause, what, bucket);
  }

  /** Judges an error that says nothing about a key. Returns its name. */
  judge(cause: unknown, what: string, bucket = ""): string {
    if (isS3Error(cause, ...IN_DOUBT) && !this.#isUnexplained(cause, bucket)) return cause.code;
    if (isS3Error(cause, "NoSuchBucket") && this.fleeting.has(bucket)) return cause.code;
    const needsRoom = !FREEING.some((begin) => what.startsWith(begin));
    if (isS3Error(cause, "QuotaExceeded") && this.mayBeFull && needsRoom) return cause.code;
    this.object(`${what} ended with ${describeError(cause)}`);
    return "unexpected";
  }

  /** Tells whether nothing has failed that would explain an error. */
  #isUnexplained(cause: S3Error, bucket: string): boolean {
    // A bucket that comes and goes may be gone when it is asked, and back when that is looked into.
    return this.isQuiet && cause.code === "ServiceUnavailable" && !this.fleeting.has(bucket);
  }

  /** Tells whether an error says that there is no object. */
  isMissing(cause: unknown, bucket: string): boolean {
    return isS3Error(cause, "NoSuchKey") ||
      (isS3Error(cause, "NoSuchBucket") && this.fleeting.has(bucket));
  }

  /** Notes what a reader saw. */
  saw(place: string, from: number, value: Value, what: string): void {
    this.history.read(place, from, value, `${what} ${value ?? "none"}`);
  }

  /**
   * Begins new histories: a server has lost what it had acknowledged and not written to its disk.
   *
   * @param values What each place holds now.
   */
  beginAnew(values: ReadonlyMap<string, Value>): void {
    this.checkHistories();
    const before = this.history;
    this.history = new History(this.#moment);
    for (const [place, value] of values) {
      if (value !== null) this.history.write(place, value, `found ${value}`).end("done");
      for (const { what, sets, demand, optional } of before.eventsOf(place)) {
        if (!optional || sets === undefined || sets === value) continue;
        const condition = demand !== undefined && "is" in demand ? demand.is : undefined;
        this.history.write(place, sets, what, condition); // it may still happen
      }
    }
  }

  /** Checks all histories. */
  checkHistories(): void {
    for (const key of this.history.keys) {
      const explained = this.judgePlace?.judges(key) === true
        ? this.judgePlace.explain(key, this.history.eventsOf(key))
        : this.history.explain(key);
      if (explained !== undefined) this.object(explained);
    }
  }
}

function describeError(cause: unknown): string {
  if (isS3Error(cause)) return `${cause.code}: ${cause.message}${reason(cause)}`;
  return cause instanceof Error ? cause.stack ?? cause.message : String(cause);
}

function reason({ cause }: S3Error): string {
  return cause === undefined ? "" : ` (${cause})`;
}
