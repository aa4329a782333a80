// deno-lint-ignore-file require-await -- an async method turns what it throws into a rejection
/**
 * Objects in memory.
 * @module
 */

import { AsOfSearch, checkPast, keepsNoVersions } from "../../s3/as_of.ts";
import { checkWrite } from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import type { BucketName, ObjectKey } from "../../s3/names.ts";
import { checkRemoval, checkRetentionChange } from "../../s3/object_lock.ts";
import { checkRename } from "../../s3/rename.ts";
import { checkNewLock, lockFrom } from "../new_lock.ts";
import type { InfoOptions, KeptFacts, ObjectInfo, Objects } from "../objects.ts";
import { checkFirst, receive } from "./content.ts";
import type { Memory, NewVersion, StoredVersion } from "./memory.ts";

/** Creates the objects of a memory store. */
export function createObjects(memory: Memory): Objects {
  return {
    async readObject(bucket, key, options) {
      return infoOf(memory, bucket, memory.object(bucket, key, options?.versionId), options);
    },

    async getObject(bucket, key, choose, options) {
      const object = memory.object(bucket, key, options?.versionId);
      const { bytes } = object;
      const info = infoOf(memory, bucket, object, options);
      const range = choose(info);
      if (range === "nothing" || info.size === 0) return { info, range, body: null };
      const body = range === "all" ? bytes.slice() : bytes.slice(range.start, range.end + 1);
      return { info, range, body };
    },

    async versionAsOf(bucket, key, time) {
      const versions = memory.bucket(bucket).versions.get(key) ?? [];
      if (!memory.isVersioned(bucket)) throw keepsNoVersions(bucket);
      checkPast(time, memory.now());
      const search = new AsOfSearch(time);
      for (const { id: versionId, isMarker, info: { modified } } of versions) {
        search.add({ versionId, isMarker, modified });
      }
      return search.result;
    },

    async putObject(bucket, key, input) {
      const { content, properties, owner, precondition, lock, keeps, signal } = input;
      await checkFirst(content, () => {
        memory.bucket(bucket);
        checkNewLock(lock, memory.now());
        memory.checkWrite(bucket, key, precondition);
      });
      const { bytes, received } = await receive(content, signal);
      const { size, md5, checksum } = received;
      const modified = memory.modified(bucket, key);
      const info: ObjectInfo = {
        key,
        size,
        etag: md5,
        modified,
        properties,
        checksum: content.algorithm === undefined || checksum === undefined
          ? undefined
          : { algorithm: content.algorithm, value: checksum, type: "FULL_OBJECT" },
        owner,
        partSizes: undefined,
        ...lockFrom(lock, modified),
        ...(keeps !== undefined && factsOf(keeps)),
      };
      const { partChecksums } = keeps ?? {};
      const version = { isMarker: false, info, bytes, partChecksums };
      return memory.infoOf(bucket, memory.commit(bucket, precondition, version));
    },

    async deleteObject(bucket, key, { precondition, versionId, bypass = false, owner }) {
      if (versionId !== undefined) {
        const latest = memory.version(bucket, key)?.id;
        checkWrite(precondition, memory.current(bucket, key)?.info, key, latest);
        const version = memory.version(bucket, key, versionId);
        if (version !== undefined) checkRemoval(key, version.info, memory.now(), bypass);
        memory.replace(bucket, key, versionId, undefined);
        const isMarker = version?.isMarker === true;
        return { versionId: memory.versionIdOf(bucket, versionId), isMarker };
      }
      if (memory.isVersioned(bucket)) {
        const marker = newMarker(key, memory.modified(bucket, key), owner);
        const { id } = memory.commit(bucket, precondition, marker);
        return { versionId: id, isMarker: true };
      }
      memory.checkWrite(bucket, key, precondition);
      memory.bucket(bucket).versions.delete(key);
      return { versionId: undefined, isMarker: false };
    },

    async putObjectTags(bucket, key, tags, { versionId, check } = {}) {
      const object = memory.object(bucket, key, versionId);
      const { info, id } = object;
      check?.(memory.infoOf(bucket, object));
      const tagged = { ...info, properties: { ...info.properties, tags } };
      memory.replace(bucket, key, id, { ...object, info: tagged });
      return { versionId: memory.versionIdOf(bucket, id) };
    },

    async changeLock(bucket, key, change, { versionId } = {}) {
      const object = memory.object(bucket, key, versionId);
      const { legalHold, retention, ...info } = object.info;
      if (change.kind === "retention") checkRetentionChange(key, retention, change, memory.now());
      const isHeld = change.kind === "hold" ? change.legalHold : legalHold;
      const changed: ObjectInfo = {
        ...info,
        retention: change.kind === "retention" ? change.retention : retention,
        ...(isHeld !== undefined && { legalHold: isHeld }),
      };
      memory.replace(bucket, key, object.id, { ...object, info: changed });
      return { versionId: memory.versionIdOf(bucket, object.id) };
    },

    async renameObject(bucket, source, key, { precondition, idempotency }) {
      const { versions, renames } = memory.bucket(bucket);
      if (memory.isVersioned(bucket)) {
        throw new S3Error("InvalidBucketState", { BucketName: bucket });
      }
      const earlier = idempotency && renames.get(idempotency.token);
      if (earlier !== undefined) {
        if (earlier.parameters === idempotency?.parameters) return earlier.result;
        throw new S3Error("IdempotencyParameterMismatch");
      }
      const object = memory.object(bucket, source);
      const { info } = object;
      checkRename(precondition, info, memory.current(bucket, key)?.info);
      const result = { size: info.size, etag: info.etag };
      if (source === key) return result;
      for (const changed of [source, key]) memory.checkWrite(bucket, changed, {});
      versions.delete(source);
      versions.set(key, [{ ...object, info: { ...info, key } }]);
      const { token, parameters } = idempotency ?? {};
      if (token !== undefined && parameters !== undefined) {
        renames.set(token, { parameters, result });
      }
      return result;
    },
  };
}

function factsOf({ etag, checksum, partSizes }: KeptFacts): Omit<KeptFacts, "partChecksums"> {
  return { etag, checksum, partSizes };
}

function infoOf(
  memory: Memory,
  bucket: BucketName,
  version: StoredVersion,
  options: InfoOptions = {},
): ObjectInfo {
  const { partChecksums } = version;
  const info = memory.infoOf(bucket, version);
  const isWanted = options.partChecksums === true && partChecksums !== undefined;
  return isWanted ? { ...info, partChecksums } : info;
}

function newMarker(key: ObjectKey, modified: Date, owner: string | undefined): NewVersion {
  const info: ObjectInfo = {
    key,
    size: 0,
    etag: "",
    modified,
    properties: { system: {}, user: {}, tags: {} },
    checksum: undefined,
    owner,
    partSizes: undefined,
    retention: undefined,
  };
  return { isMarker: true, info, bytes: new Uint8Array(), partChecksums: undefined };
}
