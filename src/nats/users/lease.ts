/**
 * Knows for how long the directory of users is current, and asks the leader of its stream again in time.
 *
 * What was read counts as current for a second after a request to the leader, whose last sequence the reading has reached. So
 * a removed user is refused within a second, and if the leader does not answer, every request is. While requests come in, one
 * small request a second goes to the leader, half a second before anybody would have to wait for it.
 *
 * A gateway without the stream has no users. It looks for the stream once a second, and goes on without one for half a minute
 * while JetStream elects a leader. If NATS does not permit the question, it has no users either and asks once a minute.
 * @module
 */

import { Directory } from "../../iam/directory.ts";
import { S3Error } from "../../s3/errors.ts";
import { monotonic, pause } from "../../world/world.ts";
import { NotPermitted, Unanswered } from "../jetstream/errors.ts";
import { USERS_STREAM } from "../layout/user_subjects.ts";
import { catchUp } from "./catch_up.ts";
import { Reading, type ReadingContext } from "./reading.ts";
import { readUsersState, type UsersState } from "./stream.ts";

/** What the lease works with. */
export type LeaseContext = ReadingContext & {
  readonly log: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void };
};

/** Milliseconds for which a leader's answer holds, and after which the next one is asked for. */
const LEASE = 1000;
const RENEWAL = 500;
/** Milliseconds for which anybody waits for an answer: the second value if there was no stream before. */
const PATIENCE = 2000;
const SHORT_PATIENCE = 500;
/** Milliseconds for which a stream that did not exist is believed not to exist while nobody says so. */
const ABSENCE = 30_000;
/** Milliseconds between two questions that NATS does not permit. */
const DENIAL = 60_000;
/** Milliseconds between two questions that fail at once. */
const PAUSE = 50;

const NOBODY = new Directory();

/** The current directory, until it is disposed. */
export class UsersLease implements Disposable {
  readonly #context: LeaseContext;
  #reading: Reading | undefined;
  /** The last directory that was complete. */
  #directory = NOBODY;
  /** Until when the directory is known to be current, and when to ask again, in monotonic time. */
  #until = -Infinity;
  #renewal = -Infinity;
  #asking: Promise<void> | undefined;
  #state: UsersState | undefined;
  /** When it was last certain that there is no stream. */
  #absent = -Infinity;
  #isLoaded = false;
  #isDenied = false;
  #locked = 0;

  constructor(context: LeaseContext) {
    this.#context = context;
  }

  /** The reading of the stream; undefined if there is no stream, or nobody has asked for it. */
  get reading(): Reading | undefined {
    return this.#reading;
  }

