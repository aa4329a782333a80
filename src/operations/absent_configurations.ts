/**
 * Questions about configurations that no bucket has, because the gateway keeps none of their kind yet. Tools ask dozens of
 * them. Each is answered as AWS answers for a bucket on which it was never set, so long as that is true of the gateway.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 *
 * Deleting a configuration that is not there is a success, as on AWS. Where AWS sets a default that the gateway does not
 * enforce, the configuration is not set: encryption, unless `--encryption.at-rest` is. ACLs are
 * disabled in every bucket (`BucketOwnerEnforced`). On AWS, to delete this setting enables them; here it is refused with the
 * error that tools take for "already deleted".
 * @module
 */

import { type ErrorCode, S3Error } from "../s3/errors.ts";
import type { Action } from "../s3/permission.ts";
import type { RoutingQuery } from "../s3/subresources.ts";
import { xmlResponse, type XmlValue } from "../s3/xml.ts";
import { defineOperation, type Operation, type ParseServices } from "./operation.ts";

/** What the gateway answers: an error, or a document of which this is the root element and its content. */
type Answer = ErrorCode | readonly [root: string, content?: XmlValue];

type Question = readonly [
  name: string,
  action: Action,
  query: readonly RoutingQuery[],
  answer: Answer | ((services: ParseServices) => Answer),
];

const EMPTY = { IsTruncated: false };

const GETS: readonly Question[] = [
  [
    "GetBucketAnalyticsConfiguration",
    "s3:GetAnalyticsConfiguration",
    ["analytics", "id"],
    "NoSuchConfiguration",
  ],
  [
    "GetBucketEncryption",
    "s3:GetEncryptionConfiguration",
    ["encryption"],
    ({ encryptionAtRest }) =>
      encryptionAtRest
        ? ["ServerSideEncryptionConfiguration", {
          Rule: {
            ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" },
            BucketKeyEnabled: false,
          },
        }]
        : "ServerSideEncryptionConfigurationNotFoundError",
  ],
  [
    "GetBucketIntelligentTieringConfiguration",
    "s3:GetIntelligentTieringConfiguration",
    ["intelligent-tiering", "id"],
    "NoSuchConfiguration",
  ],
  [
    "GetBucketInventoryConfiguration",
    "s3:GetInventoryConfiguration",
    ["inventory", "id"],
    "NoSuchConfiguration",
  ],
  [
    "GetBucketMetricsConfiguration",
    "s3:GetMetricsConfiguration",
    ["metrics", "id"],
    "NoSuchConfiguration",
  ],
  [
    "GetBucketNotificationConfiguration",
    "s3:GetBucketNotification",
    ["notification"],
    ["NotificationConfiguration"],
  ],
  [
    "GetBucketOwnershipControls",
    "s3:GetBucketOwnershipControls",
    ["ownershipControls"],
    ["OwnershipControls", { Rule: { ObjectOwnership: "BucketOwnerEnforced" } }],
  ],
  [
    "GetBucketReplication",
    "s3:GetReplicationConfiguration",
    ["replication"],
    "ReplicationConfigurationNotFoundError",
  ],
  [
    "ListBucketAnalyticsConfigurations",
    "s3:GetAnalyticsConfiguration",
    ["analytics"],
    ["ListBucketAnalyticsConfigurationResult", EMPTY],
  ],
  [
    "ListBucketIntelligentTieringConfigurations",
    "s3:GetIntelligentTieringConfiguration",
    ["intelligent-tiering"],
    ["ListBucketIntelligentTieringConfigurationsOutput", EMPTY],
  ],
  [
    "ListBucketInventoryConfigurations",
    "s3:GetInventoryConfiguration",
    ["inventory"],
    ["ListInventoryConfigurationsResult", EMPTY],
  ],
  [
    "ListBucketMetricsConfigurations",
    "s3:GetMetricsConfiguration",
    ["metrics"],
    ["ListMetricsConfigurationsResult", EMPTY],
  ],
];

/** Deletions. Those without an error succeed. */
const DELETIONS: readonly (readonly [
  name: string,
  action: Action,
  query: readonly RoutingQuery[],
  error?: ErrorCode,
])[] = [
  [
    "DeleteBucketAnalyticsConfiguration",
    "s3:PutAnalyticsConfiguration",
    ["analytics", "id"],
    "NoSuchConfiguration",
  ],
  ["DeleteBucketEncryption", "s3:PutEncryptionConfiguration", ["encryption"]],
  [
    "DeleteBucketIntelligentTieringConfiguration",
    "s3:PutIntelligentTieringConfiguration",
    ["intelligent-tiering", "id"],
    "NoSuchConfiguration",
  ],
  [
    "DeleteBucketInventoryConfiguration",
    "s3:PutInventoryConfiguration",
    ["inventory", "id"],
    "NoSuchConfiguration",
  ],
  [
    "DeleteBucketMetricsConfiguration",
    "s3:PutMetricsConfiguration",
    ["metrics", "id"],
    "NoSuchConfiguration",
  ],
  [
    "DeleteBucketOwnershipControls",
    "s3:PutBucketOwnershipControls",
    ["ownershipControls"],
    "OwnershipControlsNotFoundError",
  ],
  ["DeleteBucketReplication", "s3:PutReplicationConfiguration", ["replication"]],
];

function toGet([name, action, query, answer]: Question): Operation<"bucket"> {
  return defineOperation<"bucket", Answer>({
    name,
    action,
    on: "bucket",
    method: "GET",
    query,
    parse: (_request, services) => typeof answer === "function" ? answer(services) : answer,
    async handle({ target: { bucket }, input, store }) {
      await store.readBucket(bucket);
      if (typeof input === "string") throw new S3Error(input, { BucketName: bucket });
      const [root, content] = input;
      return xmlResponse(root, content);
    },
  });
}

function toDeletion(
  [name, action, query, error]: typeof DELETIONS[number],
): Operation<"bucket"> {
  return defineOperation<"bucket", void>({
    name,
    action,
    on: "bucket",
    method: "DELETE",
    query,
    parse: () => {},
    async handle({ target: { bucket }, store }) {
      await store.readBucket(bucket);
      if (error !== undefined) throw new S3Error(error, { BucketName: bucket });
      return new Response(null, { status: 204 });
    },
  });
}

/** The operations that read and delete configurations which no bucket has. */
export const absentConfigurations: readonly Operation[] = [
  ...GETS.map(toGet),
  ...DELETIONS.map(toDeletion),
];
