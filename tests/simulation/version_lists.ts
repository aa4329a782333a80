/**
 * Listings of versions.
 * @module
 */

import type { ObjectKey } from "../../src/s3/names.ts";
import type { ListedVersion, VersionPage } from "../../src/store/listings.ts";
import type { Acting } from "./clients.ts";
import { BY_HAND } from "./by_hand.ts";
import type { HeldVersions } from "./held_versions.ts";
import { shown } from "./held_versions.ts";

type Position = { readonly key: string; readonly version: string | undefined };

/** Lists all versions, page by page. */
export async function listVersions(acting: Acting): Promise<string> {
  const { bucket, fleeting, versions, witness, keys, random, call } = acting;
  if (versions === undefined || bucket === fleeting) return "not here";
  const limit = random.chance(0.5) ? 1000 : 1 + random.below(4);
  let position: Position = { key: "", version: undefined };
  for (;;) {
    const begin: Position = position;
    const from = witness.now();
    const { key: afterKey, version: afterVersion } = begin;
    const query = { prefix: "", delimiter: "", afterKey, afterVersion, limit };
    const what = `LIST VERSIONS after "${afterKey}" ${afterVersion ?? ""}, ${limit}`;
    const ended = await call(what, (store) => store.listVersions(bucket, query));
    if (ended.kind === "lost") return "lost";
    if (ended.kind === "failed") return witness.judge(ended.cause, what, bucket);
    const { next } = ended.value;
    for (const key of keys) {
      if (!isWhole(key, begin, next)) continue;
      const listed = ended.value.versions.filter((one) => one.key === key);
      if (versions.was(key, from, (state) => isSame(state, listed))) continue;
      const held = versions.describe(key, from, witness.now());
      witness.object(`${what} shows of ${key} ${shownPage(listed)}: it held ${held}`);
    }
    if (next === undefined) return "done";
    position = next;
  }
}

/** Lists all versions when nothing changes, and compares them with those of the server. */
export async function checkVersionLists(acting: Acting): Promise<void> {
  const { bucket, versions, witness, keys, call } = acting;
  if (versions === undefined) return;
  for (const limit of [1000, 1, 3]) {
    const listed: ListedVersion[] = [];
    let position: Position | undefined = { key: "", version: undefined };
    while (position !== undefined) {
      const { key: afterKey, version: afterVersion }: Position = position;
      const query = { prefix: "", delimiter: "", afterKey, afterVersion, limit };
      const what = `LIST VERSIONS after "${afterKey}" ${afterVersion ?? ""}, ${limit}`;
      const ended = await call(what, (store) => store.listVersions(bucket, query));
      if (ended.kind !== "done") break;
      const page: VersionPage = ended.value;
      listed.push(...page.versions);
      position = page.next;
    }
    if (position !== undefined) continue;
    for (const key of keys) {
      const ours = listed.filter((one) => one.key === key);
      const held = versions.present(key);
      if (isSame(held, ours)) continue;
      const text = `a list by ${limit} shows of ${key} ${shownPage(ours)}: it holds ${shown(held)}`;
      witness.object(`After healing, ${text}`);
    }
  }
}

/** Tells whether a page shows all versions of a key. */
function isWhole(key: ObjectKey, begin: Position, next: Position | undefined): boolean {
  if (key.startsWith(BY_HAND) || key <= begin.key) return false;
  return next === undefined || key < next.key || (key === next.key && next.version === undefined);
}

function isSame({ versions, hasCurrent }: HeldVersions, listed: readonly ListedVersion[]): boolean {
  return versions.length === listed.length && versions.every(({ id, value, modified }, i) => {
    const shown = listed[i];
    return shown !== undefined && shown.versionId === id && shown.isMarker === (value === null) &&
      shown.etag === (value ?? "") && shown.isLatest === (hasCurrent && i === 0) &&
      shown.modified.getTime() === modified;
  });
}

function shownPage(listed: readonly ListedVersion[]): string {
  const list = listed.map(({ versionId, isMarker, etag, isLatest }) => {
    return `${versionId}=${isMarker ? "marker" : etag}${isLatest ? " latest" : ""}`;
  });
  return `[${list.join(", ")}]`;
}
