/**
 * Writes object info: the JSON of a metadata message, as native clients read it.
 * @module
 */

import type { Checksum } from "../../s3/checksum_algorithms.ts";
import type { ObjectProperties } from "../../s3/metadata.ts";
import type { ObjectKey } from "../../s3/names.ts";
import type { ObjectInfo } from "../../store/objects.ts";
import { addProperties, formatChecksum, formatDigest, MAX_PARTS_TEXT } from "./info_metadata.ts";
import type { StoreName } from "./names.ts";
import type { Nuid } from "./nuid.ts";
import { lockMetadata } from "./object_lock.ts";
import { formatRuns } from "./runs.ts";
import { keepUnknown, type RawInfo } from "./unknown_fields.ts";
import { markerMetadata, type VersionFacts, versionMetadata } from "./version_facts.ts";

/** Lifetime of a message that marks a deleted object. */
export const TOMBSTONE_TTL = "336h";

/** The facts that a new object's metadata message states. */
export type InfoInput = {
  readonly store: StoreName;
  readonly key: ObjectKey;
  readonly nuid: Nuid;
  readonly size: number;
  readonly chunks: number;
  readonly chunkSize: number;
  /** Lower-case hex; undefined for a multipart object, whose bytes the gateway never saw in one piece. */
  readonly sha256: string | undefined;
  readonly etag: string;
  readonly modified: Date;
  readonly properties: ObjectProperties;
  readonly checksum: Checksum | undefined;
  readonly owner: string;
  readonly seek: string | undefined;
  /** Sequence of the first chunk, if there is no seek table to tell it. */
  readonly firstChunk?: number | undefined;
  /** The facts that `S3.layout.<nuid>` holds; undefined if there is no such record. */
  readonly layout: "parts" | "seek" | undefined;
  readonly partSizes: readonly number[] | undefined;
  readonly retention?: ObjectInfo["retention"];
  readonly legalHold?: boolean | undefined;
  /** The version that it is; undefined in a bucket that never had versioning. */
  readonly version?: VersionFacts | undefined;
};

/**
 * Returns the JSON of a metadata message, as native clients read it.
 *
 * @param raw The object info that is rewritten, whose unknown fields stay; undefined for a new object.
 */
export function formatInfo(input: InfoInput, raw?: RawInfo): string {
  const metadata: Record<string, string> = {
    "s3.etag": input.etag,
    "s3.modified": input.modified.toISOString(),
    "s3.owner": input.owner,
  };
  addProperties(metadata, input.properties);
  if (input.checksum !== undefined) metadata["s3.checksum"] = formatChecksum(input.checksum);
  if (input.seek !== undefined) metadata["s3.seek"] = input.seek;
  if (input.firstChunk !== undefined) metadata["s3.first"] = input.firstChunk.toString(36);
  if (input.layout !== undefined) metadata["s3.layout"] = input.layout;
  if (input.version !== undefined) Object.assign(metadata, versionMetadata(input.version));
  Object.assign(metadata, lockMetadata(input));
  const parts = input.partSizes === undefined ? undefined : formatRuns(input.partSizes);
  if (parts !== undefined && parts.length <= MAX_PARTS_TEXT) metadata["s3.parts"] = parts;

  const { contentType } = input.properties.system;
  const info = {
    name: input.key,
    ...(contentType !== undefined && { headers: { "Content-Type": [contentType] } }),
    metadata,
    options: { max_chunk_size: input.chunkSize },
    bucket: input.store,
    nuid: input.nuid,
    size: input.size,
    mtime: input.modified.toISOString(),
    chunks: input.chunks,
    digest: input.sha256 === undefined ? "" : formatDigest(input.sha256),
    // A native get would wait for the chunks of a multipart object, which are elsewhere.
    ...(input.layout === "parts" && { deleted: true }),
  };
  return JSON.stringify(raw === undefined ? info : keepUnknown(info, raw));
}

/**
 * Returns the JSON of a delete marker of the object store, as native clients write it.
 *
 * @param marker The version that it is, for a delete marker of S3.
 */
export function formatTombstone(
  store: StoreName,
  key: ObjectKey,
  nuid: Nuid,
  now: Date,
  marker?: { readonly version: VersionFacts; readonly owner: string | undefined },
): string {
  return JSON.stringify({
    name: key,
    bucket: store,
    nuid,
    size: 0,
    mtime: now.toISOString(),
    chunks: 0,
    digest: "",
    deleted: true,
    ...(marker !== undefined && {
      metadata: markerMetadata(marker.version, { modified: now, owner: marker.owner }),
    }),
  });
}
