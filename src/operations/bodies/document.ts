/**
 * Reads XML documents in request bodies, the only bodies that are read whole.
 * @module
 */

import { createHash } from "node:crypto";
import { createChecksumHasher } from "../../s3/checksum_algorithms.ts";
import { S3Error } from "../../s3/errors.ts";
import { type Integrity, verifyReceived } from "../../s3/integrity.ts";
import type { Payload } from "../../s3/payload.ts";
import { readWhole } from "../../streams/byte_source.ts";

/** Maximum size of a document, in bytes: 1,000 keys with each character escaped, or 10,000 parts with checksums. */
const MAX_BYTES = 8 * 1024 * 1024;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a document and verifies what the client stated about its bytes.
 *
 * @param maxBytes Maximum size of the document.
 * @throws S3Error `MaxMessageLengthExceeded`, `MalformedXML` for text that is not UTF-8, and what
 * {@linkcode verifyReceived} throws
 */
export async function readDocument(
  payload: Payload,
  integrity: Integrity,
  maxBytes: number = MAX_BYTES,
): Promise<string> {
  const bytes = await readWhole(payload.source, maxBytes);
  if (bytes === undefined) {
    throw new S3Error("MaxMessageLengthExceeded", { MaxMessageLengthBytes: maxBytes });
  }
  const { checksum } = integrity;
  const hasher = checksum === undefined
    ? undefined
    : await createChecksumHasher(checksum.algorithm);
  hasher?.update(bytes);
  verifyReceived(integrity, payload, {
    md5: createHash("md5").update(bytes).digest("hex"),
    sha256: createHash("sha256").update(bytes).digest("hex"),
    checksum: hasher?.digest(),
  });
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new S3Error("MalformedXML", {}, { cause });
  }
}
