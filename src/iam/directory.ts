/**
 * The directory: all entities of IAM at one moment, with the ways to find them.
 * @module
 */

import type {
  AccessKey,
  Account,
  Change,
  Entity,
  EntityKey,
  Group,
  ManagedPolicy,
  User,
} from "./entities.ts";

/** The holder of an access key: a user, or the root of an account. */
export type KeyHolder = {
  readonly key: AccessKey;
  readonly account: Account;
  /** Undefined for the root. */
  readonly user: User | undefined;
};

/** All entities at one moment. It never changes: {@linkcode Directory.with} returns another one. */
export class Directory {
  readonly #entities: ReadonlyMap<string, Entity>;
  readonly #accounts = new Map<string, Account>();
  readonly #keys = new Map<string, KeyHolder>();

  constructor(entities: Iterable<Entity> = []) {
    this.#entities = new Map(Array.from(entities, (entity) => [textOf(keyOf(entity)), entity]));
    for (const { kind, value } of this.#entities.values()) {
      if (kind === "account") this.#accounts.set(value.id, value);
    }
    for (const account of this.#accounts.values()) this.#addKeys(account.keys, account, undefined);
    for (const { kind, value } of this.#entities.values()) {
      if (kind !== "user") continue;
      const account = this.#accounts.get(value.account);
      // A user without an account is what a removal of the account left behind.
      if (account !== undefined) this.#addKeys(value.keys, account, value);
    }
  }

  /** Accounts by number. */
  get accounts(): ReadonlyMap<string, Account> {
    return this.#accounts;
  }

  /** Returns the holder of an access key. */
  holderOf(accessKeyId: string): KeyHolder | undefined {
    return this.#keys.get(accessKeyId);
  }

  /** Returns the user of a name, without regard to case. */
  user(account: string, name: string): User | undefined {
    const found = this.#find({ kind: "user", account, name });
    return found?.kind === "user" ? found.value : undefined;
  }

  /** Returns the group of a name, without regard to case. */
  group(account: string, name: string): Group | undefined {
    const found = this.#find({ kind: "group", account, name });
    return found?.kind === "group" ? found.value : undefined;
  }

  /** Returns the managed policy of a name, without regard to case. */
  policy(account: string, name: string): ManagedPolicy | undefined {
    const found = this.#find({ kind: "policy", account, name });
    return found?.kind === "policy" ? found.value : undefined;
  }

  /** Returns all entities, in no order. */
  entities(): IterableIterator<Entity> {
    return this.#entities.values();
  }

  /** Returns the directory with changes. */
  with(changes: readonly Change[]): Directory {
    const entities = new Map(this.#entities);
    for (const change of changes) {
      if ("put" in change) entities.set(textOf(keyOf(change.put)), change.put);
      else entities.delete(textOf(change.remove));
    }
    return new Directory(entities.values());
  }

  #find(key: EntityKey): Entity | undefined {
    return this.#entities.get(textOf(key));
  }

  #addKeys(keys: readonly AccessKey[], account: Account, user: User | undefined): void {
    for (const key of keys) this.#keys.set(key.id, { key, account, user });
  }
}

/** Returns the key of the record of an entity. */
export function keyOf({ kind, value }: Entity): EntityKey {
  return kind === "account"
    ? { kind, account: value.id, name: "" }
    : { kind, account: value.account, name: value.name.toLowerCase() };
}

function textOf({ kind, account, name }: EntityKey): string {
  return `${kind} ${account} ${name.toLowerCase()}`;
}
