// deno-lint-ignore-file require-await -- an async method turns what it throws into a rejection
/**
 * Objects in memory.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import { checkRename } from "../../s3/rename.ts";
import type { InfoOptions, ObjectInfo, Objects } from "../objects.ts";
import { checkFirst, receive } from "./content.ts";
import type { Memory, StoredObject } from "./memory.ts";

/** Creates the objects of a memory store. */
export function createObjects(memory: Memory): Objects {
  return {
    async readObject(bucket, key, options) {
      return infoOf(memory.object(bucket, key), options);
    },

    async getObject(bucket, key, choose, options) {
      const object = memory.object(bucket, key);
      const { bytes } = object;
      const info = infoOf(object, options);
      const range = choose(info);
      if (range === "nothing" || info.size === 0) return { info, range, body: null };
      const body = range === "all" ? bytes.slice() : bytes.slice(range.start, range.end + 1);
      return { info, range, body };
    },

    async putObject(bucket, key, { content, properties, owner, precondition, signal }) {
      await checkFirst(content, () => memory.checkWrite(bucket, key, precondition));
      const { bytes, received } = await receive(content, signal);
      const { size, md5, checksum } = received;
      const info: ObjectInfo = {
        key,
        size,
        etag: md5,
        modified: memory.now(),
        properties,
        checksum: content.algorithm === undefined || checksum === undefined
          ? undefined
          : { algorithm: content.algorithm, value: checksum, type: "FULL_OBJECT" },
        owner,
        partSizes: undefined,
        retention: undefined,
      };
      return memory.commit(bucket, precondition, { info, bytes, partChecksums: undefined });
    },

    async deleteObject(bucket, key, { precondition }) {
      memory.checkWrite(bucket, key, precondition);
      memory.bucket(bucket).objects.delete(key);
      return { versionId: undefined, isMarker: false };
    },

    async putObjectTags(bucket, key, tags, { check } = {}) {
      const { info, ...more } = memory.object(bucket, key);
      check?.(info);
      const tagged = { ...info, properties: { ...info.properties, tags } };
      memory.bucket(bucket).objects.set(key, { info: tagged, ...more });
      return { versionId: undefined };
    },

    async changeLock() {
      throw new S3Error("NotImplemented");
    },

    async renameObject(bucket, source, key, { precondition, idempotency }) {
      const { objects, renames } = memory.bucket(bucket);
      const earlier = idempotency && renames.get(idempotency.token);
      if (earlier !== undefined) {
        if (earlier.parameters === idempotency?.parameters) return earlier.result;
        throw new S3Error("IdempotencyParameterMismatch");
      }
      const object = memory.object(bucket, source);
      const { info } = object;
      checkRename(precondition, info, objects.get(key)?.info);
      const result = { size: info.size, etag: info.etag };
      if (source === key) return result;
      for (const changed of [source, key]) memory.checkWrite(bucket, changed, {});
      objects.delete(source);
      objects.set(key, { ...object, info: { ...info, key } });
      const { token, parameters } = idempotency ?? {};
      if (token !== undefined && parameters !== undefined) {
        renames.set(token, { parameters, result });
      }
      return result;
    },
  };
}

function infoOf({ info, partChecksums }: StoredObject, options: InfoOptions = {}): ObjectInfo {
  const isWanted = options.partChecksums === true && partChecksums !== undefined;
  return isWanted ? { ...info, partChecksums } : info;
}
