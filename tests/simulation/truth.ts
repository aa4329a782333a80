/**
 * What the server really holds, read past all gateways.
 * @module
 */

import { type StoreName, storeOf, streamOf } from "../../src/nats/layout/names.ts";
import { readInfo } from "../../src/nats/layout/object_info.ts";
import { firstChunkIn, isStray } from "../../src/nats/layout/stray_info.ts";
import { infoSubject, keyOfSubject, versionOfSubject } from "../../src/nats/layout/subjects.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { VersionId } from "../../src/s3/version_id.ts";
import type { ObjectInfo } from "../../src/store/objects.ts";
import type { Value } from "../cluster/history.ts";
import { type Held, heldVersions } from "./held_versions.ts";
import type { JetStream } from "./jetstream/jetstream.ts";
import type { MessageStore, Stored } from "./jetstream/message_store.ts";
import { tagOf } from "./tags.ts";
import { placeOf } from "./witness.ts";

/** A bucket as the server holds it. */
export type HeldBucket = { readonly name: StoreName; readonly store: MessageStore };

/** Returns a bucket's messages; undefined if there is no such bucket. */
export function heldBucket(jetStream: JetStream, bucket: BucketName): HeldBucket | undefined {
  const name = storeOf(bucket);
  if (name === undefined) return undefined;
  const stream = jetStream.stream(streamOf(name));
  return stream === undefined ? undefined : { name, store: stream.store };
}

/** Returns what the places of some keys hold. */
export function valuesOf(
  jetStream: JetStream,
  bucket: BucketName,
  keys: readonly ObjectKey[],
): Map<string, Value> {
  const infos = infosOf(jetStream, bucket, keys);
  return new Map(keys.map((key) => [placeOf(bucket, key), infos.get(key)?.etag ?? null]));
}

/** Returns the tags of the objects at some keys, by ETag. */
export function tagsOf(
  jetStream: JetStream,
  bucket: BucketName,
  keys: readonly ObjectKey[],
): ReadonlyMap<string, Value> {
  const infos = infosOf(jetStream, bucket, keys).values();
  return new Map([...infos].map(({ etag, properties }) => [etag, tagOf(properties)]));
}

/** Counts the chunks that a stream has of the objects at some keys, by ETag. */
export function chunksOf(
  jetStream: JetStream,
  bucket: BucketName,
  keys: readonly ObjectKey[],
): ReadonlyMap<string, number> {
  const held = heldBucket(jetStream, bucket);
  const counts = new Map<string, number>();
  for (const key of keys) {
    const message = held?.store.last(infoSubject(held.name, key));
    if (held === undefined || message === undefined) continue;
    const { nuid, parsed } = readInfo(key, message.data, new Date(message.time.ms));
    if (parsed.kind !== "object" || nuid === undefined) continue;
    const chunks = `$O.${held.name}.C.${nuid}`;
    let count = 0;
    for (const [subject, sequences] of held.store.subjects) {
      if (subject === chunks || subject.startsWith(`${chunks}.`)) count += [...sequences].length;
    }
    counts.set(parsed.object.info.etag, count);
  }
  return counts;
}

function infosOf(
  jetStream: JetStream,
  bucket: BucketName,
  keys: readonly ObjectKey[],
): ReadonlyMap<ObjectKey, ObjectInfo> {
  const held = heldBucket(jetStream, bucket);
  const infos = new Map<ObjectKey, ObjectInfo>();
  for (const key of keys) {
    const message = held?.store.last(infoSubject(held.name, key));
    const parsed = message && readInfo(key, message.data, new Date(message.time.ms)).parsed;
    if (parsed?.kind === "object") infos.set(key, parsed.object.info);
  }
  return infos;
}

/** Returns the keys whose object info has no chunks in its stream, with the sequences of their messages. */
export function strayInfos({ name, store }: HeldBucket, since: number): Map<ObjectKey, number> {
  const strays = new Map<ObjectKey, number>();
  for (const subject of store.subjects.keys()) {
    const [key, message] = [keyOfSubject(name, subject), store.last(subject)];
    if (key === undefined || message === undefined) continue;
    const info = readInfo(key, message.data, new Date(message.time.ms));
    const { sequence } = message;
    if (isStray(key, info.nuid, firstChunkIn(info), { since, sequence })) strays.set(key, sequence);
  }
  return strays;
}

/** Returns the versions in records that object info does not shadow. */
function noncurrentVersions({ name, store }: HeldBucket): readonly Held[] {
  const records = new Map<ObjectKey, Map<VersionId, Stored>>();
  for (const subject of store.subjects.keys()) {
    const [version, message] = [versionOfSubject(name, subject), store.last(subject)];
    if (version === undefined || message === undefined) continue;
    const { key, id } = version;
    records.set(key, (records.get(key) ?? new Map<VersionId, Stored>()).set(id, message));
  }
  return [...records].flatMap(([key, versions]) => {
    return heldVersions(key, store.last(infoSubject(name, key)), versions).versions;
  });
}

/**
 * Returns the nuids that objects of a bucket name. After a power failure a key may have an older message beside the last one,
 * whose rollup was lost. Its bytes stay until the key is written again.
 */
export function namedGroups({ name, store }: HeldBucket): ReadonlySet<string> {
  const named = new Set<string>();
  for (const [subject, sequences] of store.subjects) {
    const key = keyOfSubject(name, subject);
    if (key === undefined) continue;
    for (const sequence of sequences) {
      const message = store.messages.get(sequence);
      if (message === undefined) continue;
      const { nuid, parsed } = readInfo(key, message.data, new Date(message.time.ms));
      if (nuid !== undefined && parsed.kind !== "absent") named.add(nuid);
    }
  }
  for (const { nuid } of noncurrentVersions({ name, store })) {
    if (nuid !== undefined) named.add(nuid);
  }
  return named;
}
