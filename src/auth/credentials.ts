/**
 * The access keys whose signatures are accepted, and the callers to whom they belong.
 * @module
 */

import { derivedAccount } from "../iam/derived_account.ts";
import { type Principal, rootOf, unlimitedHolderOf } from "../iam/principal.ts";
import { DEFAULT_ACCOUNT } from "../s3/account.ts";
import { S3Error } from "../s3/errors.ts";
import { type ConfiguredKey, type ConfiguredKeys, configuredPair } from "./configured_keys.ts";
import type { User } from "./identity.ts";

/** An access key that may sign requests. */
export type KnownKey = {
  /** The valid secret access keys: two during a rotation. */
  readonly secrets: readonly string[];
  readonly principal: Principal;
};

/** The access keys against which signatures are checked. */
export interface Credentials {
  /**
   * Returns undefined if {@linkcode find} knows what is so now. Otherwise the caller waits for the promise first.
   *
   * The promise rejects with `ServiceUnavailable` if nobody can say in time.
   */
  refresh(): Promise<unknown> | undefined;
  /** Returns an access key; undefined if it is unknown, inactive or that of a disabled user. */
  find(accessKeyId: string): KnownKey | undefined;
}

/**
 * Returns the caller whose signature was verified.
 *
 * @throws S3Error `InvalidAccessKeyId`
 */
export function identityOf(accessKeyId: string, credentials: Credentials): User {
  const key = credentials.find(accessKeyId);
  if (key === undefined) throw new S3Error("InvalidAccessKeyId", { AWSAccessKeyId: accessKeyId });
  return { kind: "user", accessKeyId, principal: key.principal };
}

/** Options of {@linkcode ConfiguredCredentials}. */
export type ConfiguredOptions = {
  /** The account of everybody while accounts are not isolated, and of administrators. */
  readonly account: string;
  /** Each key belongs to an account, whatever the keys say (`--users.isolation on`). */
  readonly isIsolated?: boolean;
};

/** The access keys that the configuration names. They do not change. */
export class ConfiguredCredentials implements Credentials {
  /** Each key belongs to an account. Without this every key may do everything. */
  readonly isIsolated: boolean;
  /** The keys are a document in which no entry says to whom a key belongs. */
  readonly isSilent: boolean;
  readonly hasAdministrator: boolean;
  readonly #home: string;
  readonly #unlimited = new Map<string, KnownKey>();
  readonly #isolated = new Map<string, KnownKey>();

  constructor(configured: ConfiguredKeys, { account, isIsolated = false }: ConfiguredOptions) {
    this.#home = account;
    this.isIsolated = isIsolated || configured.isIsolated;
    this.isSilent = configured.from === "document" && !configured.isIsolated;
    this.hasAdministrator = configured.keys.some(({ isAdmin }) => isAdmin);
    for (const key of configured.keys) {
      const { accessKeyId, secrets, isAdmin } = key;
      const home = accountOf(key, account);
      const principal = unlimitedHolderOf(accessKeyId, account);
      this.#unlimited.set(accessKeyId, { secrets, principal });
      this.#isolated.set(accessKeyId, { secrets, principal: rootOf(home, { isAdmin }) });
    }
  }

  /** Returns the ids of all keys, as configured. */
  get ids(): Iterable<string> {
    return this.#isolated.keys();
  }

  /** Returns whether a key belongs to an account, or would with isolation. */
  hasAccount(account: string): boolean {
    return account === this.#home ||
      this.#isolated.values().some(({ principal }) => principal.account === account);
  }

  refresh(): undefined {
    return undefined;
  }

  /** @param isIsolated Whether each key belongs to an account; as configured by default. */
  find(accessKeyId: string, isIsolated: boolean = this.isIsolated): KnownKey | undefined {
    return (isIsolated ? this.#isolated : this.#unlimited).get(accessKeyId);
  }
}

/** Creates credentials of one pair, which may do everything. */
export function createCredentials(
  accessKeyId: string,
  secretAccessKey: string,
  account: string = DEFAULT_ACCOUNT,
): Credentials {
  return new ConfiguredCredentials(configuredPair(accessKeyId, secretAccessKey), { account });
}

/** Returns the account of a key where accounts are isolated: its own, unless it names one or administers all of them. */
function accountOf(
  { accessKeyId, user = accessKeyId, account, isAdmin }: ConfiguredKey,
  home: string,
): string {
  return account ?? (isAdmin ? home : derivedAccount(user));
}
