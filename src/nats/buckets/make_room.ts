/**
 * Removing a message without a record in its place, which works in a full bucket as well.
 * @module
 */

import { Unanswered } from "../jetstream/errors.ts";
import type { BucketsContext } from "./context.ts";
import type { BucketStream } from "./streams.ts";

/** The result of removing a message. */
export type Removal =
  | "removed"
  /** It was gone before: another write was faster. */
  | "gone"
  /** It is gone, but no response told who removed it. */
  | "in doubt";

/** How often a removal is requested while no response comes. */
const REMOVAL_ATTEMPTS = 3;

/**
 * Removes the message at a sequence. Repeats the request until the message is gone for certain.
 *
 * @throws Unanswered if no response came: the message may have been removed, or may yet be
 */
export async function removeMessage(
  { streams }: Pick<BucketsContext, "streams">,
  { stream }: Pick<BucketStream, "stream">,
  sequence: number,
): Promise<Removal> {
  for (let attempt = 1, inDoubt = false;; attempt++) {
    try {
      if (await streams.deleteMessage(stream, sequence)) return "removed";
      return inDoubt ? "in doubt" : "gone";
    } catch (cause) {
      if (!(cause instanceof Unanswered) || attempt === REMOVAL_ATTEMPTS) throw cause;
      inDoubt = true;
    }
  }
}
