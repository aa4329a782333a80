/**
 * Chunk groups of renamed objects: the record `S3.renamed.<nuid>` says that the key in a nuid has no claim to its group.
 *
 * It lives as long as the group. While a bucket has such a record, object info of a key does not suffice to purge the group
 * that was made for the key: a native client may have brought it back.
 * @module
 */

import type { Requests } from "../jetstream/requests.ts";
import { type StoreName, streamOf } from "../layout/names.ts";
import type { Nuid } from "../layout/nuid.ts";
import { records } from "../layout/subjects.ts";

/** Tells whether a bucket holds the group of any renamed object. */
export async function hasRenamedGroups(requests: Requests, store: StoreName): Promise<boolean> {
  const next_by_subj = records.renamed(store, "*");
  return await requests.leaderGet(streamOf(store), { seq: 1, next_by_subj }) !== undefined;
}

/** Tells whether a group is that of a renamed object. */
export async function isRenamed(
  requests: Requests,
  store: StoreName,
  nuid: Nuid,
): Promise<boolean> {
  const last_by_subj = records.renamed(store, nuid);
  return await requests.leaderGet(streamOf(store), { last_by_subj }) !== undefined;
}
