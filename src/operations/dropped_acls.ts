/**
 * Reports of ACLs that are dropped (`--bucket.acl-headers ignore`): a client asked for access that nobody has.
 * @module
 */

import { BoundedCache } from "../collections/bounded_cache.ts";
import type { DropAcl } from "../s3/acl.ts";

/** Number of buckets that are remembered as logged. */
const MAX_LOGGED = 10_000;

/** Creates the function that logs the first dropped ACL of each bucket, and counts all of them. */
export function createDropAcl(
  log: { info(message: string, fields?: Readonly<Record<string, unknown>>): void },
  count: (acl: string) => void,
): DropAcl {
  const logged = new BoundedCache<true>(MAX_LOGGED);
  return (bucket, acl) => {
    count(acl);
    if (logged.get(bucket) !== undefined) return;
    logged.set(bucket, true, 1);
    log.info("ACL is ignored, here and on later writes", { bucket, acl });
  };
}
