/**
 * The promises about listings of versions.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { compareUtf8 } from "../../src/s3/key_order.ts";
import type { VersionId } from "../../src/s3/version_id.ts";
import type { ListedVersion, VersionPage } from "../../src/store/listings.ts";
import type { Store } from "../../src/store/store.ts";
import { bucket, key, OWNER, plain } from "./inputs.ts";
import { list, put, rejectsWith } from "./steps.ts";
import type { Test } from "./store_under_test.ts";
import {
  history,
  idOf,
  inVersionedBucket,
  pageOf,
  putVersion,
  remove,
  setVersioning,
  UNKNOWN,
} from "./version_steps.ts";

const nameOf = ({ key, versionId, isMarker }: ListedVersion): string =>
  `${key} ${isMarker ? "-" : ""}${versionId}`;

/** Returns what all pages of a size show: versions by their names, and common prefixes, in order. */
async function listAll(
  store: Store,
  prefix: string,
  delimiter: string,
  limit: number,
): Promise<string[]> {
  const shown: string[] = [];
  let next: VersionPage["next"] = { key: "", version: undefined };
  while (next !== undefined) {
    const position = { afterKey: next.key, afterVersion: next.version };
    const page: VersionPage = await pageOf(store, { prefix, delimiter, limit, ...position });
    ok(page.versions.length + page.commonPrefixes.length <= limit);
    const items = [
      ...page.versions.map((version) => ({ at: version.key as string, name: nameOf(version) })),
      ...page.commonPrefixes.map((at) => ({ at, name: at })),
    ].sort((a, b) => compareUtf8(a.at, b.at));
    if (page.next !== undefined) strictEqual(page.next.key, items.at(-1)?.at);
    shown.push(...items.map(({ name }) => name));
    next = page.next;
  }
  return shown;
}

/** Writes versions, delete markers and versions `null` under several keys; returns their names in order. */
async function fill(store: Store): Promise<string[]> {
  await put(store, "a", "before");
  await put(store, "d/1", "before");
  await setVersioning(store, "Enabled");
  const keys = ["a", "a/1", "a/2/x", "a/2/y", "a/2/y", "a/1", "a0", "c😀/1", "c！/1", "d/1", "a"];
  for (const name of keys) await put(store, name, name);
  for (const name of ["a0", "b", "a/1"]) await remove(store, name);
  await setVersioning(store, "Suspended");
  await put(store, "a/1", "null");
  await remove(store, "a0");
  await setVersioning(store, "Enabled");
  for (const name of ["a/1", "a0", "e"]) await put(store, name, "x");
  const names = [];
  for (const name of [...new Set([...keys, "b", "e"])].sort(compareUtf8)) {
    names.push(...(await history(store, name)).map((id) => `${name} ${id}`));
  }
  return names;
}

