/**
 * Writes bucket documents: the record of the document, and with it the revision by which gateways notice the change.
 *
 * Both are one atomic batch, so no gateway sees one without the other. A deleted document is an empty record. In a bucket
 * without room it is purged instead, and so is the revision: a missing revision is a change, too.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import type { DocumentKind } from "../../store/documents.ts";
import { isFull } from "../jetstream/errors.ts";
import { records } from "../layout/subjects.ts";
import type { BucketsContext } from "./context.ts";

/** Writes a document, or deletes it. */
export async function writeDocument(
  { requests, streams, documents }: Pick<BucketsContext, "requests" | "streams" | "documents">,
  bucket: BucketName,
  kind: DocumentKind,
  text: string | undefined,
): Promise<void> {
  const { prepared, store, stream } = await streams.prepare(bucket);
  if (!prepared) {
    throw new S3Error("InvalidRequest", { BucketName: bucket }, {
      message: "The bucket's stream cannot be changed to hold documents.",
    });
  }
  const [document, revision] = [records.bucket(store, kind), records.bucket(store, "rev")];
  try {
    await requests.publishBatch([
      { subject: document, data: text ?? "", rollup: true },
      { subject: revision, data: "", rollup: true },
    ]);
  } catch (cause) {
    if (text !== undefined || !isFull(cause)) throw cause;
    for (const subject of [document, revision]) await streams.purge(stream, subject);
  } finally {
    documents.forget(store);
  }
}
