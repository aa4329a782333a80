/**
 * The KV bucket of accounts, users, groups and policies, and the subjects of its records.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-8.md (key-value stores)
 *
 * The keys are `account.<number>`, `settings.<number>` and `user|group|policy.<number>.<base64url of the name in lower case>`, so names that differ
 * only in case have the same record.
 * @module
 */

import { Buffer } from "node:buffer";
import { isAccountId } from "../../s3/account.ts";

/** The stream of the KV bucket `s3-users`. */
export const USERS_STREAM = "KV_s3-users";

const PREFIX = "$KV.s3-users.";

/** All subjects of the stream. */
export const USERS_SUBJECTS = `${PREFIX}>`;

const OF_ACCOUNT = ["account", "settings"] as const;
const NAMED = ["user", "group", "policy"] as const;
/** Longest name, in characters. */
const MAX_NAME = 128;

/** What a record is about. */
export type UserRecordKey = {
  readonly kind: typeof OF_ACCOUNT[number] | typeof NAMED[number];
  /** 12 digits. */
  readonly account: string;
  /** In lower case; "" for an account and its settings. */
  readonly name: string;
};

/** Returns the subject of a record. */
export function userSubject({ kind, account, name }: UserRecordKey): string {
  const token = isOfAccount(kind)
    ? ""
    : `.${Buffer.from(name.toLowerCase()).toString("base64url")}`;
  return `${PREFIX}${kind}.${account}${token}`;
}

/**
 * Reads the subject of a record; returns undefined for any other subject.
 *
 * @example Usage
 * ```ts
 * import { parseUserSubject, userSubject } from "./user_subjects.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const key = { kind: "user", account: "111122223333", name: "alice" } as const;
 * deepStrictEqual(userSubject(key), "$KV.s3-users.user.111122223333.YWxpY2U");
 * deepStrictEqual(parseUserSubject(userSubject(key)), key);
 * ```
 */
export function parseUserSubject(subject: string): UserRecordKey | undefined {
  if (!subject.startsWith(PREFIX)) return undefined;
  const [kind, account = "", token, more] = subject.slice(PREFIX.length).split(".");
  if (!isAccountId(account) || more !== undefined) return undefined;
  if (isOfAccount(kind)) return token === undefined ? { kind, account, name: "" } : undefined;
  const named = NAMED.find((name) => name === kind);
  if (named === undefined || token === undefined) return undefined;
  const key = { kind: named, account, name: Buffer.from(token, "base64url").toString() };
  const isName = /^[\w+=,.@-]+$/.test(key.name) && key.name.length <= MAX_NAME;
  return isName && userSubject(key) === subject ? key : undefined;
}

function isOfAccount(kind: string | undefined): kind is typeof OF_ACCOUNT[number] {
  return (OF_ACCOUNT as readonly (string | undefined)[]).includes(kind);
}
