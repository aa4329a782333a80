/**
 * The directory: all entities of IAM at one moment, with the ways to find them.
 * @module
 */

import { BLOCKS_EVERYTHING, type PublicAccessBlock } from "../s3/public_access_block.ts";
import { AMAZON_POLICIES } from "./amazon_policies.ts";
import { AMAZON, arnOf, parsePolicyArn } from "./arns.ts";
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

/** What an account has. */
export type Members = {
  readonly users: readonly User[];
  readonly groups: readonly Group[];
  readonly policies: readonly ManagedPolicy[];
};

/** All entities at one moment. It never changes: {@linkcode Directory.with} returns another one. */
export class Directory {
  readonly #entities: ReadonlyMap<string, Entity>;
  /** Entities that there are, although nobody can read them. */
  readonly #unreadable: ReadonlyMap<string, EntityKey>;
  readonly #accounts = new Map<string, Account>();
  /** Holders of access keys; undefined for a key that several records claim. */
  readonly #keys = new Map<string, KeyHolder | undefined>();
  /** Made when it is first asked for. */
  #members: ReadonlyMap<string, Members> | undefined;

  /** @param unreadable Entities whose records nobody can read. */
  constructor(entities: Iterable<Entity> = [], unreadable: Iterable<EntityKey> = []) {
    this.#entities = new Map(Array.from(entities, (entity) => [textOf(keyOf(entity)), entity]));
    this.#unreadable = new Map(Array.from(unreadable, (key) => [textOf(key), key]));
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

  /** Whether there is an account, be it one that nobody can read. */
  get hasAccounts(): boolean {
    return this.#accounts.size > 0 ||
      this.#unreadable.values().some(({ kind }) => kind === "account");
  }

  /** Returns the holder of an access key. A key that several records claim, which nobody but a native client makes, has none. */
  holderOf(accessKeyId: string): KeyHolder | undefined {
    return this.#keys.get(accessKeyId);
  }

  /** Returns whether somebody has an access key. */
  hasKey(accessKeyId: string): boolean {
    return this.#keys.has(accessKeyId);
  }

  /** Returns the user of a name, without regard to case. */
  user(account: string, name: string): User | undefined {
    const found = this.#find({ kind: "user", account, name });
    return found?.kind === "user" ? found.value : undefined;
  }

  /** Returns the user of a stable id, in any account. */
  userOfId(id: string): User | undefined {
    for (const { kind, value } of this.#entities.values()) {
      if (kind === "user" && value.id === id) return value;
    }
    return undefined;
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

  /** Returns the public access block of an account; undefined if it has none. One that nobody can read blocks everything. */
  blockOf(account: string): PublicAccessBlock | undefined {
    const key = { kind: "settings", account, name: "" } as const;
    const found = this.#find(key);
    if (found?.kind === "settings") return found.value.publicAccessBlock;
    return this.#unreadable.has(textOf(key)) ? BLOCKS_EVERYTHING : undefined;
  }

  /** Returns the managed policy of an ARN: one of an account, or one that Amazon manages. */
  policyOf(arn: string): ManagedPolicy | undefined {
    const located = parsePolicyArn(arn);
    if (located === undefined) return undefined;
    const { account, name } = located;
    const policy = account === AMAZON ? AMAZON_POLICIES.get(name) : this.policy(account, name);
    return policy !== undefined && arnOf("policy", policy) === arn ? policy : undefined;
  }

  /** Returns the users, groups and managed policies of an account, each in the order of their names. */
  membersOf(account: string): Members {
    this.#members ??= membersByAccount(this.#entities.values());
    return this.#members.get(account) ?? { users: [], groups: [], policies: [] };
  }

  /** Returns all entities, in no order. */
  entities(): IterableIterator<Entity> {
    return this.#entities.values();
  }

  /** Returns the directory with changes. */
  with(changes: readonly Change[]): Directory {
    const entities = new Map(this.#entities);
    const unreadable = new Map(this.#unreadable);
    for (const change of changes) {
      const key = textOf("put" in change ? keyOf(change.put) : change.remove);
      unreadable.delete(key);
      if ("put" in change) entities.set(key, change.put);
      else entities.delete(key);
    }
    return new Directory(entities.values(), unreadable.values());
  }

  #find(key: EntityKey): Entity | undefined {
    return this.#entities.get(textOf(key));
  }

  #addKeys(keys: readonly AccessKey[], account: Account, user: User | undefined): void {
    for (const key of keys) {
      this.#keys.set(key.id, this.#keys.has(key.id) ? undefined : { key, account, user });
    }
  }
}

/** Returns the key of the record of an entity. */
export function keyOf({ kind, value }: Entity): EntityKey {
  if (kind === "account") return { kind, account: value.id, name: "" };
  const { account } = value;
  return { kind, account, name: kind === "settings" ? "" : value.name.toLowerCase() };
}

function textOf({ kind, account, name }: EntityKey): string {
  return `${kind} ${account} ${name.toLowerCase()}`;
}

function membersByAccount(entities: Iterable<Entity>): ReadonlyMap<string, Members> {
  const members = new Map<string, { users: User[]; groups: Group[]; policies: ManagedPolicy[] }>();
  for (const { kind, value } of entities) {
    if (kind === "account" || kind === "settings") continue;
    const { account } = value;
    const own = members.get(account) ?? { users: [], groups: [], policies: [] };
    members.set(account, own);
    if (kind === "user") own.users.push(value);
    else if (kind === "group") own.groups.push(value);
    else own.policies.push(value);
  }
  for (const { users, groups, policies } of members.values()) {
    users.sort(byName);
    groups.sort(byName);
    policies.sort(byName);
  }
  return members;
}

/** Compares by name without regard to case, as names are unique. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  const [x, y] = [a.name.toLowerCase(), b.name.toLowerCase()];
  return x < y ? -1 : Number(x > y);
}
