/**
 * The names of operations in server access logs: `REST.<method>.<resource>`.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
 *
 * A name follows from the request alone, so a request that was refused before its operation was known has one too.
 * @module
 */

import type { S3Request } from "./request.ts";
import { isSubResource, type SubResource } from "./subresources.ts";

/**
 * The resource that a sub-resource stands for; undefined for a sub-resource that is only a parameter. AWS publishes no
 * list: names that nobody has seen in a log are written like the others.
 */
const RESOURCES = {
  abac: "ABAC",
  accelerate: "ACCELERATE",
  acl: "ACL",
  analytics: "ANALYTICS",
  annotation: "ANNOTATION",
  attributes: "OBJECT_ATTRIBUTES",
  cors: "CORS",
  delete: "MULTI_OBJECT_DELETE",
  encryption: "ENCRYPTION",
  "intelligent-tiering": "INTELLIGENT_TIERING",
  inventory: "INVENTORY",
  "legal-hold": "LEGAL_HOLD",
  lifecycle: "LIFECYCLE",
  location: "LOCATION",
  logging: "LOGGING_STATUS",
  metadataAnnotationTable: "METADATA_ANNOTATION_TABLE",
  metadataConfiguration: "METADATA_CONFIGURATION",
  metadataInventoryTable: "METADATA_INVENTORY_TABLE",
  metadataJournalTable: "METADATA_JOURNAL_TABLE",
  metadataTable: "METADATA_TABLE",
  metrics: "METRICS",
  notification: "NOTIFICATION",
  "object-lock": "OBJECT_LOCK_CONFIGURATION",
  ownershipControls: "OWNERSHIP_CONTROLS",
  partNumber: undefined,
  policy: "BUCKETPOLICY",
  policyStatus: "POLICY_STATUS",
  publicAccessBlock: "PUBLIC_ACCESS_BLOCK",
  renameObject: "RENAME_OBJECT",
  replication: "REPLICATION",
  requestPayment: "REQUEST_PAYMENT",
  restore: "RESTORE",
  retention: "RETENTION",
  select: "SELECT",
  session: "SESSION",
  tagging: "TAGGING",
  torrent: "TORRENT",
  uploadId: "UPLOAD",
  uploads: "UPLOADS",
  versionId: undefined,
  versioning: "VERSIONING",
  versions: "BUCKETVERSIONS",
  website: "WEBSITE",
} as const satisfies Record<SubResource, string | undefined>;

/** A method that S3 knows; any other is not written into a log unquoted. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);

/**
 * Returns the name of a request's operation.
 *
 * @example Usage
 * ```ts
 * import { logOperation } from "./log_operation.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const target = { on: "bucket" } as const;
 * strictEqual(
 *   logOperation({ method: "GET", target, query: new Map([["logging", ""]]), headers: new Headers() }),
 *   "REST.GET.LOGGING_STATUS",
 * );
 * ```
 */
export function logOperation(
  { method, target, query, headers, isSite }: Pick<S3Request, "method" | "query" | "isSite"> & {
    readonly target: Pick<S3Request["target"], "on">;
    readonly headers: Pick<S3Request["headers"], "has">;
  },
): string {
  const verb = METHODS.has(method) ? method : "UNKNOWN";
  if (isSite === true) return `WEBSITE.${verb}.OBJECT`;
  if (verb === "OPTIONS") return "REST.OPTIONS.PREFLIGHT";
  const isObject = target.on === "object";
  // Of the paths of S3 Control, only those of tags are about a bucket.
  const resource = target.on === "account" ? "TAGGING" : resourceOf(query, isObject);
  if (verb !== "PUT" || !isObject) return `REST.${verb}.${resource}`;
  const written = resource === "UPLOAD" ? "PART" : resource;
  const isCopy = headers.has("x-amz-copy-source") && (written === "PART" || written === "OBJECT");
  return `REST.${isCopy ? "COPY" : verb}.${written}`;
}

function resourceOf(query: S3Request["query"], isObject: boolean): string {
  for (const name of query.keys()) {
    const resource = isSubResource(name) ? RESOURCES[name] : undefined;
    if (resource === "TAGGING" && isObject) return "OBJECT_TAGGING";
    if (resource !== undefined) return resource;
  }
  return isObject ? "OBJECT" : "BUCKET";
}
