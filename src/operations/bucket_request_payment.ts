/**
 * GetBucketRequestPayment and PutBucketRequestPayment: who pays for the requests to a bucket.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketRequestPayment.html
 *
 * Nobody is billed, so the owner of a bucket pays, and `x-amz-request-payer` of requests changes nothing, as on AWS in
 * such a bucket. The gateway does not know who would pay instead, so it refuses `Requester`.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { formatXml } from "../s3/xml.ts";
import { parseXml, textOf } from "../s3/xml_reader.ts";
import { documentOperations } from "./bucket_document.ts";
import type { Operation } from "./operation.ts";

const ROOT = "RequestPaymentConfiguration";

export const bucketRequestPayment: readonly Operation[] = documentOperations({
  kind: "requestPayment",
  query: "requestPayment",
  get: {
    name: "GetBucketRequestPayment",
    action: "s3:GetBucketRequestPayment",
    missing: { document: formatXml(ROOT, { Payer: "BucketOwner" }) },
  },
  put: {
    name: "PutBucketRequestPayment",
    action: "s3:PutBucketRequestPayment",
    maxBytes: 64 * 1024,
    validate(text) {
      const root = parseXml(text, ROOT, MAX_TAGS);
      const payer = textOf(root, "Payer");
      if (root.children.length !== 1) throw new S3Error("MalformedXML");
      if (payer === "Requester") {
        throw new S3Error("NotImplemented", {}, {
          message: "Requester Pays is not implemented",
        });
      }
      if (payer !== "BucketOwner") throw new S3Error("MalformedXML");
      return text;
    },
  },
});

/** More tags than a document has that is valid. */
const MAX_TAGS = 100;
