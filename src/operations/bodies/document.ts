/**
 * Reads XML documents in request bodies, the only bodies that are read whole.
 * @module
 */

import { createHash } from "node:crypto";
import { createChecksumHasher } from "../../s3/checksum_algorithms.ts";
import { S3Error } from "../../s3/errors.ts";
import { type Integrity, verifyReceived } from "../../s3/integrity.ts";
import { type ByteSource, readWhole } from "../../streams/byte_source.ts";
import type { Call, On } from "../operation.ts";

/** Maximum size of a document, in bytes: 1,000 keys with each character escaped, or 10,000 parts with checksums. */
const MAX_BYTES = 8 * 1024 * 1024;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a document and verifies what the client stated about its bytes.
 *
 * @param maxBytes Maximum size of the document.
 * @throws S3Error `SlowDown` if too many documents are arriving, `MaxMessageLengthExceeded`, `MalformedXML` for text that is not UTF-8, and what
 * {@linkcode verifyReceived} throws
 */
export async function readDocument(
  { payload, documents }: Pick<Call<On, unknown>, "payload" | "documents">,
  integrity: Integrity,
  maxBytes: number = MAX_BYTES,
): Promise<string> {
  const { sender = "" } = payload;
  let counted = 0;
  const source: ByteSource = {
    async read() {
      const piece = await payload.source.read();
      if (piece === undefined) return undefined;
      documents.take(sender, piece.length);
      counted += piece.length;
      return piece;
    },
    cancel: (reason) => payload.source.cancel(reason),
  };
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  try {
    bytes = await readWhole(source, maxBytes);
  } finally {
    documents.give(sender, counted);
  }
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
