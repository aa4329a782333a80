/**
 * UploadPartCopy: stores an object, or a range of one, as a part.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 * @module
 */

import { checksumElement } from "../s3/checksum_headers.ts";
import { quoteETag } from "../s3/etag.ts";
import { refuseUnsupported } from "../s3/metadata.ts";
import { parsePartNumber, parseUploadId, type PartNumber, type UploadId } from "../s3/names.ts";
import { xmlResponse } from "../s3/xml.ts";
import {
  type CopyRead,
  copySourceHeader,
  parseCopyRead,
  partsOfCopy,
  readCopySource,
} from "./bodies/copied.ts";
import { defineOperation, type Operation } from "./operation.ts";

type Input = {
  readonly uploadId: UploadId;
  readonly number: PartNumber;
  readonly source: CopyRead;
};

export const uploadPartCopy: Operation<"object"> = defineOperation<"object", Input>({
  name: "UploadPartCopy",
  on: "object",
  method: "PUT",
  query: ["partNumber", "uploadId"],
  headers: ["x-amz-copy-source"],
  slow: true,
  action: "s3:PutObject",

  parse(request, services) {
    refuseUnsupported(request, services);
    const { headers, query } = request;
    return {
      uploadId: parseUploadId(query.get("uploadId")),
      number: parsePartNumber(query.get("partNumber")),
      source: parseCopyRead(headers),
    };
  },

  async handle(call) {
    const { target: { bucket, key }, input, client: { signal }, store } = call;
    const { uploadId, number, source } = input;
    // The part gets the checksum that its upload demands, because a client cannot state one for a copy.
    const { algorithm } = await store.readUpload(bucket, key, uploadId);
    const { info, stream, size } = await readCopySource(call, source);
    const { etag, modified, checksum } = await store.putPart(bucket, key, uploadId, number, {
      content: { stream, size, algorithm, verify: () => {} },
      signal,
    });

    const response = xmlResponse("CopyPartResult", {
      LastModified: modified,
      ETag: quoteETag(etag),
      ...(algorithm !== undefined && { [checksumElement(algorithm)]: checksum }),
    }, { headers: copySourceHeader(info) });
    const parts = partsOfCopy(source, info, "REST.COPY.PART_GET");
    return { response, outcome: { key, size, etag }, parts };
  },
});
