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
import { parsePartNumber, parseUploadId, type PartNumber, type UploadId } from "../s3/names.ts";
import { contentOf } from "./bodies/content.ts";
import { requireHash } from "./bodies/lock.ts";
import { type Call, defineOperation, type Operation } from "./operation.ts";

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

  async handle(call) {
    const { target: { bucket, key }, input, payload, store } = call;
    const { uploadId, number, integrity } = input;
    const content = contentOf(payload, integrity);
    const algorithm = content.algorithm ?? await algorithmOfUpload(call);
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

/**
 * Returns the checksum to compute for a part that comes without one; the store refuses it in a composite upload.
 *
 * @throws S3Error `InvalidRequest` if the object is to be locked, and the part comes without Content-MD5 too
 */
async function algorithmOfUpload(
  { target: { bucket, key }, input: { uploadId, integrity }, store }: Call<"object", Input>,
): Promise<ChecksumAlgorithm | undefined> {
  const { algorithm, checksumType, lock } = await store.readUpload(bucket, key, uploadId);
  requireHash(lock, integrity, false, "Put Part"); // the operation refuses anonymous callers
  return checksumType === "FULL_OBJECT" ? algorithm : undefined;
}
