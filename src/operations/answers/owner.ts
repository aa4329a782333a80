/**
 * The XML element that names an owner.
 *
 * AWS shows a canonical user id; the gateway shows the access key id.
 * @module
 */

import type { XmlValue } from "../../s3/xml.ts";

/** Returns the content of `<Owner>` and `<Initiator>`; undefined for an object that a native client wrote. */
export function ownerElement(accessKeyId: string | undefined): XmlValue {
  return accessKeyId === undefined ? undefined : { ID: accessKeyId, DisplayName: accessKeyId };
}
