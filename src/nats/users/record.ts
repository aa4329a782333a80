/**
 * Records of accounts and their settings, users, groups and policies: JSON that anybody may have written, read without an exception.
 *
 * The secret of an access key is sealed (`sealed`), or in the clear where the operator permits it (`secret`).
 * @module
 */

import type {
  AccessKey,
  Account,
  AccountSettings,
  Entity,
  Group,
  ManagedPolicy,
  User,
} from "../../iam/entities.ts";
import { BLOCKS, BLOCKS_NOTHING } from "../../s3/public_access_block.ts";
import { parseRecord } from "../layout/json.ts";
import type { UserRecordKey } from "../layout/user_subjects.ts";
import { Fields, Unreadable } from "./fields.ts";

/** How the secrets of access keys are stored. */
export type Secrets = {
  /** Returns the text to store, and whether it is sealed; undefined if it must not be stored. */
  readonly close: (secret: string, accessKeyId: string) => StoredSecret | undefined;
  /** Returns a secret; undefined if it cannot or must not be used. */
  readonly open: (stored: StoredSecret, accessKeyId: string) => string | undefined;
  /** Returns whether a secret is stored as {@linkcode close} would store it now. */
  readonly isRecent: (stored: StoredSecret) => boolean;
};

/** A secret as it is stored. */
export type StoredSecret = { readonly sealed: string } | { readonly secret: string };

/** A record that was read. */
export type UserRecord = {
  readonly entity: Entity;
  /** Number of access keys that are left out, because nothing opens their secrets. */
  readonly locked: number;
  /** Number of access keys that should be stored again, under the newest key. */
  readonly outdated: number;
};

/** A record's text, parsed. */
export type ParsedRecord =
  | { readonly kind: "record"; readonly record: UserRecord }
  | { readonly kind: "unreadable"; readonly reason: string };

/** Longest text of a record, in characters: a managed policy has five versions of 6,144 characters without blanks. */
const MAX_TEXT = 1024 * 1024;
/** The version of the records. */
const VERSION = 1;

/**
 * Returns the text of a record.
 *
 * @throws TypeError if a secret must not be stored
 */
export function formatUserRecord({ kind, value }: Entity, secrets: Secrets): string {
  switch (kind) {
    case "account":
      return JSON.stringify({ version: VERSION, ...value, keys: formatKeys(value.keys, secrets) });
    case "user":
      return JSON.stringify({
        version: VERSION,
        ...value,
        tags: formatPairs(value.tags),
        inline: formatPairs(value.inline),
        keys: formatKeys(value.keys, secrets),
      });
    case "settings":
      return JSON.stringify({ version: VERSION, ...value });
    case "group":
      return JSON.stringify({ version: VERSION, ...value, inline: formatPairs(value.inline) });
    case "policy":
      return JSON.stringify({ version: VERSION, ...value, tags: formatPairs(value.tags) });
  }
}

function formatKeys(keys: readonly AccessKey[], { close }: Secrets): readonly unknown[] {
  return keys.map(({ id, secret, isActive, created }) => {
    const stored = close(secret, id);
    if (stored === undefined) throw new TypeError("Cannot store a secret without a key to seal it");
    return { id, isActive, created, ...stored };
  });
}

/** Pairs keep their order, which an object does not if names are numbers. */
function formatPairs(map: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...map];
}

/** Parses the text of the record of a key. */
export function parseUserRecord(key: UserRecordKey, text: string, secrets: Secrets): ParsedRecord {
  const json = text.length <= MAX_TEXT ? parseRecord(text) : undefined;
  if (json === undefined) return { kind: "unreadable", reason: "it is not the JSON of an object" };
  const counts = { locked: 0, outdated: 0 };
  try {
    const fields = new Fields(json);
    const version = fields.count("version");
    if (version !== VERSION) throw new Unreadable(`it has version ${version}`);
    const entity = parseEntity(key, fields, (list) => parseKeys(list, secrets, counts));
    return { kind: "record", record: { entity, ...counts } };
  } catch (cause) {
    if (cause instanceof Unreadable) return { kind: "unreadable", reason: cause.message };
    throw cause;
  }
}

