/**
 * The access keys that the configuration names: a JSON document, or the pair of the NATS login.
 * @module
 */

import { isAccountId } from "../s3/account.ts";

/** A configured access key. */
export type ConfiguredKey = {
  readonly accessKeyId: string;
  /** Two during a rotation. */
  readonly secrets: readonly string[];
  /** Keys of the same user share an account; undefined if the entry names none. */
  readonly user: string | undefined;
  /** 12 digits; undefined if the entry names none. */
  readonly account: string | undefined;
  /** It is a key of an administrator, who is root of every account. */
  readonly isAdmin: boolean;
};

/** All configured access keys. */
export type ConfiguredKeys = {
  readonly keys: readonly ConfiguredKey[];
  readonly from: "document" | "pair";
  /** An entry says `user`, `account` or `admin`, so that each key belongs to an account. */
  readonly isIsolated: boolean;
};

/** Maximum number of secrets of one access key id at a time: the old one and the new one. */
const MAX_SECRETS = 2;

/** Returns the pair of the NATS login, which belongs to an administrator. */
export function configuredPair(accessKeyId: string, secretAccessKey: string): ConfiguredKeys {
  const secrets = [secretAccessKey];
  const key = { accessKeyId, secrets, user: undefined, account: undefined, isAdmin: true };
  return { keys: [key], from: "pair", isIsolated: false };
}

/**
 * Parses a JSON document of credentials. An access key that is named twice has two valid secrets.
 *
 * @example Usage
 * ```ts
 * import { parseCredentials } from "./configured_keys.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const { keys } = parseCredentials('{"credentials":[{"accessKey":"alice","secretKey":"s3cret","admin":true}]}');
 * deepStrictEqual(keys.map(({ accessKeyId, isAdmin }) => [accessKeyId, isAdmin]), [["alice", true]]);
 * ```
 *
 * @throws SyntaxError for text that is not JSON; the message never quotes the document, which holds secrets
 * @throws TypeError for another shape, or an empty list
 */
export function parseCredentials(json: string): ConfiguredKeys {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    // Without the cause, because the runtime's message quotes the text around the mistake.
    throw new SyntaxError("Cannot parse credentials: the document is not valid JSON");
  }
  const entries = field(document, "credentials");
  if (!Array.isArray(entries)) {
    throw new TypeError('Cannot parse credentials: "credentials" is not a list');
  }
  if (entries.length === 0) throw new TypeError("Cannot parse credentials: the list is empty");
  const keys = new Map<string, ConfiguredKey>();
  for (const [i, entry] of entries.entries()) {
    const key = parseEntry(entry, i);
    const known = keys.get(key.accessKeyId);
    keys.set(key.accessKeyId, known === undefined ? key : withSecret(known, key));
  }
  const says = (name: string): boolean => entries.some((entry) => field(entry, name) !== undefined);
  return {
    keys: [...keys.values()],
    from: "document",
    isIsolated: ["user", "account", "admin"].some(says),
  };
}

function parseEntry(entry: unknown, index: number): ConfiguredKey {
  const refuse = (name: string, is: string): TypeError =>
    new TypeError(`Cannot parse credentials: "${name}" of entry ${index + 1} is not ${is}`);
  const text = (name: string): string | undefined => {
    const value = field(entry, name);
    if (value === undefined) return undefined;
    if (typeof value !== "string" || value === "") throw refuse(name, "a non-empty string");
    return value;
  };
  const required = (name: string): string => {
    const value = text(name);
    if (value === undefined) throw refuse(name, "a non-empty string");
    return value;
  };
  const accessKeyId = required("accessKey");
  const secrets = [required("secretKey")];
  const user = text("user");
  const account = text("account");
  if (account !== undefined && !isAccountId(account)) throw refuse("account", "12 digits");
  const isAdmin = field(entry, "admin") ?? false;
  if (typeof isAdmin !== "boolean") throw refuse("admin", "true or false");
  return { accessKeyId, secrets, user, account, isAdmin };
}

function withSecret(known: ConfiguredKey, { secrets, ...key }: ConfiguredKey): ConfiguredKey {
  const subject = `Cannot parse credentials: access key "${known.accessKeyId}" has`;
  if (known.secrets.length === MAX_SECRETS) {
    throw new TypeError(`${subject} more than ${MAX_SECRETS} secrets`);
  }
  const isSame = known.user === key.user && known.account === key.account &&
    known.isAdmin === key.isAdmin;
  if (!isSame) throw new TypeError(`${subject} two users, accounts or values of "admin"`);
  return { ...known, secrets: [...known.secrets, ...secrets] };
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
