/**
 * The history of a stream: which messages had which sequences.
 *
 * A sequence alone does not tell how far a reader came. nats-server may lose its last messages, because of a power
 * failure or a volume that was rolled back, and give their sequences to others. State that was derived from lost messages
 * is then wrong for good, because no message will correct it.
 *
 * So a reader remembers marks: the last messages that it applied, one per subject, each with its sequence and its time in
 * nanoseconds. A mark that the stream still holds proves that everything up to it is as it was. A mark that is gone proves
 * nothing, because a later message may have replaced it. Then an older mark proves the history up to there, and the
 * messages behind it, applied again, correct what the reader knows, provided that they include each subject of a later
 * mark.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import { pause } from "../../world/world.ts";
import type { Requests } from "../jetstream/requests.ts";
import type { BucketStream } from "./streams.ts";

/** A message that was applied. */
export type Mark = {
  readonly subject: string;
  readonly sequence: number;
  /** When JetStream stored it, in nanoseconds, see `stampOf()`. */
  readonly stamp: string;
};

/** Number of subjects that are remembered. */
const MAX_MARKS = 128;
/** Number of marks that are looked for at once. */
const AT_ONCE = 8;
/** Number of looks at a stream with several copies, and milliseconds between them. */
const PROOF_ATTEMPTS = 4;
const PROOF_PAUSE = 250;

/** The marks of a reader. */
export class History {
  /** The last mark of each subject. Every message behind the first of them was of one of these subjects. */
  readonly #marks = new Map<string, Mark>();
  /** Whether all messages that were applied have marks, so that a reader may also begin before the first. */
  #isWhole: boolean;
  /** Sequence up to which messages need no marks of their own. */
  readonly #base: number;

  /** @param base A message before which the reader's first state was complete; absent if it begins with nothing. */
  constructor(base?: Mark) {
    this.#isWhole = base === undefined;
    this.#base = base?.sequence ?? 0;
    if (base !== undefined) this.#marks.set(base.subject, base);
  }

  /** Notes that a message was applied. */
  note({ subject, sequence, stamp }: Mark): void {
    if (sequence <= this.#base) return;
    const marks = this.#marks;
    marks.delete(subject);
    marks.set(subject, { subject, sequence, stamp });
    if (marks.size <= MAX_MARKS) return;
    for (const [first] of marks) {
      marks.delete(first);
      break;
    }
    this.#isWhole = false;
  }

  /** Notes that the reader applied a change that came without a message: only later marks prove anything. */
  forget(): void {
    this.#marks.clear();
    this.#isWhole = false;
  }

  /** The highest sequence that {@linkcode find} may return. */
  get last(): number {
    let last = 0;
    for (const { sequence } of this.#marks.values()) last = Math.max(last, sequence);
    return last;
  }

  /**
   * Finds the sequence up to which the stream's history is proved, so that applying the messages behind it is enough.
   * Returns undefined if the reader must begin anew.
   */
  async find(requests: Requests, stream: string): Promise<number | undefined> {
    const marks = [...this.#marks.values()].sort((a, b) => b.sequence - a.sequence);
    const place = await this.#findStored(requests, stream, marks);
    if (place === undefined && !this.#isWhole) return undefined;
    const proved = place === undefined ? 0 : (marks[place] as Mark).sequence;
    const later = await mapAtOnce(marks.slice(0, place), AT_ONCE, async ({ subject }) => {
      const message = await requests.leaderGet(stream, { last_by_subj: subject });
      return message !== undefined && message.sequence > proved;
    });
    return later.every((isReplaced) => isReplaced) ? proved : undefined;
  }

  /** Calls {@linkcode find}, and again if a stream with several copies may prove more soon. */
  async prove(
    requests: Requests,
    { stream, single }: Pick<BucketStream, "stream" | "single">,
  ): Promise<number | undefined> {
    for (let attempt = 1;; attempt++) {
      const proved = await this.find(requests, stream);
      if (proved !== undefined || single || attempt === PROOF_ATTEMPTS) return proved;
      // A new leader may apply messages later than the replica whose consumer delivered them.
      await pause(PROOF_PAUSE);
    }
  }

  /** Returns the place of the first mark that the stream holds: usually the very first. */
  async #findStored(
    requests: Requests,
    stream: string,
    marks: readonly Mark[],
  ): Promise<number | undefined> {
    for (let i = 0, count = 1; i < marks.length; i += count, count = AT_ONCE) {
      const stored = await Promise.all(
        marks.slice(i, i + count).map(async (mark) => {
          const message = await requests.leaderGet(stream, { seq: mark.sequence });
          return message?.subject === mark.subject && message.stamp === mark.stamp;
        }),
      );
      const place = stored.indexOf(true);
      if (place >= 0) return i + place;
    }
    return undefined;
  }
}
