/**
 * The verbs that change users: add, disable, rotate and remove.
 * @module
 */

import { createAccessKey, deleteAccessKey, keysOf } from "../iam/changes/keys.ts";
import { createUser, deleteUser, setDisabled } from "../iam/changes/users.ts";
import { accountNumber, formatKey, inSteps, newestKey, sourcesNow } from "./iam_operands.ts";
import { keyPrinter, NEW_KEY_FLAGS } from "./new_key.ts";
import type { Verb } from "./verb.ts";

/** `add`: makes a user with an access key. */
export const ADD_USER: Verb = {
  usage: "ACCOUNT USER",
  help:
    "Adds a user without rights, with an access key, and shows the secret, which cannot be shown again",
  flags: ["path", ...NEW_KEY_FLAGS],
  plan({ operands: [text = "", name = ""], flags }) {
    const lines = keyPrinter(flags);
    return async ({ store: { users }, print }) => {
      const account = accountNumber(await users.read(), text);
      const sources = sourcesNow();
      const path = flags.get("path");
      const directory = await users.change(inSteps(
        (d) => createUser(d, { account, name, path }, sources),
        (d) => createAccessKey(d, { account, name }, sources),
      ));
      const key = newestKey(keysOf(directory, { account, name }, sources.now));
      for (const line of lines(key, { account, user: name })) print(line);
    };
  },
};

/** `disable`: lets a user do nothing. */
export const DISABLE_USER: Verb = {
  usage: "ACCOUNT USER",
  help: "Makes gateways refuse every request of a user; keys and policies stay",
  flags: ["undo"],
  plan: ({ operands: [text = "", name = ""], flags }) => async ({ store: { users }, print }) => {
    const account = accountNumber(await users.read(), text);
    const isDisabled = flags.get("undo") !== "true";
    await users.change((d) => setDisabled(d, { account, name, isDisabled }));
    print(`${name}: ${isDisabled ? "disabled" : "enabled"}`);
  },
};

/** `rotate`: gives a user, or the root of an account, a new access key, or takes the older ones away. */
export const ROTATE: Verb = {
  usage: "ACCOUNT [USER]",
  help:
    "Adds an access key to a user, or to the root of an account, and shows the secret, which cannot be shown again; later --finish removes the older keys",
  flags: ["finish", ...NEW_KEY_FLAGS],
  plan({ operands: [text = "", name], flags }) {
    const lines = keyPrinter(flags);
    return async ({ store: { users }, print }) => {
      const account = accountNumber(await users.read(), text);
      const holder = { account, name };
      const sources = sourcesNow();
      if (flags.get("finish") !== "true") {
        const directory = await users.change((d) => createAccessKey(d, holder, sources));
        const key = newestKey(keysOf(directory, holder, sources.now));
        for (const line of lines(key, { account, user: name })) print(line);
        return;
      }
      const directory = await users.change((d) => {
        const older = keysOf(d, holder, sources.now).slice(0, -1);
        return inSteps(
          ...older.map(({ id }) => (now: typeof d) =>
            deleteAccessKey(now, { ...holder, id }, sources)
          ),
        )(d);
      });
      const left = keysOf(directory, holder, sources.now).map(formatKey);
      print(`access key  ${left.join(", ") || "none"}`);
    };
  },
};

/** `remove`: removes a user. */
export const REMOVE_USER: Verb = {
  usage: "ACCOUNT USER",
  help: "Removes a user with all keys, policies and memberships",
  flags: [],
  plan: ({ operands: [text = "", name = ""] }) => async ({ store: { users }, print }) => {
    const account = accountNumber(await users.read(), text);
    await users.change((d) => deleteUser(d, { account, name, force: true }));
    print(`${name}: removed`);
  },
};