/** Registers the tests of this file. */
export function versionListingContract(test: Test): void {
  const versioned = inVersionedBucket(test);

  test("lists versions in pages of any size", async ({ store }) => {
    const names = await fill(store);
    strictEqual(names.length, 21);
    const under = (...prefixes: string[]): string[] =>
      names.filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
    const rows: [prefix: string, delimiter: string, expected: string[]][] = [
      ["", "", names],
      ["", "/", [
        ...[...under("a "), "a/", ...under("a0 ", "b "), "c！/", "c😀/"],
        ...["d/", ...under("e ")],
      ]],
      ["a/", "/", [...under("a/1 "), "a/2/"]],
      ["a/2/", "/", under("a/2/")],
      ["a", "", under("a")],
      ["a/1", "", under("a/1")],
      ["", "//", names],
      ["none", "/", []],
    ];
    for (const [prefix, delimiter, expected] of rows) {
      for (const limit of [1, 2, 3, 5, 1000]) {
        const shown = await listAll(store, prefix, delimiter, limit);
        deepStrictEqual(shown, expected, `prefix "${prefix}", delimiter "${delimiter}", ${limit}`);
      }
    }
  });

  versioned("lists what a listing shows of each version", async ({ store }) => {
    const properties = { ...plain, system: { storageClass: "STANDARD_IA" } };
    const first = await put(store, "k", "abc", { properties, algorithm: "CRC32" });
    const second = await put(store, "k", "defg");
    const marker = idOf(await remove(store, "k", { owner: "bob" }));
    const { versions, commonPrefixes, next } = await pageOf(store);
    const [latest, ...others] = versions;
    const { checksum, ...rest } = others[1] ?? {};
    deepStrictEqual([commonPrefixes, next], [[], undefined]);
    const shown = ({ key, size, etag, modified, versionId }: typeof first): unknown => ({
      ...{ key, size, etag, modified, versionId },
      ...{ owner: OWNER, isLatest: false, isMarker: false },
    });
    deepStrictEqual(rest, { ...(shown(first) as object), storageClass: "STANDARD_IA" });
    deepStrictEqual([checksum?.algorithm, checksum?.type], ["CRC32", "FULL_OBJECT"]);
    deepStrictEqual(others[0], {
      ...(shown(second) as object),
      ...{ checksum: undefined, storageClass: undefined },
    });
    const { modified, ...ofMarker } = latest ?? {};
    ok(modified !== undefined && modified >= second.modified);
    deepStrictEqual(ofMarker, {
      ...{ key: key("k"), size: 0, etag: "", owner: "bob" },
      ...{ checksum: undefined, storageClass: undefined },
      ...{ versionId: marker, isLatest: true, isMarker: true },
    });
  });

  versioned("begins after a key, and after a version of it", async ({ store }) => {
    const ids = [];
    for (const data of ["a", "b", "c"]) ids.push(await putVersion(store, "k/1", data));
    const [first, second, third] = ids;
    const other = await putVersion(store, "k/2", "d");
    const after = async (afterKey: string, afterVersion?: string): Promise<string[]> =>
      (await pageOf(store, { afterKey, afterVersion })).versions.map(nameOf);
    const rest = [`k/2 ${other}`];
    deepStrictEqual(await after("k/1"), rest);
    deepStrictEqual(await after("k/1", third), [`k/1 ${second}`, `k/1 ${first}`, ...rest]);
    deepStrictEqual(await after("k/1", first), rest);
    deepStrictEqual(
      await after("k/0", first),
      [third, second, first].map((id) => `k/1 ${id}`).concat(rest),
    );
    deepStrictEqual(await after("k/2", other), []);
    deepStrictEqual(await after("l", other), []);
    await rejectsWith("InvalidArgument", after("k/1", "x"));
    await rejectsWith("InvalidArgument", after("k/1", ""));

    // A version keeps its place after it has gone.
    await remove(store, "k/1", { versionId: second as VersionId });
    deepStrictEqual(await after("k/1", second), [`k/1 ${first}`, ...rest]);
    await remove(store, "k/1", { versionId: third as VersionId });
    deepStrictEqual(await after("k/1", third), [`k/1 ${first}`, ...rest]);
    deepStrictEqual(await after("k/1", UNKNOWN), [`k/1 ${first}`, ...rest]);

    const grouped = await pageOf(store, { delimiter: "/", afterKey: "k/" });
    deepStrictEqual([grouped.versions, grouped.commonPrefixes], [[], []]);
  });

  versioned("resumes after the version null while versions are removed", async ({ store }) => {
    await put(store, "k", "1");
    await setVersioning(store, "Suspended");
    await put(store, "k", "null");
    await setVersioning(store, "Enabled");
    for (const data of ["2", "3"]) await put(store, "k", data);
    await put(store, "l", "x");
    const removed: string[] = [];
    let next: VersionPage["next"] = { key: "", version: undefined };
    while (next !== undefined) {
      const position = { afterKey: next.key, afterVersion: next.version };
      const page: VersionPage = await pageOf(store, { limit: 1, ...position });
      for (const { key, versionId } of page.versions) {
        await remove(store, key, { versionId });
        removed.push(`${key} ${versionId === "null" ? "null" : "version"}`);
      }
      next = page.next;
    }
    const expected = ["k version", "k version", "k null", "k version", "l version"];
    deepStrictEqual(removed, expected);
    deepStrictEqual((await pageOf(store)).versions, []);
  });

  test("lists each object as the version null without versioning", async ({ store }) => {
    const infos = [await put(store, "a", "1"), await put(store, "b/c", "2")];
    const { versions } = await pageOf(store);
    deepStrictEqual(versions.map(nameOf), ["a null", "b/c null"]);
    for (const [i, { isLatest, isMarker, etag, modified }] of versions.entries()) {
      deepStrictEqual([isLatest, isMarker], [true, false]);
      deepStrictEqual([etag, modified], [infos[i]?.etag, infos[i]?.modified]);
    }
    deepStrictEqual(await listAll(store, "", "/", 1), ["a null", "b/"]);
    const rest = await pageOf(store, { afterKey: "a", afterVersion: "null" });
    deepStrictEqual(rest.versions.map(nameOf), ["b/c null"]);
  });

  versioned("lists no versions for a limit of 0, and is not truncated", async ({ store }) => {
    await put(store, "k", "");
    deepStrictEqual(await pageOf(store, { limit: 0 }), {
      versions: [],
      commonPrefixes: [],
      next: undefined,
    });
  });

  versioned("shows each write in the listings that follow", async ({ store }) => {
    const expected = new Map<string, string[]>();
    const current = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const name = `k${i % 7}`;
      const ids = expected.get(name) ?? [];
      if (i % 5 === 4) {
        ids.unshift(`-${idOf(await remove(store, name))}`);
        current.delete(name);
      } else {
        ids.unshift(await putVersion(store, name, `${i}`));
        current.add(name);
      }
      expected.set(name, ids);
      deepStrictEqual(await history(store, name), ids);
      deepStrictEqual((await list(store)).keys, [...current].sort());
    }
    const all = [...expected].sort(([a], [b]) => compareUtf8(a, b));
    const names = all.flatMap(([name, ids]) => ids.map((id) => `${name} ${id}`));
    deepStrictEqual(
      (await store.listVersions(bucket, {
        ...{ prefix: "", delimiter: "", limit: 1000, afterKey: "", afterVersion: undefined },
      })).versions.map(nameOf),
      names,
    );
  });
}
