/**
 * Lists the streams that are buckets.
 * @module
 */

import { stampOf } from "../jetstream/messages.ts";
import { LIST_BYTES } from "../jetstream/reply_budget.ts";
import type { Requests } from "../jetstream/requests.ts";
import { type StoreName, storeOfStream } from "../layout/names.ts";
import { ALL_STORES } from "../layout/subjects.ts";
import { locationOf } from "./location.ts";
import { isFenced, isObjectStore, type StreamInfo } from "./stream_config.ts";

/** A stream in a list of all buckets. */
export type ListedStream = {
  readonly store: StoreName;
  readonly created: Date;
  /** The location that it was created in or moved to; undefined if none was named. */
  readonly location: string | undefined;
  /** When its last message was stored, see `stampOf()`. */
  readonly lastStamp: string;
};

type StreamPage = {
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly streams: readonly StreamInfo[] | null;
};

/** Lists all streams that are buckets. */
export async function listStreams(requests: Requests): Promise<readonly ListedStream[]> {
  const found: ListedStream[] = [];
  for await (const { store, info: { config, created, state } } of streamInfos(requests)) {
    found.push({
      store,
      created: new Date(created),
      location: locationOf(config.metadata),
      lastStamp: stampOf(state.last_ts),
    });
  }
  return found;
}

/** Reads the streams that are buckets, page by page. */
export async function* streamInfos(
  requests: Requests,
): AsyncGenerator<{ readonly store: StoreName; readonly info: StreamInfo }> {
  for (let offset = 0, total = 1; offset < total;) {
    const query = { offset, subject: ALL_STORES };
    const page = await requests.call<StreamPage>("STREAM.LIST", query, {
      listBytes: LIST_BYTES.streams,
    });
    for (const info of page.streams ?? []) {
      const store = storeOfStream(info.config.name);
      if (store === undefined) continue;
      // A bucket exists while it is being deleted, and if that was given up.
      if (isObjectStore(store, info.config) || isFenced(store, info.config)) yield { store, info };
    }
    total = page.total;
    offset += page.streams?.length || page.limit || total;
  }
}
