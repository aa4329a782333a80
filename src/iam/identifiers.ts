/**
 * The identifiers that IAM makes, of random bytes that the caller brings.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
 * @module
 */

import { Buffer } from "node:buffer";

/** What a change takes from outside: the time, and random bytes. */
export type Sources = {
  readonly now: Date;
  /** Returns this many random bytes, fit for secrets. */
  readonly random: (size: number) => Uint8Array;
};

/** The kinds of stable ids, with their first letters. */
const PREFIXES = { user: "AIDA", group: "AGPA", policy: "ANPA" } as const;

/** Letters and digits of ids: base32 of RFC 4648. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const USER_ID = /^AIDA[A-Z2-7]{17}$/;

/**
 * Returns a new stable id: four letters for its kind, and 17 random characters.
 *
 * @example Usage
 * ```ts
 * import { newEntityId } from "./identifiers.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(newEntityId("user", (size) => new Uint8Array(size)), "AIDAAAAAAAAAAAAAAAAAA");
 * ```
 */
export function newEntityId(kind: keyof typeof PREFIXES, random: Sources["random"]): string {
  return PREFIXES[kind] + characters(17, random);
}

/** Returns whether a text has the form of a user's stable id. */
export function isUserId(text: string): boolean {
  return USER_ID.test(text);
}

/** Returns a new access key id: `AKIA`, and 16 random characters. */
export function newAccessKeyId(random: Sources["random"]): string {
  return `AKIA${characters(16, random)}`;
}

/** Returns a new secret access key: 40 characters of base64, which are 240 random bits. */
export function newSecret(random: Sources["random"]): string {
  return Buffer.from(random(30)).toString("base64");
}

/** Returns a new number of an account: 12 random digits. */
export function newAccountId(random: Sources["random"]): string {
  const number = Buffer.from(random(8)).readBigUInt64BE() % 1_000_000_000_000n;
  return String(number).padStart(12, "0");
}

function characters(count: number, random: Sources["random"]): string {
  // 256 is a multiple of 32, so every character is as likely as any other.
  return Array.from(random(count), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}
