/**
 * Tells whether a bucket is empty, from the object info itself. An index of its keys may be wrong, and a bucket is deleted
 * on the answer.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import type { StoredMessage } from "../jetstream/messages.ts";
import { parseListed } from "../layout/listed_info.ts";
import { subjectsOf } from "../layout/subjects.ts";
import { Feed, type FeedContext } from "./feed.ts";
import type { StreamReading, Streams } from "./streams.ts";

/** Milliseconds for reading the object info of a bucket: less than clients wait for a response. */
const READ_TIMEOUT = 45_000;

/**
 * Tells whether a bucket holds no object, not even one that cannot be listed or read.
 *
 * @throws S3Error `NoSuchBucket`; `ServiceUnavailable` if it holds too many messages of deleted objects to be read
 */
export async function isEmpty(
  context: FeedContext & { readonly streams: Streams },
  bucket: BucketName,
): Promise<boolean> {
  const { requests, streams } = context;
  const stream = await streams.read(bucket);
  const { infos } = subjectsOf(stream.store);
  // Usually the first message or the last one decides.
  const first = await requests.leaderGet(stream.stream, { seq: 1, next_by_subj: infos });
  if (first === undefined) return true;
  if (isObject(first)) return false;
  const last = await requests.leaderGet(stream.stream, { last_by_subj: infos });
  if (last !== undefined && isObject(last)) return false;
  return !await findsObject(context, stream, infos);
}

/** Reads object info until one is an object's. */
async function findsObject(
  context: FeedContext,
  stream: StreamReading,
  infos: string,
): Promise<boolean> {
  let isFound = false;
  using feed = new Feed(context, stream, {
    filters: [infos],
    asked: [infos],
    position: 0,
    apply({ data, time }) {
      if (isFound || !isObject({ data, time: new Date(time) })) return;
      isFound = true;
      feed[Symbol.dispose]();
    },
  });
  const reached = await feed.reach(stream, READ_TIMEOUT);
  if (isFound || reached === "all") return isFound;
  throw new S3Error("ServiceUnavailable", { BucketName: stream.bucket });
}

function isObject({ data, time }: Pick<StoredMessage, "data" | "time">): boolean {
  return parseListed(data, time).listed !== undefined;
}
