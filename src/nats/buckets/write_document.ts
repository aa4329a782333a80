/**
 * Writes bucket documents: the record of the document, and with it the revision by which gateways notice the change.
 *
 * Both are one atomic batch, so no gateway sees one without the other. A deleted document is an empty record. In a bucket
 * without room it is purged instead, and so is the revision: gateways keep nothing for longer that has none.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import type { DocumentKind, WriteDocumentOptions } from "../../store/documents.ts";
import { pause } from "../../world/world.ts";
import { isConflict, isFull } from "../jetstream/errors.ts";
import type { StoreName } from "../layout/names.ts";
import { records } from "../layout/subjects.ts";
import type { BucketsContext } from "./context.ts";
import { DOCUMENT_LEASE } from "./documents.ts";
import { raiseForPolicy } from "./layout_version.ts";
import { readableText } from "./read_document.ts";

type WriteContext = Pick<BucketsContext, "requests" | "streams" | "documents">;

/** Milliseconds after a write in which no gateway goes on using what it read before: twice what a reading is good for. */
const EVERYWHERE = 2 * DOCUMENT_LEASE;

/** Writes a document, or deletes it. */
export async function writeDocument(
  context: WriteContext,
  bucket: BucketName,
  kind: DocumentKind,
  text: string | undefined,
  { everywhere = false }: WriteDocumentOptions = {},
): Promise<void> {
  await write(context, await prepare(context, bucket), kind, text);
  if (everywhere) await pause(EVERYWHERE);
}

/**
 * Changes a document by compare-and-set: a change that another one overtook is made again, from the newer document.
 *
 * @param change Returns the new document for the present one; undefined stands for none.
 */
export async function changeDocument(
  context: WriteContext & Pick<BucketsContext, "reportUnreadable">,
  bucket: BucketName,
  kind: DocumentKind,
  change: (text: string | undefined) => string | undefined,
): Promise<void> {
  const target = await prepare(context, bucket);
  for (;;) {
    const { document, sequence } = await context.documents.readRecord(target.store, kind);
    const present = readableText(context, bucket, target.store, kind, document);
    const text = change(present);
    if (text === present) return;
    try {
      return await write(context, target, kind, text, sequence);
    } catch (cause) {
      if (!isConflict(cause)) throw cause;
    }
  }
}

type Target = { readonly store: StoreName; readonly stream: string };

/**
 * Returns where the records of a bucket are, whose stream can hold documents.
 *
 * @throws S3Error `InvalidRequest` for a stream that cannot
 */
async function prepare(
  { streams }: Pick<BucketsContext, "streams">,
  bucket: BucketName,
): Promise<Target> {
  const { prepared, store, stream } = await streams.prepare(bucket);
  if (prepared) return { store, stream };
  throw new S3Error("InvalidRequest", { BucketName: bucket }, {
    message: "The bucket's stream cannot be changed to hold documents.",
  });
}

/** @param expect Sequence of the document's record, 0 for none; undefined for any. */
async function write(
  { requests, streams, documents }: WriteContext,
  { store, stream }: Target,
  kind: DocumentKind,
  text: string | undefined,
  expect?: number,
): Promise<void> {
  const [document, revision] = [records.bucket(store, kind), records.bucket(store, "rev")];
  const condition = expect === undefined ? {} : { expect };
  try {
    await requests.publishBatch([
      { subject: document, data: text ?? "", rollup: true, ...condition },
      { subject: revision, data: "", rollup: true },
    ]);
  } catch (cause) {
    if (text !== undefined || !isFull(cause)) throw cause;
    // The document last: a crash in between leaves it for all gateways alike.
    for (const subject of [revision, document]) await streams.purge(stream, subject);
  } finally {
    documents.forget(store);
  }
}

/** Prepares a bucket for a policy, as {@linkcode BucketDocuments.preparePolicy} says. */
export async function preparePolicy(
  context: WriteContext,
  bucket: BucketName,
  isPublicRead: boolean,
): Promise<void> {
  const { store } = await prepare(context, bucket);
  await raiseForPolicy(context.requests, store, isPublicRead);
}
