// deno-lint-ignore-file require-await -- an async method turns what it throws into a rejection
/**
 * Listings of objects in memory.
 * @module
 */

import { compareUtf8, lowerBound, sortedKeys } from "../../s3/key_order.ts";
import { listPage } from "../../s3/listing.ts";
import { NULL_VERSION } from "../../s3/version_id.ts";
import {
  listVersionPage,
  type SortedVersions,
  type VersionOrder,
} from "../../s3/version_listing.ts";
import type { ListedObject, ListedVersion, Listings } from "../listings.ts";
import type { ObjectInfo } from "../objects.ts";
import type { Memory, StoredVersion } from "./memory.ts";

/** Creates the listings of a memory store. Each listing sorts the whole bucket. */
export function createListings(memory: Memory): Listings {
  return {
    async listObjects(bucket, query) {
      const { versions } = memory.bucket(bucket);
      const listed = [...versions.values()]
        .flatMap(([latest]) =>
          latest === undefined || latest.isMarker ? [] : asListed(latest.info)
        );
      const index = sortedKeys(listed.sort((a, b) => compareUtf8(a.key, b.key)));
      const { entries, commonPrefixes, next } = listPage(index, query);
      return { objects: entries, commonPrefixes, next };
    },

    async listVersions(bucket, query) {
      const keys = [...memory.bucket(bucket).versions.values()]
        .map((versions) => ({ key: keyOf(versions), versions }))
        .sort((a, b) => compareUtf8(a.key, b.key));
      const { entries, commonPrefixes, next } = listVersionPage(sortedVersions(keys), query);
      return { versions: entries.map(asListedVersion), commonPrefixes, next };
    },
  };
}

/** A version with its place. */
type Row = VersionOrder & { readonly version: StoredVersion; readonly isLatest: boolean };

function sortedVersions(
  keys: readonly { readonly key: string; readonly versions: readonly StoredVersion[] }[],
): SortedVersions<Row> {
  return {
    *from(first, below) {
      for (const { key, versions } of keys.slice(lowerBound(keys, first))) {
        for (const [i, version] of versions.entries()) {
          const { id, ordinal } = version;
          if (key === first && below !== undefined && ordinal >= below) continue;
          yield { key, versionId: id, ordinal, version, isLatest: i === 0 };
        }
      }
    },
    nullOrdinal(key) {
      const found = keys[lowerBound(keys, key)];
      if (found?.key !== key) return undefined;
      return found.versions.find(({ id }) => id === NULL_VERSION)?.ordinal;
    },
  };
}

function keyOf([latest]: readonly StoredVersion[]): string {
  return latest?.info.key ?? "";
}

function asListedVersion({ version, versionId, isLatest }: Row): ListedVersion {
  return { ...asListed(version.info), versionId, isLatest, isMarker: version.isMarker };
}

function asListed(
  { key, size, etag, modified, owner, checksum, properties }: ObjectInfo,
): ListedObject {
  const { storageClass } = properties.system;
  return { key, size, etag, modified, owner, checksum, storageClass };
}
