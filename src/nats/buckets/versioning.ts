/**
 * Whether a bucket keeps versions: its document `versioning`.
 *
 * Only a bucket whose layout was raised can have one, so the others cost no request. Once the layout is raised, every gateway
 * writes by the rules of a suspended bucket until the document says otherwise: the rules of a bucket that never had versioning
 * must not meet those of `Enabled` (tests/models/ shows why).
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import { monotonic } from "../../world/world.ts";
import { VERSIONS_LAYOUT } from "../layout/subjects.ts";
import type { BucketsContext } from "./context.ts";
import { DOCUMENT_LEASE } from "./documents.ts";
import { raiseForVersioning } from "./layout_version.ts";
import { readableText } from "./read_document.ts";
import type { BucketStream } from "./streams.ts";

/** The rules for writes: `off` in a bucket that never had versioning. */
export type Versioning = "off" | "Enabled" | "Suspended";

/** The fields of a context that a look at versioning needs. */
export type VersioningNeeds = Pick<BucketsContext, "streams" | "documents" | "reportUnreadable">;

/**
 * Returns the state of versioning as it was at most a second ago, in most cases without waiting.
 *
 * @throws S3Error `InternalError` for a document that nobody can read
 */
export function versioningOf(
  needs: VersioningNeeds,
  stream: BucketStream,
): Versioning | Promise<Versioning> {
  if (stream.layout < VERSIONS_LAYOUT) return "off";
  const known = needs.documents.current(stream, "versioning");
  return known?.kind === "value" ? parse(known.value) : readVersioning(needs, stream);
}

/** Tells whether a state that was read at a moment of monotonic time may have been changed since, for all that is known. */
export function mayHaveChanged(at: number): boolean {
  return monotonic() - at > DOCUMENT_LEASE;
}

/** Returns the state of versioning now, for a write that was held up. */
export async function readVersioningNow(
  needs: VersioningNeeds,
  { bucket }: BucketStream,
): Promise<Versioning> {
  const stream = await needs.streams.read(bucket);
  if (stream.layout < VERSIONS_LAYOUT) return "off";
  const document = await needs.documents.readNow(stream.store, "versioning");
  return parse(readableText(needs, bucket, stream.store, "versioning", document));
}

/**
 * Prepares a bucket for its document `versioning`, as {@linkcode BucketDocuments.prepareVersioning} says.
 *
 * @throws S3Error `InvalidBucketState`, `InvalidRequest`
 */
export async function prepareVersioning(
  { requests, streams }: Pick<BucketsContext, "requests" | "streams">,
  bucket: BucketName,
): Promise<void> {
  await streams.prepare(bucket);
  const stream = await streams.read(bucket);
  if (!stream.prepared) {
    throw new S3Error("InvalidRequest", { BucketName: bucket }, {
      message: "The bucket's stream cannot be changed to hold versions.",
    });
  }
  checkKeeps(stream);
  await raiseForVersioning(requests, stream.store);
}

/**
 * Refuses a stream from which JetStream itself removes messages.
 *
 * @throws S3Error `InvalidBucketState`
 */
export function checkKeeps({ bucket, forgets }: Pick<BucketStream, "bucket" | "forgets">): void {
  if (!forgets) return;
  throw new S3Error("InvalidBucketState", { BucketName: bucket }, {
    message:
      "JetStream removes messages of the bucket's stream by itself (max_age, discard old or a limit of messages), " +
      "so versions would be lost.",
  });
}

async function readVersioning(needs: VersioningNeeds, stream: BucketStream): Promise<Versioning> {
  const { bucket, store, created } = stream;
  const document = await needs.documents.read({ store, created, lastStamp: "0" }, "versioning");
  return parse(readableText(needs, bucket, store, "versioning", document));
}

/** A text that we do not know was written by somebody else, who wanted versions. */
function parse(text: string | undefined): Versioning {
  return text === undefined || text === "Suspended" ? "Suspended" : "Enabled";
}
