/**
 * Tells whether a bucket is empty, from the object info and the records of versions themselves. An index of them may be wrong,
 * and a bucket is deleted on the answer.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import { type StoredMessage, textOf } from "../jetstream/messages.ts";
import { parseListed } from "../layout/listed_info.ts";
import type { StoreName } from "../layout/names.ts";
import { records, subjectsOf, versionOfSubject } from "../layout/subjects.ts";
import { parseVersion } from "../layout/version_record.ts";
import { Feed, type FeedContext } from "./feed.ts";
import type { StreamReading, Streams } from "./streams.ts";

/** Milliseconds for reading the object info of a bucket: less than clients wait for a response. */
const READ_TIMEOUT = 45_000;

/**
 * Tells whether a bucket holds no object, no version and no delete marker, not even one that cannot be listed or read.
 *
 * @throws S3Error `NoSuchBucket`; `ServiceUnavailable` if it holds too many messages of deleted objects to be read
 */
export async function isEmpty(
  context: FeedContext & { readonly streams: Streams },
  bucket: BucketName,
): Promise<boolean> {
  const { requests, streams } = context;
  const stream = await streams.read(bucket);
  const { store } = stream;
  for (const filter of [subjectsOf(store).infos, records.versions(store)]) {
    // Usually the first message or the last one decides.
    const first = await requests.leaderGet(stream.stream, { seq: 1, next_by_subj: filter });
    if (first === undefined) continue;
    if (isKept(store, first)) return false;
    const last = await requests.leaderGet(stream.stream, { last_by_subj: filter });
    if (last !== undefined && isKept(store, last)) return false;
    if (await findsKept(context, stream, filter)) return false;
  }
  return true;
}

/** Reads messages until one is that of an object or a version. */
async function findsKept(
  context: FeedContext,
  stream: StreamReading,
  filter: string,
): Promise<boolean> {
  let isFound = false;
  using feed = new Feed(context, stream, {
    filters: [filter],
    asked: [filter],
    position: 0,
    apply({ subject, data, time }) {
      if (isFound || !isKept(stream.store, { subject, data, time: new Date(time) })) return;
      isFound = true;
      feed[Symbol.dispose]();
    },
  });
  const reached = await feed.reach(stream, READ_TIMEOUT);
  if (isFound || reached === "all") return isFound;
  throw new S3Error("ServiceUnavailable", { BucketName: stream.bucket });
}

function isKept(
  store: StoreName,
  { subject, data, time }: Pick<StoredMessage, "subject" | "data" | "time">,
): boolean {
  const version = versionOfSubject(store, subject);
  if (version !== undefined) return parseVersion(version.id, textOf(data)).kind !== "gone";
  const { listed, marker } = parseListed(data, time);
  return listed !== undefined || marker !== undefined;
}
