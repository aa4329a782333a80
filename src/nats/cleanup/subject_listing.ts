/**
 * Lists all chunks and records of a bucket for the sweep, in one of two ways.
 *
 * nats-server lists subjects from memory, without reading stored bytes, but pages cost the square of their number
 * (`subject_pages.ts`). A consumer that leaves the data out costs the same for each message, but the server reads the whole
 * file for it. So buckets of few subjects, and those of large objects, are listed by subject, all others by message.
 * @module
 */

import type { FeedContext } from "../buckets/feed.ts";
import { readOnce } from "../buckets/read_once.ts";
import type { StreamReading, Streams } from "../buckets/streams.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { subjectsOf } from "../layout/subjects.ts";

/** How a bucket is listed. */
export type ListingMode = "by subject" | "by message";

/** Fields of a context that listing needs. */
export type ListingContext = FeedContext & { readonly streams: Pick<Streams, "subjectPages"> };

/** Called with a subject, with the number of messages that were found of it, and with the time of one of them if known. */
export type Visit = (subject: string, count: number, time: number | undefined) => void;

/** Up to so many subjects, pages of subjects are always cheaper. */
const FEW_SUBJECTS = 200_000;
/** With more subjects than this, nats-server takes longer for a page than requests wait. */
const MOST_PAGED = 1_000_000;
/** Average bytes of a subject from which on reading the file costs more than up to eleven pages. */
const LARGE = 64 * 1024;

/** Chooses how a bucket is listed. */
export function chooseListing({ bytes, subjects }: StreamReading): ListingMode {
  if (subjects <= FEW_SUBJECTS) return "by subject";
  return subjects <= MOST_PAGED && isLarge({ bytes, subjects }) ? "by subject" : "by message";
}

/** Tells whether reading the messages of a stream costs nats-server much more than their number tells. */
export function isLarge({ bytes, subjects }: Pick<StreamReading, "bytes" | "subjects">): boolean {
  return bytes > LARGE * subjects;
}

/**
 * Visits all chunks and records of a bucket that exist during the whole call. It visits a subject once for each of its
 * messages, or once or twice with the number of them.
 *
 * @throws errors of JetStream
 */
export async function eachSubject(
  context: ListingContext,
  stream: StreamReading,
  mode: ListingMode,
  visit: Visit,
): Promise<void> {
  const { chunks, records } = subjectsOf(stream.store);
  const filters = stream.prepared ? [chunks, records] : [chunks];
  if (mode === "by subject") {
    for (const filter of filters) {
      for await (const page of context.streams.subjectPages(stream.stream, filter)) {
        for (const subject of Object.keys(page)) visit(subject, page[subject] ?? 0, undefined);
      }
    }
    return;
  }
  for (const filter of filters) {
    const deliver = ({ subject, time }: Delivery): void => visit(subject, 1, time);
    await readOnce(context, stream, { filter, headersOnly: true, deliver });
  }
}
