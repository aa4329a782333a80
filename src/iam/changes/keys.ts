/**
 * Changes of access keys, of users and of the roots of accounts.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
 * @module
 */

import type { Directory } from "../directory.ts";
import { type AccessKey, type Change, MAX_ACCESS_KEYS } from "../entities.ts";
import { newAccessKeyId, newSecret, type Sources } from "../identifiers.ts";
import { noSuchKey, overQuota, taken } from "../refusals.ts";
import { accountOf, findUser, putAccount, putUser } from "./find.ts";

/** The holder of a key: a user, or the root of the account if no name is given. */
export type Holder = { readonly account: string; readonly name: string | undefined };

/**
 * Plans a new access key, which is active. The holder then has it as the last of its keys.
 *
 * @param pair The id and the secret, if they are not to be made: those of a key that is taken over from elsewhere.
 * @throws S3Error `NoSuchEntity`, `LimitExceeded`, `EntityAlreadyExists`
 */
export function createAccessKey(
  directory: Directory,
  { pair, ...holder }: Holder & {
    readonly pair?: { readonly id: string; readonly secret: string };
  },
  { now, random }: Sources,
): readonly Change[] {
  const keys = keysOf(directory, holder, now);
  if (keys.length >= MAX_ACCESS_KEYS) {
    const quota = holder.name === undefined ? "AccessKeysPerAccount" : "AccessKeysPerUser";
    throw overQuota(quota, MAX_ACCESS_KEYS);
  }
  const id = pair?.id ?? newAccessKeyId(random);
  if (directory.hasKey(id)) {
    throw taken(`Access Key with id ${id} already exists.`);
  }
  const key = { id, secret: pair?.secret ?? newSecret(random), isActive: true, created: now };
  return [putKeys(directory, holder, [...keys, key], now)];
}

/**
 * Plans that a key is accepted or not.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function updateAccessKey(
  directory: Directory,
  { id, isActive, ...holder }: Holder & { readonly id: string; readonly isActive: boolean },
  { now }: Pick<Sources, "now">,
): readonly Change[] {
  const keys = keysOf(directory, holder, now);
  if (!keys.some((key) => key.id === id)) throw noSuchKey(id);
  const changed = keys.map((key) => key.id === id ? { ...key, isActive } : key);
  return [putKeys(directory, holder, changed, now)];
}

/**
 * Plans the end of a key.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function deleteAccessKey(
  directory: Directory,
  { id, ...holder }: Holder & { readonly id: string },
  { now }: Pick<Sources, "now">,
): readonly Change[] {
  const keys = keysOf(directory, holder, now);
  const others = keys.filter((key) => key.id !== id);
  if (others.length === keys.length) throw noSuchKey(id);
  return [putKeys(directory, holder, others, now)];
}

/**
 * Returns the keys of a holder, oldest first.
 *
 * @throws S3Error `NoSuchEntity`
 */
export function keysOf(
  directory: Directory,
  { account, name }: Holder,
  now: Date,
): readonly AccessKey[] {
  return name === undefined
    ? accountOf(directory, account, now).keys
    : findUser(directory, account, name).keys;
}

function putKeys(
  directory: Directory,
  { account, name }: Holder,
  keys: readonly AccessKey[],
  now: Date,
): Change {
  return name === undefined
    ? putAccount({ ...accountOf(directory, account, now), keys })
    : putUser({ ...findUser(directory, account, name), keys });
}
