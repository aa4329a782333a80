/**
 * CORS preflights.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
 *
 * No bucket has a CORS configuration, so each preflight is refused as AWS refuses it for such a bucket.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import type { S3Request } from "../s3/request.ts";

/**
 * Refuses a preflight.
 *
 * @throws S3Error `AccessForbidden`, always
 */
export function refusePreflight({ headers }: Pick<S3Request, "headers">): never {
  throw new S3Error("AccessForbidden", {
    Method: headers.get("access-control-request-method") ?? "OPTIONS",
    ResourceType: "BUCKET",
  });
}