type ParseKeys = (list: readonly Fields[]) => readonly AccessKey[];

function parseEntity(key: UserRecordKey, fields: Fields, parseKeys: ParseKeys): Entity {
  switch (key.kind) {
    case "account":
      return { kind: "account", value: parseAccount(key, fields, parseKeys) };
    case "settings":
      return { kind: "settings", value: parseSettings(key, fields) };
    case "user":
      return { kind: "user", value: parseUser(key, fields, parseKeys) };
    case "group":
      return { kind: "group", value: parseGroup(key, fields) };
    case "policy":
      return { kind: "policy", value: parsePolicy(key, fields) };
  }
}

function parseAccount(key: UserRecordKey, fields: Fields, parseKeys: ParseKeys): Account {
  if (fields.text("id") !== key.account) throw new Unreadable("it is that of another account");
  return {
    id: key.account,
    name: fields.text("name"),
    alias: fields.optionalText("alias"),
    created: fields.time("created"),
    keys: parseKeys(fields.list("keys")),
  };
}

function parseSettings(key: UserRecordKey, fields: Fields): AccountSettings {
  if (fields.text("account") !== key.account) throw new Unreadable("it is that of another account");
  const switches = fields.object("publicAccessBlock");
  const publicAccessBlock = { ...BLOCKS_NOTHING };
  for (const name of BLOCKS) publicAccessBlock[name] = switches.flag(name);
  return { account: key.account, publicAccessBlock };
}

function parseNamed(key: UserRecordKey, fields: Fields): Pick<
  Group,
  "account" | "id" | "name" | "path" | "created"
> {
  const name = fields.text("name");
  if (fields.text("account") !== key.account || name.toLowerCase() !== key.name) {
    throw new Unreadable("it has another name or account than its key");
  }
  return {
    account: key.account,
    id: fields.match("id", /^[A-Z0-9]{16,128}$/),
    name,
    path: fields.match("path", /^\/(?:[!-~]{1,510}\/)?$/),
    created: fields.time("created"),
  };
}

function parseUser(key: UserRecordKey, fields: Fields, parseKeys: ParseKeys): User {
  return {
    ...parseNamed(key, fields),
    tags: fields.pairs("tags"),
    keys: parseKeys(fields.list("keys")),
    inline: fields.pairs("inline"),
    attached: fields.texts("attached"),
    groups: fields.texts("groups"),
    boundary: fields.optionalText("boundary"),
    isDisabled: fields.flag("isDisabled"),
  };
}

function parseGroup(key: UserRecordKey, fields: Fields): Group {
  return {
    ...parseNamed(key, fields),
    inline: fields.pairs("inline"),
    attached: fields.texts("attached"),
  };
}

function parsePolicy(key: UserRecordKey, fields: Fields): ManagedPolicy {
  const versions = fields.list("versions").map((version) => ({
    id: version.match("id", /^v[1-9]\d{0,8}$/),
    document: version.text("document"),
    created: version.time("created"),
  }));
  const defaultVersion = fields.text("defaultVersion");
  if (!versions.some(({ id }) => id === defaultVersion)) {
    throw new Unreadable("it lacks its default version");
  }
  return {
    ...parseNamed(key, fields),
    description: fields.optionalText("description"),
    tags: fields.pairs("tags"),
    versions,
    defaultVersion,
    versionCount: fields.count("versionCount"),
    updated: fields.time("updated"),
  };
}

function parseKeys(
  list: readonly Fields[],
  { open, isRecent }: Secrets,
  counts: { locked: number; outdated: number },
): readonly AccessKey[] {
  return list.flatMap((fields) => {
    const id = fields.match("id", /^[\w+=,.@-]{1,128}$/);
    const [isActive, created] = [fields.flag("isActive"), fields.time("created")];
    const sealed = fields.optionalText("sealed");
    const stored = sealed === undefined ? { secret: fields.text("secret") } : { sealed };
    const secret = open(stored, id);
    if (secret === undefined) {
      counts.locked++;
      return [];
    }
    if (!isRecent(stored)) counts.outdated++;
    return [{ id, secret, isActive, created }];
  });
}
