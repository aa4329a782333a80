/**
 * The region that a response names in `x-amz-bucket-region`.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 * @module
 */

import type { S3Request } from "../s3/request.ts";
import type { Store } from "../store/store.ts";

/** A request, as far as its response names a region. */
type Asked = {
  /** Undefined until the request was parsed. */
  readonly asked: Pick<S3Request, "target"> | undefined;
  /** The region of buckets without a location; undefined if the response must not name any. */
  readonly region: string | undefined;
};

/**
 * Returns the region of the request's bucket; undefined if the response names none. As on AWS, responses about an object
 * name it if they are errors.
 */
export function regionToName(
  { asked, region }: Asked,
  hasFailed: boolean,
  store: Pick<Store, "knownLocation">,
): string | undefined {
  if (region === undefined) return undefined;
  const target = asked?.target;
  if (target?.on === "account") return undefined;
  if (target?.on !== "bucket" && !hasFailed) return undefined;
  if (target === undefined || target.on === "service") return region;
  return store.knownLocation(target.bucket) ?? region;
}
