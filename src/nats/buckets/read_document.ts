/**
 * Reads bucket documents that clients put.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import type { DocumentKind } from "../../store/documents.ts";
import type { Parsed } from "../layout/bucket_documents.ts";
import type { StoreName } from "../layout/names.ts";
import { records } from "../layout/subjects.ts";
import type { BucketsContext } from "./context.ts";

type ReadContext = Pick<BucketsContext, "streams" | "documents" | "reportUnreadable">;

/** Returns a document as it was at most a second ago; undefined if there is none. */
export async function readDocument(
  context: ReadContext,
  bucket: BucketName,
  kind: DocumentKind,
): Promise<string | undefined> {
  const { store, created } = await context.streams.get(bucket);
  // The facts of a stream do not tell how far it was, so the first reading of the revision reads the documents again.
  const document = await context.documents.read({ store, created, lastStamp: "0" }, kind);
  return readableText(context, bucket, store, kind, document);
}

/** Returns a document that is known to be current: null if there is none, undefined if it must be read. */
export function knownDocument(
  { streams, documents }: Pick<BucketsContext, "streams" | "documents">,
  bucket: BucketName,
  kind: DocumentKind,
): string | null | undefined {
  const stream = streams.current(bucket);
  const document = stream && documents.current(stream, kind);
  return document?.kind === "value" ? document.value ?? null : undefined;
}

/**
 * Returns the text of a document; undefined if there is none.
 *
 * @throws S3Error `InternalError` for one that cannot be read, which is reported
 */
export function readableText(
  { reportUnreadable }: Pick<BucketsContext, "reportUnreadable">,
  bucket: BucketName,
  store: StoreName,
  kind: DocumentKind,
  document: Parsed<string | undefined> | undefined,
): string | undefined {
  if (document?.kind !== "unreadable") return document?.value;
  reportUnreadable(bucket, "bucket", records.bucket(store, kind), document.reason);
  throw new S3Error("InternalError", { BucketName: bucket }, {
    message: `The ${kind} configuration of the bucket cannot be read.`,
  });
}
