/**
 * The response header of an object that is encrypted at rest.
 * @module
 */

import { type ObjectProperties, SYSTEM_HEADERS } from "../../s3/metadata.ts";

/** Returns the header if the object was to be encrypted. */
export function encryptionHeader({ system }: ObjectProperties): Record<string, string> {
  return system.encryption === undefined ? {} : { [SYSTEM_HEADERS.encryption]: system.encryption };
}