  /** The last sequence that the directory includes, also if nothing has it any more. */
  get last(): number {
    return Math.max(this.#reading?.snapshot?.last ?? 0, this.#state?.last ?? 0);
  }

  /** Whether NATS does not permit the gateway to look for the stream. */
  get isDenied(): boolean {
    return this.#isDenied;
  }

  /** Returns the directory if it is known to be current. */
  current(): Directory | undefined {
    const now = monotonic();
    if (now >= this.#until) return undefined;
    if (now >= this.#renewal && this.#asking === undefined) this.#ask().catch(() => {});
    return this.#complete();
  }

  /**
   * Returns the directory as of at most a second ago.
   *
   * @throws S3Error `ServiceUnavailable` if the leader does not say within two seconds that it is current
   */
  async read(): Promise<Directory> {
    const begin = monotonic();
    const wasAbsent = begin - this.#absent < ABSENCE;
    const deadline = begin + (wasAbsent ? SHORT_PATIENCE : PATIENCE);
    let failure: unknown;
    for (let now = begin; now < deadline; now = monotonic()) {
      const directory = this.current();
      if (directory !== undefined) return directory;
      try {
        await within(deadline - now, this.#ask());
      } catch (cause) {
        failure = cause;
        if (cause instanceof NotPermitted) break;
        await pause(Math.min(PAUSE, Math.max(deadline - monotonic(), 0)));
      }
    }
    if (wasAbsent && this.#reading === undefined) {
      this.#hold(monotonic(), LEASE);
      return this.#directory;
    }
    throw new S3Error("ServiceUnavailable", {}, {
      cause: failure ?? new Unanswered(USERS_STREAM, `${PATIENCE} ms passed`),
      headers: { "Retry-After": "2" },
      message: "Please try again: who may do what is not known at the moment.",
    });
  }

  /** Forgets that the directory is current. An answer that is on its way does not count any more. */
  doubt(): void {
    this.#until = -Infinity;
    this.#asking = undefined;
  }

  /** Asks the leader whether the directory is current. Callers share the question. */
  #ask(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const asking: Promise<void> = this.#confirm(() => this.#asking === asking).finally(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    this.#asking = asking;
    return asking;
  }

  async #confirm(isWanted: () => boolean): Promise<void> {
    const sent = monotonic();
    const taken = this.#reading?.last ?? 0;
    let state: UsersState | undefined;
    try {
      state = await readUsersState(this.#context.requests);
    } catch (cause) {
      if (!isWanted()) return;
      if (!(cause instanceof NotPermitted) || this.#isLoaded) throw cause;
      this.#deny(cause);
      return;
    }
    if (!isWanted()) return;
    this.#isDenied = false;
    this.#state = state;
    if (state === undefined) {
      this.#drop();
      this.#absent = sent;
    } else {
      this.#absent = -Infinity;
      await this.#follow(state, taken, sent + PATIENCE);
    }
    if (isWanted()) this.#hold(sent, LEASE);
  }

  #deny(cause: NotPermitted): void {
    if (!this.#isDenied) {
      this.#context.log.warn("NATS does not permit the gateway to look for users: it has none", {
        reason: cause.message,
      });
    }
    this.#isDenied = true;
    this.#hold(monotonic(), DENIAL);
  }

  #hold(since: number, lease: number): void {
    this.#until = since + lease;
    this.#renewal = since + lease * RENEWAL / LEASE;
  }

  #drop(): void {
    if (this.#isLoaded) {
      this.#context.log.warn("The KV bucket of users is gone: all of them are unknown", {
        stream: USERS_STREAM,
      });
    }
    this.#isLoaded = false;
    this.#reading?.[Symbol.dispose]();
    this.#reading = undefined;
    this.#directory = NOBODY;
  }

  /** @param taken Sequence that the reading had reached when the leader was asked. */
  async #follow(state: UsersState, taken: number, deadline: number): Promise<void> {
    const known = this.#reading;
    const isOther = known === undefined || known.created !== state.created || state.last < taken;
    const reading = isOther ? this.#readAgain(state) : known;
    if (await catchUp(this.#context.requests, reading, state, deadline) === "differs") {
      const again = this.#readAgain(state);
      if (await catchUp(this.#context.requests, again, state, deadline) === "differs") {
        throw new Unanswered(USERS_STREAM, "records came and went while they were read");
      }
    }
    this.#isLoaded = true;
    this.#reportLocked();
  }

  #readAgain({ created }: UsersState): Reading {
    this.#complete();
    const before = this.#reading;
    this.#reading = new Reading(this.#context, created, before);
    before?.[Symbol.dispose]();
    return this.#reading;
  }

  /** Says when secrets cannot be opened: their users cannot sign requests. */
  #reportLocked(): void {
    const locked = this.#reading?.counts.locked ?? 0;
    if (locked > 0 && locked !== this.#locked) {
      this.#context.log.warn("No key opens the secrets of some users, who cannot sign requests", {
        accessKeys: locked,
        reason: "NATS_S3_USERS_KEY is not set, or lacks the key that sealed them",
      });
    }
    this.#locked = locked;
  }

  [Symbol.dispose](): void {
    this.#reading?.[Symbol.dispose]();
    this.#until = -Infinity;
  }

  #complete(): Directory {
    if (this.#reading?.snapshot !== undefined) this.#directory = this.#reading.directory;
    return this.#directory;
  }
}

/** Waits for work, but not longer than some milliseconds. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  const end = new AbortController();
  try {
    await Promise.race([work, pause(milliseconds, end.signal)]);
  } finally {
    end.abort();
  }
}
