/**
 * GetBucketLifecycleConfiguration, PutBucketLifecycleConfiguration and DeleteBucketLifecycle: what expires in a bucket.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
 *
 * The worker in `workers/lifecycle.ts` carries the rules out.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import {
  formatKeptLifecycle,
  type LifecycleConfiguration,
  lifecycleElements,
  MINIMUM_SIZE,
  type MinimumSize,
  parseKeptLifecycle,
  parseLifecycle,
  parseMinimumSize,
} from "../s3/lifecycle_document.ts";
import type { BucketName } from "../s3/names.ts";
import { xmlResponse } from "../s3/xml.ts";
import { MAX_DOCUMENT } from "../store/documents.ts";
import { readDocument } from "./bodies/document.ts";
import { defineOperation, type Operation } from "./operation.ts";

const ON = { on: "bucket", query: ["lifecycle"] } as const;

const getBucketLifecycle = defineOperation<"bucket", void>({
  ...ON,
  name: "GetBucketLifecycleConfiguration",
  action: "s3:GetLifecycleConfiguration",
  method: "GET",
  heavy: true,
  parse: () => {},
  async handle({ target: { bucket }, store }) {
    const kept = await store.readDocument(bucket, "lifecycle");
    if (kept === undefined) {
      throw new S3Error("NoSuchLifecycleConfiguration", { BucketName: bucket });
    }
    const { rules, minimumSize } = parseKept(kept, bucket);
    return xmlResponse("LifecycleConfiguration", lifecycleElements(rules), {
      headers: { [MINIMUM_SIZE]: minimumSize },
    });
  },
});

/** Throws `InternalError` for a text that somebody else wrote. */
function parseKept(text: string, bucket: BucketName): LifecycleConfiguration {
  try {
    return parseKeptLifecycle(text);
  } catch (cause) {
    throw new S3Error("InternalError", { BucketName: bucket }, { cause });
  }
}

type Input = { readonly integrity: Integrity; readonly minimumSize: MinimumSize };

const putBucketLifecycle = defineOperation<"bucket", Input>({
  ...ON,
  name: "PutBucketLifecycleConfiguration",
  action: "s3:PutLifecycleConfiguration",
  method: "PUT",
  heavy: true,
  parse: ({ headers }) => ({
    integrity: parseIntegrity(headers),
    minimumSize: parseMinimumSize(headers.get(MINIMUM_SIZE)),
  }),
  async handle(call) {
    const { input: { integrity, minimumSize }, store, target: { bucket } } = call;
    const text = await readDocument(call, integrity, 2 * MAX_DOCUMENT);
    const rules = parseLifecycle(text, () => crypto.randomUUID());
    const kept = formatKeptLifecycle({ rules, minimumSize });
    if (kept.length > MAX_DOCUMENT) {
      throw new S3Error("MaxMessageLengthExceeded", { MaxMessageLengthBytes: MAX_DOCUMENT });
    }
    await store.putDocument(bucket, "lifecycle", kept);
    return new Response(null, { headers: { [MINIMUM_SIZE]: minimumSize } });
  },
});

const deleteBucketLifecycle = defineOperation<"bucket", void>({
  ...ON,
  name: "DeleteBucketLifecycle",
  action: "s3:PutLifecycleConfiguration",
  method: "DELETE",
  parse: () => {},
  async handle({ target: { bucket }, store }) {
    await store.deleteDocument(bucket, "lifecycle");
    return new Response(null, { status: 204 });
  },
});

export const bucketLifecycle: readonly Operation[] = [
  getBucketLifecycle,
  putBucketLifecycle,
  deleteBucketLifecycle,
];
