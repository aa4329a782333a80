/**
 * Stray object info: the sweep finds it among all others, and removes it. See `layout/stray_info.ts`.
 * @module
 */

import type { StreamReading } from "../buckets/streams.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { readInfo } from "../layout/object_info.ts";
import { firstChunkIn, isElsewhere, isStray } from "../layout/stray_info.ts";
import { chunkSubject } from "../layout/chunk_subjects.ts";
import { keyOfSubject } from "../layout/subjects.ts";
import type { UploadsContext } from "../uploads/context.ts";

type StraysContext = Pick<UploadsContext, "requests" | "streams">;

/** Number of strays that one sweep looks at; the next one finds the others. */
const MAX_STRAYS = 1000;

/** Object info that seems to be stray, by its subject. */
export class Strays {
  readonly #found = new Map<string, number>();

  /**
   * Notes a message of object info.
   *
   * @param firstChunk Sequence of the first chunk; undefined if it is not stated.
   */
  note({ since }: StreamReading, { subject, sequence }: Delivery, firstChunk?: number): void {
    if (!isElsewhere(firstChunk, { since, sequence })) this.#found.delete(subject);
    else if (this.#found.size < MAX_STRAYS) this.#found.set(subject, sequence);
  }

  /**
   * Removes strays whose chunks are not all there. What is left of their chunks is an orphan from then on.
   *
   * @param options `newest` is the latest time of a message that may be removed, by nats-server's clock.
   * @returns the number of strays
   */
  async remove(
    context: StraysContext,
    stream: StreamReading,
    { newest, dryRun }: { readonly newest: number; readonly dryRun: boolean },
  ): Promise<number> {
    let count = 0;
    for (const [subject, sequence] of this.#found) {
      if (!await isRemovable(context, stream, subject, { sequence, newest })) continue;
      if (!dryRun) await context.streams.deleteMessage(stream.stream, sequence);
      count++;
    }
    return count;
  }
}

async function isRemovable(
  { requests, streams }: StraysContext,
  { store, stream, since }: StreamReading,
  subject: string,
  { sequence, newest }: { readonly sequence: number; readonly newest: number },
): Promise<boolean> {
  const key = keyOfSubject(store, subject);
  const last = await requests.leaderGet(stream, { last_by_subj: subject });
  if (key === undefined || last?.sequence !== sequence || last.time.getTime() > newest) {
    return false;
  }
  const info = readInfo(key, last.data, last.time);
  if (!isStray(key, info.nuid, firstChunkIn(info), { since, sequence })) return false;
  if (info.parsed.kind !== "object" || info.parsed.object.bytes.kind !== "group") return false;
  const { nuid, chunks } = info.parsed.object.bytes;
  let found = 0;
  for await (const page of streams.subjectPages(stream, chunkSubject(store, nuid))) {
    for (const count of Object.values(page)) found += count;
  }
  return found < chunks;
}
