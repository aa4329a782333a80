// deno-lint-ignore-file require-await -- an async method turns what it throws into a rejection
/**
 * Multipart uploads in memory.
 * @module
 */

import { randomUUID } from "node:crypto";
import { assembleParts, checkPartAlgorithm } from "../../s3/multipart.ts";
import type { UploadId } from "../../s3/names.ts";
import { compareUploads, listUploadPage } from "../../s3/upload_listing.ts";
import { checkNewLock, lockFrom } from "../new_lock.ts";
import type { Uploads } from "../uploads.ts";
import { checkFirst, concat, receive } from "./content.ts";
import type { Memory } from "./memory.ts";

/** Creates the multipart uploads of a memory store. */
export function createUploads(memory: Memory): Uploads {
  return {
    async createUpload(bucket, key, input) {
      checkNewLock(input.lock, memory.now());
      const id = randomUUID() as string as UploadId;
      const { owner, algorithm, checksumType, checksumIsDefault, properties } = input;
      const info = {
        key,
        id,
        initiated: memory.now(),
        owner,
        algorithm,
        checksumType,
        checksumIsDefault,
        storageClass: properties.system.storageClass,
        ...(input.lock !== undefined && { lock: input.lock }),
      };
      memory.bucket(bucket).uploads.set(id, { info, input, parts: new Map() });
      return id;
    },

    async putPart(bucket, key, id, number, { content, signal }) {
      await checkFirst(content, () => {
        checkPartAlgorithm(memory.upload(bucket, key, id).info, content.algorithm);
      });
      const { bytes, received } = await receive(content, signal);
      // Another request may have completed or aborted the upload meanwhile.
      const { info: { algorithm }, parts } = memory.upload(bucket, key, id);
      const part = {
        number,
        size: received.size,
        etag: received.md5,
        modified: memory.now(),
        checksum: algorithm === content.algorithm ? received.checksum : undefined,
      };
      parts.set(number, { ...part, bytes });
      return { ...part, checksum: received.checksum };
    },

    async readUpload(bucket, key, id) {
      return memory.upload(bucket, key, id).info;
    },

    async listParts(bucket, key, id, { after, limit }) {
      const { info, parts } = memory.upload(bucket, key, id);
      const rest = [...parts.values()].filter(({ number }) => number > after)
        .sort((a, b) => a.number - b.number);
      const items = rest.slice(0, limit).map(({ bytes: _, ...part }) => part);
      const next = rest.length > items.length ? items.at(-1)?.number : undefined;
      return { upload: info, items, next };
    },

    async listUploads(bucket, query) {
      const open = [...memory.bucket(bucket).uploads.values()]
        .filter(({ completed }) => completed === undefined);
      return listUploadPage(open.map(({ info }) => info).sort(compareUploads), query);
    },

    async completeUpload(bucket, key, id, input) {
      const upload = memory.bucket(bucket).uploads.get(id);
      if (upload?.completed !== undefined && upload.info.key === key) return upload.completed;
      const open = memory.upload(bucket, key, id);
      const assembly = await assembleParts(open.info, open.parts, input, memory.minPartSize);
      // Another Complete or an Abort may have been faster.
      if (open.completed !== undefined) return open.completed;
      memory.upload(bucket, key, id);

      const { parts, size, etag, checksum } = assembly;
      const modified = memory.modified(bucket, key);
      const info = {
        key,
        size,
        etag,
        modified,
        properties: open.input.properties,
        checksum,
        owner: open.info.owner,
        partSizes: parts.map(({ size }) => size),
        ...lockFrom(open.input.lock, modified),
      };
      const bytes = concat(parts.map(({ bytes }) => bytes));
      const partChecksums = checksum && parts.flatMap(({ checksum }) => checksum ?? []);
      const version = { isMarker: false, info, bytes, partChecksums };
      const committed = memory.commit(bucket, input.precondition, version);
      open.completed = memory.infoOf(bucket, committed);
      open.parts.clear();
      return open.completed;
    },

    async abortUpload(bucket, key, id) {
      memory.upload(bucket, key, id);
      memory.bucket(bucket).uploads.delete(id);
    },
  };
}
