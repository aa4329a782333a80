/**
 * All operations. Their order does not matter: the entry with the most required query and header names wins.
 *
 * To support an operation, import it here and add it to the list: its row in `unsupported.ts` loses its effect.
 * @module
 */

import { abortMultipartUpload } from "./abort_multipart_upload.ts";
import { absentConfigurations } from "./absent_configurations.ts";
import { accountPublicAccessBlock } from "./account_public_access_block.ts";
import { acls } from "./acls.ts";
import { bucketCors } from "./bucket_cors.ts";
import { bucketTagging } from "./bucket_tagging.ts";
import { bucketAccelerate } from "./bucket_accelerate.ts";
import { bucketLifecycle } from "./bucket_lifecycle.ts";
import { bucketLogging } from "./bucket_logging.ts";
import { bucketObjectLock } from "./bucket_object_lock.ts";
import { bucketRequestPayment } from "./bucket_request_payment.ts";
import { bucketPolicy } from "./bucket_policy.ts";
import { bucketPublicAccessBlock } from "./bucket_public_access_block.ts";
import { bucketVersioning } from "./bucket_versioning.ts";
import { bucketWebsite } from "./bucket_website.ts";
import { completeMultipartUpload } from "./complete_multipart_upload.ts";
import { copyObject } from "./copy_object.ts";
import { createBucket } from "./create_bucket.ts";
import { createMultipartUpload } from "./create_multipart_upload.ts";
import { defaultConfigurations } from "./default_configurations.ts";
import { deleteBucket } from "./delete_bucket.ts";
import { deleteObject } from "./delete_object.ts";
import { deleteObjects } from "./delete_objects.ts";
import { getBucketLocation } from "./get_bucket_location.ts";
import { getBucketPolicyStatus } from "./get_bucket_policy_status.ts";
import { getObject } from "./get_object.ts";
import { getObjectAttributes } from "./get_object_attributes.ts";
import { headBucket } from "./head_bucket.ts";
import { headObject } from "./head_object.ts";
import { listBuckets } from "./list_buckets.ts";
import { listMultipartUploads } from "./list_multipart_uploads.ts";
import { listObjectVersions } from "./list_object_versions.ts";
import { listObjects } from "./list_objects.ts";
import { listObjectsV2 } from "./list_objects_v2.ts";
import { listParts } from "./list_parts.ts";
import { listTagsForResource } from "./list_tags_for_resource.ts";
import { objectTagging } from "./object_tagging.ts";
import type { Operation } from "./operation.ts";
import { objectLock } from "./object_lock.ts";
import { putObject } from "./put_object.ts";
import { renameObject } from "./rename_object.ts";
import { tagResource } from "./tag_resource.ts";
import { unsupportedBeside } from "./unsupported.ts";
import { untagResource } from "./untag_resource.ts";
import { uploadPart } from "./upload_part.ts";
import { uploadPartCopy } from "./upload_part_copy.ts";

/** The operations that the gateway supports. */
export const SUPPORTED: readonly Operation[] = [
  abortMultipartUpload,
  ...absentConfigurations,
  ...acls,
  ...bucketCors,
  ...bucketTagging,
  ...bucketAccelerate,
  ...bucketLifecycle,
  ...bucketLogging,
  ...bucketObjectLock,
  ...bucketRequestPayment,
  ...bucketPolicy,
  ...bucketPublicAccessBlock,
  ...bucketVersioning,
  ...bucketWebsite,
  completeMultipartUpload,
  copyObject,
  createBucket,
  createMultipartUpload,
  ...defaultConfigurations,
  deleteBucket,
  deleteObject,
  deleteObjects,
  getBucketLocation,
  getBucketPolicyStatus,
  getObject,
  getObjectAttributes,
  headBucket,
  headObject,
  listBuckets,
  listMultipartUploads,
  listObjectVersions,
  listObjects,
  listObjectsV2,
  listParts,
  ...objectLock,
  ...objectTagging,
  putObject,
  renameObject,
  uploadPart,
  uploadPartCopy,
];

/** The operations that fail with `NotImplemented`. */
export const UNSUPPORTED: readonly Operation[] = unsupportedBeside(SUPPORTED);

/** Every operation that AWS documents for S3. */
export const OPERATIONS: readonly Operation[] = [...SUPPORTED, ...UNSUPPORTED];

/** The operations of S3 Control that the gateway supports; any other request there is `MethodNotAllowed`. */
export const CONTROL_OPERATIONS: readonly Operation[] = [
  ...accountPublicAccessBlock,
  listTagsForResource,
  tagResource,
  untagResource,
];
