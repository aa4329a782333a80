/**
 * How answers name an owner.
 *
 * AWS shows a canonical user id; here it is the access key id.
 * @module
 */

import type { XmlValue } from "../../s3/xml.ts";

/** The content of `<Owner>` and `<Initiator>`; undefined for an object that a native client wrote. */
export function ownerElement(accessKeyId: string | undefined): XmlValue {
  return accessKeyId === undefined ? undefined : { ID: accessKeyId, DisplayName: accessKeyId };
}
