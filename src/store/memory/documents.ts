// deno-lint-ignore-file require-await -- an async method turns what it throws into a rejection
/**
 * Bucket documents in memory.
 * @module
 */

import type { BucketDocuments } from "../documents.ts";
import type { Memory } from "./memory.ts";

/** Creates the documents of a memory store. */
export function createDocuments(memory: Memory): BucketDocuments {
  return {
    async readDocument(bucket, kind) {
      return memory.bucket(bucket).documents.get(kind);
    },

    knownDocument(bucket, kind) {
      const found = memory.buckets.get(bucket);
      return found === undefined ? undefined : found.documents.get(kind) ?? null;
    },

    async preparePolicy(bucket) {
      memory.bucket(bucket); // there are no other gateways
    },

    async prepareVersioning(bucket) {
      memory.bucket(bucket);
    },

    async putDocument(bucket, kind, text) {
      memory.bucket(bucket).documents.set(kind, text);
    },

    async changeDocument(bucket, kind, change) {
      const { documents } = memory.bucket(bucket);
      const text = change(documents.get(kind));
      if (text === undefined) documents.delete(kind);
      else documents.set(kind, text);
    },

    async deleteDocument(bucket, kind) {
      memory.bucket(bucket).documents.delete(kind);
    },
  };
}
