/**
 * CORS preflights.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
 *
 * No bucket has a CORS configuration, so each preflight is refused as AWS refuses it for such a bucket. Whether the bucket
 * exists is found out after that (`access/disclosure.ts`).
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import type { S3Request } from "../s3/request.ts";

/**
 * Refuses a preflight.
 *
 * @throws S3Error `AccessForbidden`; `BadRequest` without an `Origin`
 */
export function refusePreflight({ headers, target }: Pick<S3Request, "headers" | "target">): never {
  if (!headers.has("origin")) {
    throw new S3Error("BadRequest", {}, {
      message: "Insufficient information. Origin request header needed.",
    });
  }
  throw new S3Error("AccessForbidden", {
    Method: headers.get("access-control-request-method") ?? "OPTIONS",
    ResourceType: "BUCKET",
  }, target.on === "service" ? { message: "CORSResponse: Bucket not found" } : {});
}
