/**
 * `nats-s3 users export` and `import`: all accounts, users, groups and policies as one encrypted file.
 * @module
 */

import { type Directory, keyOf } from "../iam/directory.ts";
import type { Change, Entity } from "../iam/entities.ts";
import { userSubject } from "../nats/layout/user_subjects.ts";
import { formatUserRecord } from "../nats/users/record.ts";
import { secretsOf } from "../nats/users/secrets.ts";
import { wallClock } from "../world/world.ts";
import { type FileKeys, formatUserFile, parseUserFile } from "./user_file.ts";
import type { Verb, VerbContext } from "./verb.ts";

/** Records that are stored together; JetStream stores at most a thousand. */
const AT_ONCE = 400;
const IN_THE_CLEAR = secretsOf({ sealing: undefined, plaintext: true });

/** `export`: prints the encrypted file. */
export const EXPORT: Verb = {
  usage: "",
  help:
    "Prints all accounts, users, groups and policies as an encrypted file, sealed under NATS_S3_USERS_KEY or with NATS_S3_USERS_PASSPHRASE",
  flags: [],
  plan: () => async (context) => {
    const { store: { users }, print } = context;
    const directory = await users.read();
    const { locked, unreadable } = users.counts;
    if (locked + unreadable > 0) {
      throw new RangeError(
        `The file would lack ${locked} access keys that no key opens and ${unreadable} records that cannot be read`,
      );
    }
    print(formatUserFile(directory.entities(), wallClock(), keysOf(context)));
  },
};

/** `import`: reads the encrypted file from the standard input. */
export const IMPORT: Verb = {
  usage: "",
  help: "Reads a file of users export from the standard input and stores what is not there yet",
  flags: ["replace"],
  plan: ({ flags }) => async (context) => {
    const text = await context.readInput();
    const entities = parseUserFile(text, keysOf(context));
    // An account comes before its users, who have no keys without it.
    const sorted = [...entities].sort((a, b) =>
      Number(a.kind !== "account") - Number(b.kind !== "account")
    );
    const isReplacing = flags.get("replace") === "true";
    let stored = 0;
    for (let i = 0; i < sorted.length; i += AT_ONCE) {
      let count = 0; // the plan may be made several times
      await context.store.users.change((directory) => {
        const changes = planImport(directory, sorted.slice(i, i + AT_ONCE), isReplacing);
        count = changes.length;
        return changes;
      });
      stored += count;
    }
    context.print(`${stored} of ${entities.length} records stored`);
  },
};

/**
 * Plans that entities of a file are stored that are not there yet.
 *
 * @param isReplacing Replaces those that differ; without it they are an error.
 * @throws RangeError for the user
 */
export function planImport(
  directory: Directory,
  entities: readonly Entity[],
  isReplacing: boolean,
): readonly Change[] {
  const present = new Map(
    Array.from(directory.entities(), (entity) => [userSubject(keyOf(entity)), textOf(entity)]),
  );
  return entities.flatMap((entity) => {
    checkKeys(directory, entity);
    const known = present.get(userSubject(keyOf(entity)));
    if (known === textOf(entity)) return [];
    if (known !== undefined && !isReplacing) {
      throw new RangeError(`There is another ${describe(entity)}: --replace replaces it`);
    }
    return [{ put: entity }];
  });
}

/** Refuses an access key that somebody else holds. */
function checkKeys(directory: Directory, entity: Entity): void {
  if (entity.kind !== "account" && entity.kind !== "user") return;
  for (const { id } of entity.value.keys) {
    const holder = directory.holderOf(id);
    if (holder === undefined) continue;
    const held = holder.user === undefined
      ? { kind: "account", value: holder.account } as const
      : { kind: "user", value: holder.user } as const;
    if (userSubject(keyOf(held)) === userSubject(keyOf(entity))) continue;
    throw new RangeError(`Access key ${id} of ${describe(entity)} belongs to ${describe(held)}`);
  }
}

function describe({ kind, value }: Entity): string {
  if (kind === "settings") return `settings of account ${value.account}`;
  return kind === "account"
    ? `account ${value.id}`
    : `${kind} ${value.name} of account ${value.account}`;
}

function textOf(entity: Entity): string {
  return formatUserRecord(entity, IN_THE_CLEAR);
}

function keysOf({ config: { users: { sealing, passphrase } } }: VerbContext): FileKeys {
  return { sealing, passphrase };
}
