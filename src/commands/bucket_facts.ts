/**
 * What decides about buckets, for commands that run without a gateway: who owns them, and their policies.
 * @module
 */

import { type BucketAccesses, createBucketAccesses } from "../access/bucket_access.ts";
import { type BucketAccounts, createBucketAccounts } from "../access/bucket_accounts.ts";
import { PublicAccessBlocks } from "../access/public_access_blocks.ts";
import { UserCredentials } from "../auth/user_credentials.ts";
import type { VerbContext } from "./verb.ts";

/** The access keys, and the facts about buckets. */
export type BucketFacts = {
  readonly credentials: UserCredentials;
  readonly accounts: BucketAccounts;
  readonly buckets: BucketAccesses;
};

/**
 * Reads the directory of users, and returns how buckets are decided about.
 *
 * @throws S3Error `ServiceUnavailable` if the directory cannot be read
 */
export async function readBucketFacts(
  { store, config }: Pick<VerbContext, "store" | "config">,
): Promise<BucketFacts> {
  const credentials = new UserCredentials(config.credentials, store.users);
  await credentials.refresh();
  const accounts = createBucketAccounts({
    store,
    home: config.account,
    isIsolated: () => credentials.isIsolated,
    accountOfKey: (id) => credentials.find(id)?.principal.account,
  });
  const blocks = new PublicAccessBlocks({ documents: store, users: store.users });
  const buckets = createBucketAccesses({ store, strangers: store, blocks, ...accounts });
  return { credentials, accounts, buckets };
}
