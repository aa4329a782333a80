/**
 * MD5 and SHA-256 of a body, computed on the spot.
 * @module
 */

import { createHash, hash } from "node:crypto";

/** The digests of one body, in lower-case hex. */
export type Digests = {
  readonly md5: string;
  readonly sha256: string;
  /** CRC-64/NVME; undefined unless a digester computed it. */
  readonly crc64?: string;
};

/** Computes the digests of one body. */
export interface Digester {
  /** Whether it also computes CRC-64/NVME. */
  readonly hasCrc64: boolean;
  /** Hashes the next bytes, which must not change until the returned promise resolves. */
  update(bytes: Uint8Array): Promise<void> | undefined;
  /** Returns the digests and ends the digester. */
  digest(): Promise<Digests> | Digests;
  /** Ends the digester without a result. */
  drop(): void;
}

/** Returns the digests of a complete body. */
export function digestsOf(bytes: Uint8Array): Digests {
  return { md5: hash("md5", bytes, "hex"), sha256: hash("sha256", bytes, "hex") };
}

/** Creates a digester that computes on this thread. */
export function createInlineDigester(): Digester {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  return {
    hasCrc64: false,
    update(bytes) {
      md5.update(bytes);
      sha256.update(bytes);
      return undefined;
    },
    digest: () => ({ md5: md5.digest("hex"), sha256: sha256.digest("hex") }),
    drop() {},
  };
}
