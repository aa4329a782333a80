/**
 * `nats-s3 users check`: what each key of the configuration would lose if accounts were isolated.
 * @module
 */

import type { ConfiguredCredentials } from "../auth/credentials.ts";
import type { Directory } from "../iam/directory.ts";
import type { BucketInfo } from "../store/buckets.ts";
import { formatRows } from "./iam_operands.ts";
import type { Verb } from "./verb.ts";

/** A key of the configuration under isolation. */
export type CheckedKey = {
  readonly accessKey: string;
  readonly account: string;
  readonly isAdmin: boolean;
  /** Names of buckets that the key may still use, and of those that it may not unless a policy allows it. */
  readonly keeps: readonly string[];
  readonly loses: readonly string[];
};

/** What tells to whom a bucket belongs. */
type Facts = {
  readonly credentials: ConfiguredCredentials;
  readonly directory: Directory;
  /** The account of buckets whose owner nobody knows. */
  readonly home: string;
};

type Owned = Pick<BucketInfo, "name" | "owner"> & { readonly account?: string | undefined };

/** `check`: lists what each key of the configuration keeps and loses. */
export const CHECK: Verb = {
  usage: "",
  help:
    "Lists for each key of the configuration the account that it would belong to with isolation, and the buckets that it would lose",
  flags: ["json"],
  plan: ({ flags }) => async ({ store, config, print }) => {
    const facts = {
      credentials: config.credentials,
      directory: await store.users.read(),
      home: config.account,
    };
    const keys = checkKeys(await store.listBuckets(), facts);
    if (flags.get("json") === "true") {
      print(JSON.stringify(keys, null, 2));
      return;
    }
    const rows = keys.map(({ accessKey, account, isAdmin, keeps, loses }) => [
      accessKey,
      account,
      isAdmin ? "yes" : "no",
      String(keeps.length),
      loses.join(", ") || "nothing",
    ]);
    for (const line of formatRows(["KEY", "ACCOUNT", "ADMIN", "KEEPS", "LOSES"], rows)) print(line);
    if (!config.credentials.hasAdministrator) {
      print(
        'No key is an administrator\'s: give an entry "admin": true before accounts are isolated',
      );
    }
  },
};

/** Returns what each key of the configuration would keep and lose. */
export function checkKeys(buckets: readonly Owned[], facts: Facts): readonly CheckedKey[] {
  const owned = buckets.map((bucket) => ({ name: bucket.name, account: accountOf(bucket, facts) }));
  return [...facts.credentials.ids].flatMap((accessKey) => {
    const principal = facts.credentials.find(accessKey, true)?.principal;
    if (principal === undefined) return [];
    const { account, isAdmin } = principal;
    const isKept = (bucket: typeof owned[number]): boolean => isAdmin || bucket.account === account;
    const keeps = owned.filter(isKept).map(({ name }) => name);
    const loses = owned.filter((bucket) => !isKept(bucket)).map(({ name }) => name);
    return [{ accessKey, account, isAdmin, keeps, loses }];
  });
}

/** Returns the account of a bucket: the one that is recorded, or that of the holder of the recorded access key. */
function accountOf({ owner, account }: Owned, { credentials, directory, home }: Facts): string {
  if (account !== undefined) return account;
  if (owner === undefined) return home;
  return credentials.find(owner, true)?.principal.account ??
    directory.holderOf(owner)?.account.id ?? home;
}
