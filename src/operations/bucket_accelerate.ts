/**
 * GetBucketAccelerateConfiguration and PutBucketAccelerateConfiguration: transfers by way of AWS's edge locations.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAccelerateConfiguration.html
 *
 * There are no such locations, so the gateway accepts `Suspended` and refuses `Enabled`.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { formatXml } from "../s3/xml.ts";
import { parseXml, textOf } from "../s3/xml_reader.ts";
import { documentOperations } from "./bucket_document.ts";
import type { Operation } from "./operation.ts";

const ROOT = "AccelerateConfiguration";

export const bucketAccelerate: readonly Operation[] = documentOperations({
  kind: "accelerate",
  query: "accelerate",
  get: {
    name: "GetBucketAccelerateConfiguration",
    action: "s3:GetAccelerateConfiguration",
    missing: { document: formatXml(ROOT, undefined) },
  },
  put: {
    name: "PutBucketAccelerateConfiguration",
    action: "s3:PutAccelerateConfiguration",
    maxBytes: 64 * 1024,
    validate(text, { target: { bucket } }) {
      const root = parseXml(text, ROOT, MAX_TAGS);
      const status = textOf(root, "Status");
      const isKnown = status === "Suspended" || status === "Enabled";
      if (!isKnown || root.children.length !== 1) throw new S3Error("MalformedXML");
      if (bucket.includes(".")) {
        throw new S3Error("InvalidRequest", {}, {
          message:
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names",
        });
      }
      if (status === "Enabled") {
        throw new S3Error("NotImplemented", {}, {
          message: "Transfer acceleration is not implemented",
        });
      }
      return text;
    },
  },
});

/** More tags than a document has that is valid. */
const MAX_TAGS = 100;
