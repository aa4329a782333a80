/**
 * Bytes that are stored again.
 * @module
 */

import type { ContentInput } from "./content.ts";
import type { ObjectInfo } from "./objects.ts";

/**
 * Returns the bytes of an object, to be checked against the checksum that they were stored with.
 *
 * @param mismatch Makes the error that refuses other bytes.
 */
export function verifiedContent(
  { size, checksum }: Pick<ObjectInfo, "size" | "checksum">,
  stream: ContentInput["stream"],
  mismatch: () => Error,
): ContentInput {
  const isWhole = checksum?.type === "FULL_OBJECT";
  return {
    stream,
    size,
    algorithm: isWhole ? checksum.algorithm : undefined,
    verify(received) {
      if (isWhole && received.checksum !== checksum.value) throw mismatch();
    },
  };
}
