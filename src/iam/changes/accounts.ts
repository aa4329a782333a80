/**
 * Changes of accounts.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html; a new account and its end have no
 * counterpart in IAM.
 * @module
 */

import { isAccountId } from "../../s3/account.ts";
import { type Directory, keyOf } from "../directory.ts";
import type { Account, Change } from "../entities.ts";
import { checkAlias } from "../entity_names.ts";
import { newAccountId, type Sources } from "../identifiers.ts";
import { inUse, invalid, notFound, taken, violates } from "../refusals.ts";
import { accountOf, putAccount } from "./find.ts";

/** Longest name of an account, in characters. */
const MAX_NAME = 50;

/**
 * Plans a new account without keys.
 *
 * @param id Its number; a random one by default.
 * @throws S3Error `ValidationError`, `EntityAlreadyExists`
 */
export function createAccount(
  directory: Directory,
  { id, name }: { readonly id?: string | undefined; readonly name: string },
  { now, random }: Sources,
): readonly Change[] {
  const number = id ?? newAccountId(random);
  if (!isAccountId(number)) throw invalid(`"${number}" is not the number of an account: 12 digits`);
  if (name.trim() === "" || name.length > MAX_NAME) {
    throw violates("name", `Member must have length between 1 and ${MAX_NAME}`);
  }
  for (const account of directory.accounts.values()) {
    if (account.id === number) throw taken(`Account ${number} already exists.`);
    if (account.name.toLowerCase() === name.toLowerCase()) {
      throw taken(`Account with name ${name} already exists.`);
    }
  }
  return [putAccount({ id: number, name, alias: undefined, created: now, keys: [] })];
}

/**
 * Plans the end of an account that has no users, groups and policies.
 *
 * @throws S3Error `NoSuchEntity`, `DeleteConflict`
 */
export function deleteAccount(
  directory: Directory,
  { id }: { readonly id: string },
): readonly Change[] {
  const account = directory.accounts.get(id);
  if (account === undefined) throw notFound(`Account ${id} cannot be found.`);
  const { users, groups, policies } = directory.membersOf(id);
  if (users.length + groups.length + policies.length > 0) {
    throw inUse("Cannot delete entity, must delete users, groups and policies first.");
  }
  return [{ remove: keyOf({ kind: "account", value: account }) }];
}

/** Returns the account of a number, a name or an alias. */
export function findAccount(directory: Directory, text: string): Account | undefined {
  const byId = directory.accounts.get(text);
  if (byId !== undefined) return byId;
  const folded = text.toLowerCase();
  return [...directory.accounts.values()].find(({ name, alias }) =>
    name.toLowerCase() === folded || alias === folded
  );
}

/**
 * Plans the alias of an account, which replaces the one before.
 *
 * @throws S3Error `ValidationError`, `EntityAlreadyExists` if another account has it
 */
export function createAccountAlias(
  directory: Directory,
  { account, alias }: { readonly account: string; readonly alias: string },
  { now }: Pick<Sources, "now">,
): readonly Change[] {
  checkAlias(alias);
  for (const other of directory.accounts.values()) {
    if (other.alias === alias && other.id !== account) {
      throw taken(`The account alias ${alias} already exists.`);
    }
  }
  return [putAccount({ ...accountOf(directory, account, now), alias })];
}

/**
 * Plans the end of the alias of an account.
 *
 * @throws S3Error `NoSuchEntity` for another alias
 */
export function deleteAccountAlias(
  directory: Directory,
  { account, alias }: { readonly account: string; readonly alias: string },
): readonly Change[] {
  const found = directory.accounts.get(account);
  if (found === undefined || found.alias !== alias) {
    throw notFound(`The account alias ${alias} cannot be found.`);
  }
  return [putAccount({ ...found, alias: undefined })];
}
