/**
 * ListMultipartUploads: lists the uploads in progress, by key, then by time of initiation.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 * @module
 */

import { encodingParam, integerParam, type KeyEncoding, prefixParam } from "../s3/params.ts";
import { xmlResponse } from "../s3/xml.ts";
import type { UploadQuery } from "../store/uploads.ts";
import { commonPrefixElements } from "./answers/listed.ts";
import { ownerElement } from "./answers/owner.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

type Input = { readonly list: UploadQuery; readonly encoding: KeyEncoding };

export const listMultipartUploads: Operation<"bucket"> = definePublicOperation<"bucket", Input>({
  name: "ListMultipartUploads",
  on: "bucket",
  method: "GET",
  query: ["uploads"],
  heavy: true,
  action: "s3:ListBucketMultipartUploads",

  parse: ({ query }) => ({
    list: {
      prefix: prefixParam(query),
      delimiter: query.get("delimiter") ?? "",
      keyMarker: query.get("key-marker") ?? "",
      uploadIdMarker: query.get("upload-id-marker") ?? "",
      limit: integerParam(query, "max-uploads", { max: 1000, default: 1000 }),
    },
    encoding: encodingParam(query),
  }),

  async handle({ target: { bucket }, input: { list, encoding }, store }) {
    const { uploads, commonPrefixes, next } = await store.listUploads(bucket, list);
    const { prefix, delimiter, keyMarker, uploadIdMarker, limit } = list;
    const { encode } = encoding;

    return xmlResponse("ListMultipartUploadsResult", {
      Bucket: bucket,
      KeyMarker: encode(keyMarker),
      UploadIdMarker: uploadIdMarker,
      NextKeyMarker: next === undefined ? undefined : encode(next.keyMarker),
      NextUploadIdMarker: next?.uploadIdMarker,
      Prefix: encode(prefix),
      Delimiter: delimiter === "" ? undefined : encode(delimiter),
      EncodingType: encoding.type,
      MaxUploads: limit,
      IsTruncated: next !== undefined,
      Upload: uploads.map(({ key, id, owner, initiated, ...upload }) => ({
        Key: encode(key),
        UploadId: id,
        Initiator: ownerElement(owner),
        Owner: ownerElement(owner),
        StorageClass: upload.storageClass ?? "STANDARD",
        Initiated: initiated,
        ...(upload.checksumIsDefault !== true && {
          ChecksumAlgorithm: upload.algorithm,
          ChecksumType: upload.checksumType,
        }),
      })),
      CommonPrefixes: commonPrefixElements(commonPrefixes, encoding),
    });
  },
});
