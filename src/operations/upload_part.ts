/**
 * UploadPart: stores a part of a multipart object.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
 *
 * If the upload demands a checksum of the whole object, a part may come without one: the gateway computes it.
 * @module
 */

import type { ChecksumAlgorithm } from "../s3/checksum_algorithms.ts";
import { checksumHeader } from "../s3/checksum_headers.ts";
import { quoteETag } from "../s3/etag.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { refuseUnsupported } from "../s3/metadata.ts";
import {
  type BucketName,
  type ObjectKey,
  parsePartNumber,
  parseUploadId,
  type PartNumber,
  type UploadId,
} from "../s3/names.ts";
import type { Store } from "../store/store.ts";
import { contentOf } from "./bodies/content.ts";
import { defineOperation, type Operation } from "./operation.ts";

type Input = {
  readonly uploadId: UploadId;
  readonly number: PartNumber;
  readonly integrity: Integrity;
};

export const uploadPart: Operation<"object"> = defineOperation<"object", Input>({
  name: "UploadPart",
  on: "object",
  method: "PUT",
  query: ["partNumber", "uploadId"],
  action: "s3:PutObject",

  parse(request, services) {
    refuseUnsupported(request, services);
    const { headers, query } = request;
    return {
      uploadId: parseUploadId(query.get("uploadId")),
      number: parsePartNumber(query.get("partNumber")),
      integrity: parseIntegrity(headers),
    };
  },

  async handle({ target: { bucket, key }, input, payload, store }) {
    const { uploadId, number, integrity } = input;
    const content = contentOf(payload, integrity);
    const algorithm = content.algorithm ?? await algorithmOfUpload(store, bucket, key, uploadId);
    const { size, etag, checksum } = await store.putPart(bucket, key, uploadId, number, {
      content: { ...content, algorithm },
    });

    const response = new Response(null, {
      headers: {
        "etag": quoteETag(etag),
        ...(algorithm !== undefined && checksum !== undefined && {
          [checksumHeader(algorithm)]: checksum,
        }),
      },
    });
    return { response, outcome: { key, size, etag } };
  },
});

/** Returns the checksum to compute for a part that comes without one; the store refuses it in a composite upload. */
async function algorithmOfUpload(
  store: Store,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
): Promise<ChecksumAlgorithm | undefined> {
  const { algorithm, checksumType } = await store.readUpload(bucket, key, id);
  return checksumType === "FULL_OBJECT" ? algorithm : undefined;
}
