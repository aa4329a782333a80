/**
 * Walks through a bucket and finds what its lifecycle rules remove by now.
 * @module
 */

import { compareUtf8 } from "../s3/key_order.ts";
import { expiryOfUpload, type LifecycleRule } from "../s3/lifecycle.ts";
import type { BucketName, ObjectKey } from "../s3/names.ts";
import { NULL_VERSION } from "../s3/version_id.ts";
import type {
  ListedVersion,
  ListPage,
  ListQuery,
  VersionPage,
  VersionQuery,
} from "../store/listings.ts";
import type { UploadPage, UploadQuery } from "../store/uploads.ts";
import { type Due, KeyJudge, type WalkedStore, type WalkOptions } from "./lifecycle_judge.ts";
import { settled } from "./settled.ts";

/** Versions or uploads of one page: so few that clients do not notice how long a page keeps the processor. */
const PAGE = 250;

/** Visits the uploads that are due. */
export async function walkUploads(
  store: WalkedStore,
  bucket: BucketName,
  { rules, now, day, visit, turn, parallel, batch }: WalkOptions,
): Promise<void> {
  const aborting = rules.filter(({ abortDays }) => abortDays !== undefined);
  for (const prefix of rootsOf(aborting)) {
    let from: UploadPage["next"] = { keyMarker: "", uploadIdMarker: "" };
    while (from !== undefined) {
      const query: UploadQuery = { prefix, delimiter: "", ...from, limit: PAGE };
      const page: UploadPage = await turn(() => store.listUploads(bucket, query));
      const due = page.uploads.flatMap(({ key, id, initiated }): Due[] => {
        const expiry = expiryOfUpload(aborting, key, initiated, day);
        if (expiry === undefined || expiry.at > now) return [];
        return [{ kind: "upload", key, uploadId: id, precondition: {}, expiry }];
      });
      for (let i = 0; i < due.length; i += parallel) {
        const some = due.slice(i, i + parallel);
        await batch(some.length, () => settled(some.map(visit)));
      }
      from = page.next;
    }
  }
}

/**
 * Visits the versions that are due, several at a time: the noncurrent versions of a key first, then its current one.
 *
 * @param after Only keys after this text; "" for all.
 * @param passed Called after each page with the last key of which nothing is left to judge.
 */
export async function walkVersions(
  store: WalkedStore,
  bucket: BucketName,
  options: WalkOptions,
  after: string,
  passed: (after: string) => Promise<void>,
): Promise<void> {
  const rules = options.rules.filter(({ expiration, noncurrent }) =>
    expiration !== undefined || noncurrent !== undefined
  );
  const walk = new KeyJudge(store, bucket, { ...options, rules });
  for (const prefix of rootsOf(rules)) {
    if (compareUtf8(after, prefix) > 0 && !after.startsWith(prefix)) continue;
    const from = compareUtf8(after, prefix) > 0 ? after : "";
    for await (const page of pagesOf(store, bucket, prefix, from, options.turn)) {
      for (const version of page) await walk.add(version);
      await walk.flush();
      if (walk.passed !== "") await passed(walk.passed);
    }
    await walk.end();
    if (walk.passed !== "") await passed(walk.passed);
  }
}

/** Visits the versions of one key that are due. */
export async function walkKey(
  store: WalkedStore,
  bucket: BucketName,
  key: ObjectKey,
  options: WalkOptions,
): Promise<void> {
  const walk = new KeyJudge(store, bucket, options);
  for await (const page of pagesOf(store, bucket, key, "", options.turn)) {
    for (const version of page) {
      if (version.key !== key) return await walk.end(); // a key sorts before those that begin with it
      await walk.add(version);
    }
  }
  await walk.end();
}

/** Returns the prefixes of rules, without those that begin with another one, in the order of keys. */
function rootsOf(rules: readonly LifecycleRule[]): readonly string[] {
  const sorted = rules.map(({ filter }) => filter.prefix ?? "").sort(compareUtf8);
  const roots: string[] = [];
  for (const prefix of sorted) {
    const last = roots.at(-1);
    if (last === undefined || !prefix.startsWith(last)) roots.push(prefix);
  }
  return roots;
}

/** Yields the versions below a prefix. In a bucket that never had versioning they are its objects, which cost less. */
async function* pagesOf(
  store: WalkedStore,
  bucket: BucketName,
  prefix: string,
  after: string,
  turn: WalkOptions["turn"],
): AsyncIterable<readonly ListedVersion[]> {
  if (await store.readDocument(bucket, "versioning") === undefined) {
    for (let from: string | undefined = after; from !== undefined;) {
      const query: ListQuery = { prefix, delimiter: "", after: from, limit: PAGE };
      const page: ListPage = await turn(() => store.listObjects(bucket, query));
      yield page.objects.map((object) => ({ ...object, ...ONLY_VERSION }));
      from = page.next;
    }
    return;
  }
  let from: VersionPage["next"] = { key: after, version: undefined };
  while (from !== undefined) {
    const query: VersionQuery = {
      prefix,
      delimiter: "",
      afterKey: from.key,
      afterVersion: from.version,
      limit: PAGE,
    };
    const page: VersionPage = await turn(() => store.listVersions(bucket, query));
    yield page.versions;
    from = page.next;
  }
}

const ONLY_VERSION = { versionId: NULL_VERSION, isLatest: true, isMarker: false } as const;
