/**
 * The operations that AWS documents for S3 and the gateway does not support: each fails with `NotImplemented`, by name.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 *
 * A request that is routed here cannot fall through to a plain GET, PUT or DELETE. A row has no effect once `table.ts`
 * lists an operation of the same name. GetBucketLifecycle, PutBucketLifecycle, GetBucketNotification and
 * PutBucketNotification are older names of routes below; ListDirectoryBuckets is ListBuckets at another endpoint.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import type { Action } from "../s3/permission.ts";
import type { RoutingQuery } from "../s3/subresources.ts";
import { defineOperation, type On, type Operation, type Route } from "./operation.ts";

type Row = readonly [name: string, method: Route["method"], ...query: RoutingQuery[]];

const ON_BUCKET: readonly Row[] = [
  ["CreateBucketMetadataConfiguration", "POST", "metadataConfiguration"],
  ["CreateBucketMetadataTableConfiguration", "POST", "metadataTable"],
  ["CreateSession", "GET", "session"],
  ["DeleteBucketMetadataConfiguration", "DELETE", "metadataConfiguration"],
  ["DeleteBucketMetadataTableConfiguration", "DELETE", "metadataTable"],
  ["GetBucketAbac", "GET", "abac"],
  ["GetBucketMetadataConfiguration", "GET", "metadataConfiguration"],
  ["GetBucketMetadataTableConfiguration", "GET", "metadataTable"],
  ["PostObject", "POST"],
  ["PutBucketAbac", "PUT", "abac"],
  ["PutBucketAnalyticsConfiguration", "PUT", "analytics", "id"],
  ["PutBucketEncryption", "PUT", "encryption"],
  ["PutBucketIntelligentTieringConfiguration", "PUT", "intelligent-tiering", "id"],
  ["PutBucketInventoryConfiguration", "PUT", "inventory", "id"],
  ["PutBucketMetricsConfiguration", "PUT", "metrics", "id"],
  ["PutBucketReplication", "PUT", "replication"],
  ["UpdateBucketMetadataAnnotationTableConfiguration", "PUT", "metadataAnnotationTable"],
  ["UpdateBucketMetadataInventoryTableConfiguration", "PUT", "metadataInventoryTable"],
  ["UpdateBucketMetadataJournalTableConfiguration", "PUT", "metadataJournalTable"],
];

const ON_OBJECT: readonly Row[] = [
  ["DeleteObjectAnnotation", "DELETE", "annotation", "annotationName"],
  ["GetObjectAnnotation", "GET", "annotation", "annotationName"],
  ["GetObjectTorrent", "GET", "torrent"],
  ["ListObjectAnnotations", "GET", "annotation"],
  ["PutObjectAnnotation", "PUT", "annotation", "annotationName"],
  ["RestoreObject", "POST", "restore"],
  ["SelectObjectContent", "POST", "select", "select-type=2"],
  ["UpdateObjectEncryption", "PUT", "encryption"],
];

/** Actions that are not named after their operation. */
const ACTIONS: Readonly<Record<string, Action>> = {
  CreateBucketMetadataConfiguration: "s3:CreateBucketMetadataTableConfiguration",
  CreateSession: "s3express:CreateSession",
  DeleteBucketMetadataConfiguration: "s3:DeleteBucketMetadataTableConfiguration",
  GetBucketMetadataConfiguration: "s3:GetBucketMetadataTableConfiguration",
  PostObject: "s3:PutObject",
  PutBucketAnalyticsConfiguration: "s3:PutAnalyticsConfiguration",
  PutBucketEncryption: "s3:PutEncryptionConfiguration",
  PutBucketIntelligentTieringConfiguration: "s3:PutIntelligentTieringConfiguration",
  PutBucketInventoryConfiguration: "s3:PutInventoryConfiguration",
  PutBucketMetricsConfiguration: "s3:PutMetricsConfiguration",
  PutBucketReplication: "s3:PutReplicationConfiguration",
  PutPublicAccessBlock: "s3:PutBucketPublicAccessBlock",
  SelectObjectContent: "s3:GetObject",
  WriteGetObjectResponse: "s3-object-lambda:WriteGetObjectResponse",
};

function unsupported<O extends On>(
  on: O,
  [name, method, ...query]: Row,
  headers: readonly string[] = [],
): Operation<O> {
  return defineOperation<O, void>({
    name,
    on,
    method,
    query,
    optionalQuery: on === "object" ? ["versionId"] : [],
    headers,
    unsupported: true,
    action: ACTIONS[name] ?? `s3:${name}`,
    parse: () => {},
    handle: () =>
      Promise.reject(
        new S3Error("NotImplemented", {}, { message: `${name} is not implemented` }),
      ),
  });
}

const ROWS: readonly Operation[] = [
  ...ON_BUCKET.map((row) => unsupported("bucket", row)),
  ...ON_OBJECT.map((row) => unsupported("object", row)),
  // Its path, /WriteGetObjectResponse, looks like a bucket's.
  unsupported("bucket", ["WriteGetObjectResponse", "POST"], ["x-amz-request-route"]),
];

/** Returns the operations that AWS documents and that are missing from those supported, by name. */
export function unsupportedBeside(
  supported: readonly Pick<Operation, "name">[],
): readonly Operation[] {
  const names = new Set(supported.map(({ name }) => name));
  return ROWS.filter(({ name }) => !names.has(name));
}
