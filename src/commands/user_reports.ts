/**
 * The verbs that show users: list and show.
 * @module
 */

import { arnOf } from "../iam/arns.ts";
import { findUser } from "../iam/changes/find.ts";
import type { Directory } from "../iam/directory.ts";
import type { User } from "../iam/entities.ts";
import { accountNumber, formatKey, formatRows, keyToJson } from "./iam_operands.ts";
import type { Verb } from "./verb.ts";

/** `list`: shows the users of one account, or of all. */
export const LIST_USERS: Verb = {
  usage: "[ACCOUNT]",
  help: "Lists the users of one account, or of all",
  flags: ["json"],
  plan: ({ operands: [text], flags }) => async ({ store: { users }, print }) => {
    const directory = await users.read();
    const accounts = text === undefined
      ? [...directory.accounts.keys()].sort()
      : [accountNumber(directory, text)];
    const found = accounts.flatMap((account) => directory.membersOf(account).users);
    if (flags.get("json") === "true") {
      print(JSON.stringify(found.map((user) => toJson(directory, user)), null, 2));
      return;
    }
    const rows = found.map(({ account, name, path, keys, isDisabled }) => [
      account,
      name,
      path,
      String(keys.length),
      isDisabled ? "disabled" : "enabled",
    ]);
    for (const line of formatRows(["ACCOUNT", "USER", "PATH", "KEYS", "STATE"], rows)) print(line);
  },
};

/** `show`: shows one user. */
export const SHOW_USER: Verb = {
  usage: "ACCOUNT USER",
  help: "Shows one user with keys, groups and policies",
  flags: ["json"],
  plan: ({ operands: [text = "", name = ""], flags }) => async ({ store: { users }, print }) => {
    const directory = await users.read();
    const user = findUser(directory, accountNumber(directory, text), name);
    if (flags.get("json") === "true") {
      print(JSON.stringify(toJson(directory, user), null, 2));
      return;
    }
    const list = (texts: Iterable<string>): string => [...texts].join(", ") || "none";
    for (
      const [name, value] of [
        ["account", user.account],
        ["user", user.name],
        ["arn", arnOf("user", user)],
        ["id", user.id],
        ["created", user.created.toISOString()],
        ["state", user.isDisabled ? "disabled" : "enabled"],
        ["keys", list(user.keys.map(formatKey))],
        ["groups", list(groupsOf(directory, user))],
        ["inline", list(user.inline.keys())],
        ["attached", list(user.attached)],
        ["boundary", user.boundary ?? "none"],
        ["tags", list(Array.from(user.tags, ([key, value]) => `${key}=${value}`))],
      ] as const
    ) print(`${name.padEnd(10)} ${value}`);
  },
};

function groupsOf(directory: Directory, { account, groups }: User): readonly string[] {
  return directory.membersOf(account).groups.filter(({ id }) => groups.includes(id))
    .map(({ name }) => name);
}

function toJson(directory: Directory, user: User): Readonly<Record<string, unknown>> {
  return {
    account: user.account,
    user: user.name,
    arn: arnOf("user", user),
    id: user.id,
    created: user.created.toISOString(),
    disabled: user.isDisabled,
    keys: user.keys.map(keyToJson),
    groups: groupsOf(directory, user),
    inline: [...user.inline.keys()],
    attached: user.attached,
    boundary: user.boundary ?? null,
    tags: Object.fromEntries(user.tags),
  };
}
