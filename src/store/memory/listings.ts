// deno-lint-ignore-file require-await -- an async method turns what it throws into a rejection
/**
 * Listings of objects in memory.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import { compareUtf8, sortedKeys } from "../../s3/key_order.ts";
import { listPage } from "../../s3/listing.ts";
import type { ListedObject, Listings } from "../listings.ts";
import type { ObjectInfo } from "../objects.ts";
import type { Memory } from "./memory.ts";

/** Creates the listings of a memory store. Each listing sorts the whole bucket. */
export function createListings(memory: Memory): Listings {
  return {
    async listObjects(bucket, query) {
      const { objects } = memory.bucket(bucket);
      const listed = Array.from(objects.values(), ({ info }) => asListed(info));
      const index = sortedKeys(listed.sort((a, b) => compareUtf8(a.key, b.key)));
      const { entries, commonPrefixes, next } = listPage(index, query);
      return { objects: entries, commonPrefixes, next };
    },

    async listVersions() {
      throw new S3Error("NotImplemented");
    },
  };
}

function asListed(
  { key, size, etag, modified, owner, checksum, properties }: ObjectInfo,
): ListedObject {
  const { storageClass } = properties.system;
  return { key, size, etag, modified, owner, checksum, storageClass };
}
