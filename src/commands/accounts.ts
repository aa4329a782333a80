/**
 * `nats-s3 accounts`: adds accounts, and shows them.
 * @module
 */

import { createAccount, findAccount } from "../iam/changes/accounts.ts";
import { createAccessKey } from "../iam/changes/keys.ts";
import type { Directory } from "../iam/directory.ts";
import type { Account } from "../iam/entities.ts";
import { newAccountId } from "../iam/identifiers.ts";
import { isAccountId } from "../s3/account.ts";
import { randomBytes } from "../world/world.ts";
import {
  formatKey,
  formatRows,
  inSteps,
  keyToJson,
  newestKey,
  sourcesNow,
} from "./iam_operands.ts";
import { keyPrinter, NEW_KEY_FLAGS } from "./new_key.ts";
import type { Verb } from "./verb.ts";

/** `add`: makes an account, and an access key of its root. */
export const ADD_ACCOUNT: Verb = {
  usage: "NAME",
  help:
    "Adds an account with an access key of its root, and shows the secret, which cannot be shown again",
  flags: ["id", ...NEW_KEY_FLAGS],
  plan({ operands: [name = ""], flags }) {
    const id = flags.get("id") ?? newAccountId(randomBytes);
    if (!isAccountId(id)) throw new RangeError(`Cannot use --id "${id}": it is not 12 digits`);
    const lines = keyPrinter(flags);
    return async ({ store: { users }, print }) => {
      const sources = sourcesNow();
      const directory = await users.change(inSteps(
        (d) => createAccount(d, { id, name }, sources),
        (d) => createAccessKey(d, { account: id, name: undefined }, sources),
      ));
      const key = newestKey(directory.accounts.get(id)?.keys ?? []);
      for (const line of lines(key, { account: id, name })) print(line);
    };
  },
};

/** `list`: shows all accounts. */
export const LIST_ACCOUNTS: Verb = {
  usage: "",
  help: "Lists all accounts that were made, with the number of their users",
  flags: ["json"],
  plan: ({ flags }) => async ({ store: { users }, print }) => {
    const directory = await users.read();
    const accounts = [...directory.accounts.values()].sort((a, b) => a.id < b.id ? -1 : 1);
    if (flags.get("json") === "true") {
      print(JSON.stringify(accounts.map((account) => toJson(directory, account)), null, 2));
      return;
    }
    const rows = accounts.map(({ id, name, alias = "-" }) => [
      id,
      name,
      alias,
      String(directory.membersOf(id).users.length),
    ]);
    for (const line of formatRows(["ACCOUNT", "NAME", "ALIAS", "USERS"], rows)) print(line);
  },
};

/** `show`: shows one account. */
export const SHOW_ACCOUNT: Verb = {
  usage: "ACCOUNT",
  help: "Shows one account, the access keys of its root and its users, groups and policies",
  flags: ["json"],
  plan: ({ operands: [text = ""], flags }) => async ({ store: { users }, print }) => {
    const directory = await users.read();
    const account = findAccount(directory, text);
    if (account === undefined) throw new RangeError(`There is no account "${text}"`);
    if (flags.get("json") === "true") {
      print(JSON.stringify(toJson(directory, account), null, 2));
      return;
    }
    const members = directory.membersOf(account.id);
    const names = (list: readonly { readonly name: string }[]): string =>
      list.map(({ name }) => name).join(", ") || "none";
    for (
      const [name, value] of [
        ["account", account.id],
        ["name", account.name],
        ["alias", account.alias ?? "none"],
        ["created", account.created.toISOString()],
        ["root's keys", account.keys.map(formatKey).join(", ") || "none"],
        ["users", names(members.users)],
        ["groups", names(members.groups)],
        ["policies", names(members.policies)],
      ] as const
    ) print(`${name.padEnd(12)} ${value}`);
  },
};

function toJson(directory: Directory, account: Account): Readonly<Record<string, unknown>> {
  const { users, groups, policies } = directory.membersOf(account.id);
  const names = (list: readonly { readonly name: string }[]): readonly string[] =>
    list.map(({ name }) => name);
  return {
    account: account.id,
    name: account.name,
    alias: account.alias ?? null,
    created: account.created.toISOString(),
    keys: account.keys.map(keyToJson),
    users: names(users),
    groups: names(groups),
    policies: names(policies),
  };
}
