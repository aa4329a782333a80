/**
 * UploadPart: stores a part of a multipart object.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
 * @module
 */

import { checksumHeader, type Integrity, parseIntegrity } from "../s3/checksum.ts";
import { quoteETag } from "../s3/etag.ts";
import { refuseUnsupported } from "../s3/metadata.ts";
import { parsePartNumber, parseUploadId, type PartNumber, type UploadId } from "../s3/names.ts";
import { contentOf } from "./content.ts";
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

  parse({ headers, query }, services) {
    refuseUnsupported(headers, services);
    return {
      uploadId: parseUploadId(query.get("uploadId")),
      number: parsePartNumber(query.get("partNumber")),
      integrity: parseIntegrity(headers),
    };
  },

  async handle({ target: { bucket, key }, input, payload, store }) {
    const { uploadId, number, integrity } = input;
    const content = contentOf(payload, integrity);
    const { etag, checksum } = await store.putPart(bucket, key, uploadId, number, {
      content,
    });

    return new Response(null, {
      headers: {
        "etag": quoteETag(etag),
        ...(content.algorithm !== undefined && checksum !== undefined && {
          [checksumHeader(content.algorithm)]: checksum,
        }),
      },
    });
  },
});
