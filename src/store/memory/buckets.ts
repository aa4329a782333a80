// deno-lint-ignore-file require-await -- an async method turns what it throws into a rejection
/**
 * Buckets in memory.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import { compareUtf8 } from "../../s3/key_order.ts";
import { isS3BucketName } from "../../s3/names.ts";
import type { BucketInfo, BucketOwner, Buckets } from "../buckets.ts";
import type { Memory } from "./memory.ts";

/** Creates the buckets of a memory store. */
export function createBuckets(memory: Memory): Buckets {
  return {
    async listBuckets() {
      const infos = Array.from(memory.buckets.values(), ({ info }) => info);
      return infos.sort((a, b) => compareUtf8(a.name, b.name));
    },

    async createBucket(bucket, owner, { documents, location, account } = {}) {
      if (!isS3BucketName(bucket)) throw new S3Error("InvalidBucketName", { BucketName: bucket });
      const existing = memory.buckets.get(bucket);
      if (existing !== undefined) {
        const { info } = existing;
        const isOwn = account === undefined || info.account === undefined
          ? info.owner === owner
          : info.account === account;
        const code = isOwn ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists";
        throw new S3Error(code, { BucketName: bucket });
      }
      const info = { name: bucket, created: memory.now(), owner, account, location };
      memory.buckets.set(bucket, {
        info,
        versions: new Map(),
        uploads: new Map(),
        documents: new Map(documents),
        renames: new Map(),
      });
    },

    async readBucket(bucket) {
      return memory.bucket(bucket).info;
    },

    async readOwner(bucket) {
      return ownerOf(memory.bucket(bucket).info);
    },

    knownOwner(bucket) {
      const found = memory.buckets.get(bucket);
      return found && ownerOf(found.info);
    },

    knownLocation(bucket) {
      return memory.buckets.get(bucket)?.info.location;
    },

    async hasBucket(bucket) {
      return memory.buckets.has(bucket);
    },

    async deleteBucket(bucket) {
      if (memory.bucket(bucket).versions.size > 0) {
        throw new S3Error("BucketNotEmpty", { BucketName: bucket });
      }
      memory.buckets.delete(bucket);
    },
  };
}

function ownerOf({ owner, account }: BucketInfo): BucketOwner | undefined {
  return owner === undefined ? undefined : { accessKeyId: owner, account };
}
