/**
 * The ACL of every bucket and object: the owner of the bucket has full control.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html
 * @module
 */

import { formatXml } from "../../s3/xml.ts";
import { ownerElement } from "./owner.ts";

/** SDKs read from this attribute what kind of grantee it is. */
const GRANTEE =
  '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">';

/** Returns the ACL. It names no owner and grants nothing if nobody knows whose the bucket is. */
export function aclResponse(owner: string | undefined): Response {
  const Grantee = ownerElement(owner);
  const text = formatXml("AccessControlPolicy", {
    Owner: Grantee,
    AccessControlList: {
      Grant: Grantee === undefined ? undefined : { Grantee, Permission: "FULL_CONTROL" },
    },
  });
  // Values are escaped, so that this text is only the element.
  return new Response(text.replace("<Grantee>", GRANTEE), {
    headers: { "content-type": "application/xml" },
  });
}
