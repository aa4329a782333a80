/**
 * Gives a bucket to another account: the record of its owner names it from then on.
 * @module
 */

import type { BucketName } from "../../s3/names.ts";
import { isConflict } from "../jetstream/errors.ts";
import { textOf } from "../jetstream/messages.ts";
import { withAccount } from "../layout/bucket_documents.ts";
import { records } from "../layout/subjects.ts";
import type { BucketsContext } from "./context.ts";

/** Attempts at a change that others overtake. */
const ATTEMPTS = 5;

/**
 * Records the account that owns a bucket. The access key that created the bucket stays recorded; gateways notice the change
 * within a second.
 *
 * @throws S3Error `NoSuchBucket`; errors of JetStream
 */
export async function giveBucketTo(
  context: Pick<BucketsContext, "requests" | "streams" | "documents" | "defaultOwner">,
  bucket: BucketName,
  account: string,
): Promise<void> {
  const { requests, streams, documents, defaultOwner } = context;
  const { store, stream } = await streams.prepare(bucket);
  const subject = records.bucket(store, "owner");
  for (let attempt = 1;; attempt++) {
    const record = await requests.leaderGet(stream, { last_by_subj: subject });
    const data = withAccount(record && textOf(record.data), account, defaultOwner ?? account);
    try {
      await requests.publishBatch([
        { subject, data, rollup: true, expect: record?.sequence ?? 0 },
        { subject: records.bucket(store, "rev"), data: "", rollup: true },
      ]);
      return;
    } catch (cause) {
      if (!isConflict(cause) || attempt === ATTEMPTS) throw cause;
    } finally {
      documents.forget(store);
    }
  }
}
