/**
 * Reads the object info of a bucket so that no name is missed, although names may move from message to message meanwhile.
 * @module
 */

import { monotonic } from "../../world/world.ts";
import { Feed, type FeedContext, type FeedOptions } from "../buckets/feed.ts";
import { History, type Mark } from "../buckets/history.ts";
import { readOnce } from "../buckets/read_once.ts";
import type { BucketStream, StreamReading } from "../buckets/streams.ts";
import type { Delivery } from "../jetstream/messages.ts";
import type { StoreName } from "../layout/names.ts";
import { parseSubjectOf, records, subjectsOf } from "../layout/subjects.ts";
import { infoInRecord } from "../layout/version_record.ts";

/** How far object info was read, from where reading may go on. */
export type InfoPosition = Pick<FeedOptions, "position" | "history">;

/** Why object info could not be read. */
export type InfoFailure =
  /** It was written faster than it could be read. */
  | "late"
  /** The stream does not have the history that was read. */
  | "restored";

/** Milliseconds for reading all object info. */
const TIMEOUT = 1_800_000;
/** Number of messages that prove, after much was read, that the stream still has its history. */
const MARKS = 128;

/** Returns what to read: the records of versions as well, where there can be some. */
function filtersOf({ store, prepared }: BucketStream): readonly string[] {
  const { infos } = subjectsOf(store);
  return prepared ? [infos, records.versions(store)] : [infos];
}

/** Returns a delivery whose data is object info: a record of a version has that of its version. */
function withInfo(store: StoreName, delivery: Delivery): Delivery {
  if (parseSubjectOf("version", store, delivery.subject) === undefined) return delivery;
  return { ...delivery, data: infoInRecord(delivery.data) };
}

/**
 * Reads object info, that in the records of versions too. It misses no name: at some moment after the call, the bucket had no object info that it has not read,
 * so a name that moved to another message in the meantime was read there.
 *
 * @param from Where an earlier call ended, if there was one.
 * @throws errors of JetStream
 */
export async function readInfos(
  context: FeedContext,
  stream: BucketStream,
  apply: (delivery: Delivery) => void,
  from: InfoPosition = { position: 0 },
): Promise<InfoPosition | InfoFailure> {
  const filters = filtersOf(stream);
  using feed = new Feed(context, stream, {
    filters,
    asked: filters,
    ...from,
    apply: (delivery) => apply(withInfo(stream.store, delivery)),
  });
  for (const began = monotonic(); monotonic() - began < TIMEOUT;) {
    const reached = await feed.reach(stream, TIMEOUT);
    if (reached !== "all") return reached;
    const { position, history } = feed;
    const later = await Promise.all(
      filters.map((next_by_subj) =>
        context.requests.leaderGet(stream.stream, { seq: position + 1, next_by_subj })
      ),
    );
    if (later.every((message) => message === undefined)) return { position, history };
  }
  return "late";
}

/** Does what {@linkcode readInfos} does, from the beginning, and at half the cost where there is much to read. */
export async function readAllInfos(
  context: FeedContext,
  stream: StreamReading,
  apply: (delivery: Delivery) => void,
): Promise<InfoPosition | InfoFailure> {
  const marks: Mark[] = [];
  let count = 0;
  const history = (): History => {
    const recent = [...marks.slice(count % MARKS), ...marks.slice(0, count % MARKS)];
    const history = new History(count > MARKS ? recent[0] : undefined);
    for (const mark of recent) history.note(mark);
    return history;
  };
  const [infos = "", versions] = filtersOf(stream);
  const isWhole = await readOnce(context, stream, {
    filter: infos,
    deliver(delivery) {
      const { subject, sequence, stamp } = delivery;
      marks[count++ % MARKS] = { subject, sequence, stamp };
      apply(delivery);
    },
    goesOn: async (last) =>
      last === undefined ||
      await history().find(context.requests, stream.stream) === last.sequence,
  });
  if (!isWhole) return "restored";
  // Names that move from object info to a record later are read below.
  if (versions !== undefined) {
    const deliver = (delivery: Delivery): void => apply(withInfo(stream.store, delivery));
    await readOnce(context, stream, { filter: versions, deliver });
  }
  const last = marks[(count - 1) % MARKS];
  const from = last && { position: last.sequence, history: history() };
  return await readInfos(context, stream, apply, from);
}
