/**
 * ListParts: lists the parts uploaded so far to one multipart upload.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
 *
 * Parts are sorted by number. A part that was uploaded again appears once.
 * @module
 */

import { checksumElement } from "../s3/checksum_headers.ts";
import { quoteETag } from "../s3/etag.ts";
import { MAX_PART_NUMBER, parseUploadId, type UploadId } from "../s3/names.ts";
import { integerParam } from "../s3/params.ts";
import { xmlResponse } from "../s3/xml.ts";
import { ownerElement } from "./answers/owner.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

type Input = { readonly uploadId: UploadId; readonly after: number; readonly limit: number };

export const listParts: Operation<"object"> = definePublicOperation<"object", Input>({
  name: "ListParts",
  on: "object",
  method: "GET",
  query: ["uploadId"],
  heavy: true,
  action: "s3:ListMultipartUploadParts",

  parse: ({ query }) => ({
    uploadId: parseUploadId(query.get("uploadId")),
    after: integerParam(query, "part-number-marker", { max: MAX_PART_NUMBER, default: 0 }),
    limit: integerParam(query, "max-parts", { max: 1000, default: 1000 }),
  }),

  async handle({ target: { bucket, key }, input, lifecycles, store }) {
    const { uploadId, after, limit } = input;
    const { upload, items, next } = await store.listParts(bucket, key, uploadId, { after, limit });
    const { owner, storageClass, checksumIsDefault = false } = upload;
    const rules = await lifecycles?.rulesOf(bucket) ?? [];
    // As on AWS, an upload whose client named no algorithm shows none.
    const algorithm = checksumIsDefault ? undefined : upload.algorithm;

    return xmlResponse("ListPartsResult", {
      Bucket: bucket,
      Key: key,
      UploadId: uploadId,
      Initiator: ownerElement(owner),
      Owner: ownerElement(owner),
      StorageClass: storageClass ?? "STANDARD",
      ChecksumAlgorithm: algorithm,
      ChecksumType: algorithm && upload.checksumType,
      PartNumberMarker: after,
      NextPartNumberMarker: next,
      MaxParts: limit,
      IsTruncated: next !== undefined,
      Part: items.map(({ number, modified, etag, size, checksum }) => ({
        PartNumber: number,
        LastModified: modified,
        ETag: quoteETag(etag),
        Size: size,
        ...(algorithm !== undefined && { [checksumElement(algorithm)]: checksum }),
      })),
    }, { headers: lifecycles?.abortOf(rules, key, upload.initiated) ?? {} });
  },
});
