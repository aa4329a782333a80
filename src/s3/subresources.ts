/**
 * The query names that choose an operation: sub-resources, as AWS calls them, and their parameters.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html and, for those
 * that SigV2 signs, https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 * @module
 */

/** Sub-resources whose names SigV2 signs. */
export const SIGNED_BY_SIGV2 = [
  "accelerate",
  "acl",
  "analytics",
  "cors",
  "delete",
  "inventory",
  "lifecycle",
  "location",
  "logging",
  "metrics",
  "notification",
  "object-lock",
  "partNumber",
  "policy",
  "replication",
  "requestPayment",
  "restore",
  "select",
  "tagging",
  "torrent",
  "uploadId",
  "uploads",
  "versionId",
  "versioning",
  "versions",
  "website",
] as const;

/** Sub-resources that came after SigV2. */
const NOT_SIGNED_BY_SIGV2 = [
  "abac",
  "annotation",
  "attributes",
  "encryption",
  "intelligent-tiering",
  "legal-hold",
  "metadataAnnotationTable",
  "metadataConfiguration",
  "metadataInventoryTable",
  "metadataJournalTable",
  "metadataTable",
  "ownershipControls",
  "policyStatus",
  "publicAccessBlock",
  "renameObject",
  "retention",
  "session",
] as const;

/** Parameters that a route may require beside a sub-resource; alone they choose nothing. */
const PARAMETERS = ["annotationName", "id"] as const;

/** Every sub-resource that AWS documents. */
export const SUB_RESOURCES: readonly SubResource[] = [...SIGNED_BY_SIGV2, ...NOT_SIGNED_BY_SIGV2];
/** One of {@linkcode SUB_RESOURCES}. */
export type SubResource = typeof SIGNED_BY_SIGV2[number] | typeof NOT_SIGNED_BY_SIGV2[number];

/** A query name that a route may require, or a name and the value that it must have. */
export type RoutingQuery =
  | SubResource
  | typeof PARAMETERS[number]
  | "list-type=2"
  | "select-type=2";

const UNSIGNED_NAMES: ReadonlySet<string> = new Set(NOT_SIGNED_BY_SIGV2);

/** Returns whether a query name is a sub-resource that SigV2 does not sign. */
export function isUnsignedBySigV2(name: string): boolean {
  return UNSIGNED_NAMES.has(name);
}

const NAMES: ReadonlySet<string> = new Set(SUB_RESOURCES);

/** Returns whether a query name is a sub-resource. */
export function isSubResource(name: string): name is SubResource {
  return NAMES.has(name);
}
