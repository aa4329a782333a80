/**
 * Calls that read about streams.
 * @module
 */

import { type ApiContext, type Fields, fieldsOf, type Respond, streamOf } from "./api_call.ts";
import { notSimulated, Refused } from "./api_errors.ts";
import { formatTime, NO_TIME } from "./stored_time.ts";
import type { Stream } from "./stream.ts";
import { collide, matcherOf } from "./subject_filter.ts";

/** Most subjects of a page of STREAM.INFO, and streams of a page of names and lists. */
const MAX_SUBJECTS = 100_000;
const NAMES_PAGE = 1024;
const LIST_PAGE = 256;

/** Returns the fields of a StreamInfo. */
export function describe(
  { now }: ApiContext,
  { config, created, store, consumers }: Stream,
): Fields {
  const deleted = store.messages.size === 0
    ? 0
    : store.lastSequence - store.firstSequence + 1 - store.messages.size;
  const first = store.messages.get(store.firstSequence);
  // Nothing was ever stored or compacted.
  const isUntouched = store.lastSequence === 0 && store.firstSequence === 1 && !store.isCompacted &&
    config.first_seq === undefined;
  return {
    config,
    created: formatTime(created),
    state: {
      messages: store.messages.size,
      bytes: store.bytes,
      first_seq: isUntouched ? 0 : store.firstSequence,
      first_ts: first === undefined ? NO_TIME : formatTime(first.time),
      last_seq: store.lastSequence,
      last_ts: store.lastTime === undefined ? NO_TIME : formatTime(store.lastTime),
      ...(deleted > 0 && { num_deleted: deleted }),
      ...(store.subjects.size > 0 && { num_subjects: store.subjects.size }),
      consumer_count: consumers.size,
    },
    cluster: { leader: "n1", ...(config.num_replicas > 1 && { name: "simulation" }) },
    ts: formatTime(now()),
  };
}

/** STREAM.INFO. */
export function readStream(
  context: ApiContext,
  [name]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const { subjects_filter = "", offset = 0, deleted_details } = fieldsOf(document) as {
    readonly subjects_filter?: string;
    readonly offset?: number;
    readonly deleted_details?: boolean;
  };
  if (deleted_details === true) throw new Refused(notSimulated("deleted_details"));
  const stream = streamOf(context, name);
  const described: Fields = { ...describe(context, stream), total: 0, offset: 0, limit: 0 };
  if (subjects_filter === "") {
    respond(described);
    return;
  }
  const matches = matcherOf(subjects_filter);
  const counts = [...stream.store.subjects].filter(([subject]) => matches(subject))
    .map(([subject, list]) => [subject, list.length] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (counts.length === 0) {
    respond(described);
    return;
  }
  const page = Object.fromEntries(
    counts.slice(Math.max(0, offset), Math.max(0, offset) + MAX_SUBJECTS),
  );
  const state = described["state"] as Fields;
  respond({
    ...described,
    state: { ...state, ...(Object.keys(page).length > 0 && { subjects: page }) },
    total: counts.length,
    offset: Math.max(0, offset),
    limit: MAX_SUBJECTS,
  });
}

/** Returns a page of the streams that a request selects, by name. */
function pageOf(
  { streams }: ApiContext,
  document: unknown,
  limit: number,
): { readonly total: number; readonly offset: number; readonly page: readonly Stream[] } {
  const { offset = 0, subject } = fieldsOf(document) as {
    readonly offset?: number;
    readonly subject?: string;
  };
  const all = [...streams.values()]
    .filter(({ config: { subjects = [] } }) =>
      !subject || subjects.some((one) => collide(one, subject))
    )
    .sort((a, b) => (a.config.name < b.config.name ? -1 : 1));
  return {
    total: all.length,
    offset: Math.min(offset, all.length),
    page: all.slice(offset, offset + limit),
  };
}

/** STREAM.NAMES. */
export function listNames(
  context: ApiContext,
  _: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const { total, offset, page } = pageOf(context, document, NAMES_PAGE);
  respond({
    total,
    offset,
    limit: NAMES_PAGE,
    // Only a cluster has an empty list if the offset has gone too far.
    streams: page.length === 0 && !(context.isCluster && total > 0)
      ? null
      : page.map(({ config }) => config.name),
  });
}

/** STREAM.LIST. */
export function listStreams(
  context: ApiContext,
  _: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const { total, offset, page } = pageOf(context, document, LIST_PAGE);
  respond({
    // A cluster counts what is left after the offset has gone too far.
    total: context.isCluster && page.length === 0 ? 0 : total,
    offset,
    limit: LIST_PAGE,
    streams: page.map((stream) => describe(context, stream)),
  });
}
