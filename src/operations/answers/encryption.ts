/**
 * How answers say that an object is encrypted at rest.
 * @module
 */

import { type ObjectProperties, SYSTEM_HEADERS } from "../../s3/metadata.ts";

/** The header, where the object was asked to be encrypted. */
export function encryptionHeader({ system }: ObjectProperties): Record<string, string> {
  return system.encryption === undefined ? {} : { [SYSTEM_HEADERS.encryption]: system.encryption };
}
