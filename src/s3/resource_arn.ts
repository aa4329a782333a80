/**
 * The resource whose tags S3 Control reads and changes, by its Amazon Resource Name.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#S3TaggingErrorCodeList
 *
 * Buckets are the only resources that the gateway has. As on AWS, an ARN that cannot have tags is not a valid URI.
 * @module
 */

import { isAccountId } from "./account.ts";
import { S3Error } from "./errors.ts";
import { type BucketName, parseBucketName } from "./names.ts";

/** The path of all resources with tags. */
export const TAGS_PATH = "tags";
/** Longest ARN, in characters. */
const MAX_ARN = 1011;
/** The other resources that have tags on AWS: they belong to an account and a region. */
const OTHERS = /^(?:accesspoint|access-grants|bucket|storage-lens-group)\/./;

/** The parts of an ARN that names a bucket. */
const BUCKET_ARN = /^arn:[^:]+:s3:::([^/:]+)$/;

/** Returns the bucket that a path such as `tags/arn:aws:s3:::photos` names, if it names one. */
export function bucketAt(path: string): BucketName | undefined {
  const arn = path.slice(TAGS_PATH.length + 1);
  const name = arn.length > MAX_ARN ? undefined : BUCKET_ARN.exec(arn)?.[1];
  if (name === undefined || !path.startsWith(`${TAGS_PATH}/`)) return undefined;
  try {
    return parseBucketName(name);
  } catch {
    return undefined;
  }
}

/**
 * Parses a path such as `tags/arn:aws:s3:::photos`.
 *
 * @param path Decoded, without the version of the API.
 * @param account The account that the request is about.
 * @throws S3Error `InvalidURI`; `InvalidRequest` for a resource of another account; `NoSuchResource` for one that the
 * gateway does not have, such as an access point
 *
 * @example Usage
 * ```ts
 * import { parseTaggedBucket } from "./resource_arn.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(parseTaggedBucket("tags/arn:aws:s3:::photos", "000000000000"), "photos");
 * ```
 */
export function parseTaggedBucket(path: string, account: string | undefined): BucketName {
  const bucket = bucketAt(path);
  if (bucket !== undefined) return bucket;
  const arn = path.slice(TAGS_PATH.length + 1);
  const [scheme, partition, service, region, owner = "", ...resource] = arn.split(":");
  const isOther = arn.length <= MAX_ARN && scheme === "arn" && partition !== "" &&
    (service === "s3" || service === "s3express") && region !== "" && isAccountId(owner) &&
    OTHERS.test(resource.join(":"));
  if (!isOther) throw new S3Error("InvalidURI", { URI: path });
  if (owner !== account) {
    throw new S3Error("InvalidRequest", {}, {
      message:
        "The AWS account in the resource ARN doesn't match the account ID that's specified in this request.",
    });
  }
  throw new S3Error("NoSuchResource");
}
