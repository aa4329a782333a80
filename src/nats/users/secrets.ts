/**
 * How the secrets of access keys are stored: sealed under the operator's key, or in the clear if the operator permits it.
 * @module
 */

import type { Sealing } from "../../crypto/sealing.ts";
import type { Secrets } from "./record.ts";

/** What the operator has set. */
export type SecretSettings = {
  /** Undefined without `NATS_S3_USERS_KEY`. */
  readonly sealing: Sealing | undefined;
  /** Secrets in the clear are accepted, and written if there is no key (`--users.plaintext`). */
  readonly plaintext: boolean;
};

/** Returns how secrets are stored and read. */
export function secretsOf({ sealing, plaintext }: SecretSettings): Secrets {
  return {
    close(secret, accessKeyId) {
      if (sealing !== undefined) return { sealed: sealing.seal(secret, accessKeyId) };
      return plaintext ? { secret } : undefined;
    },
    open(stored, accessKeyId) {
      if ("sealed" in stored) return sealing?.open(stored.sealed, accessKeyId);
      return plaintext ? stored.secret : undefined;
    },
    isRecent(stored) {
      if (sealing === undefined) return true;
      return "sealed" in stored && sealing.isNewest(stored.sealed);
    },
  };
}
