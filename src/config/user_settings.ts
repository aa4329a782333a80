/**
 * The settings of who may use the gateway, and of the account to which everybody belongs.
 * @module
 */

import { parseCredentials } from "../auth/configured_keys.ts";
import { parseSealingKeys, Sealing } from "../crypto/sealing.ts";
import { DEFAULT_ACCOUNT, isAccountId } from "../s3/account.ts";
import { setting } from "./setting.ts";
import { oneOf, parseBoolean } from "./values.ts";

/** Shortest passphrase, in characters. */
const MIN_PASSPHRASE = 12;
/** When accounts are isolated from each other. */
const ISOLATIONS = ["auto", "on"] as const;

/** Every setting of users, in the order of `--help`. */
export const USER_SETTINGS = {
  credentials: setting({
    flag: "s3.credentials",
    value: "FILE",
    help: "S3 credentials instead of the NATS user and password: " +
      '{"credentials":[{"accessKey":"…","secretKey":"…","user":"…","account":"…","admin":true}]}, the last three optional',
    parse: parseCredentials,
    file: { env: "NATS_S3_CREDENTIALS_FILE", text: "NATS_S3_CREDENTIALS" },
    secret: true,
  }),
  account: setting({
    flag: "users.account",
    value: "NUMBER",
    default: DEFAULT_ACCOUNT,
    help:
      "Account number of 12 digits that owns all buckets, for clients that name the owner they expect",
    parse: parseAccount,
  }),
  usersKey: setting({
    flag: "users.key",
    value: "FILE",
    help:
      "Keys that seal the secrets of users, newest first: [id:]BASE64,… of 32 bytes each. Without it there are only configured keys",
    parse: parseSealing,
    file: { env: "NATS_S3_USERS_KEY_FILE", text: "NATS_S3_USERS_KEY" },
    secret: true,
  }),
  plaintext: setting({
    flag: "users.plaintext",
    default: "false",
    help:
      "Accepts secrets of users that are stored in the clear, and stores them so if there is no key to seal them",
    parse: parseBoolean,
  }),
  passphrase: setting({
    flag: "users.passphrase",
    value: "FILE",
    help: "Passphrase that encrypts the file of nats-s3 users export, instead of --users.key",
    parse: parsePassphrase,
    file: { env: "NATS_S3_USERS_PASSPHRASE_FILE", text: "NATS_S3_USERS_PASSPHRASE" },
    secret: true,
  }),
  isolation: setting({
    flag: "users.isolation",
    value: ISOLATIONS.join("|"),
    default: "auto",
    help:
      "Whether each access key belongs to an account; auto does so as soon as an entry of the credentials says user, account or admin, or the first account is made",
    parse: oneOf(ISOLATIONS),
  }),
} as const;

/** Parses keys that seal secrets. */
function parseSealing(text: string): Sealing {
  return new Sealing(parseSealingKeys(text));
}

/** Parses a passphrase, without the end of its line. */
function parsePassphrase(text: string): string {
  const passphrase = text.trimEnd();
  if (passphrase.length < MIN_PASSPHRASE) {
    throw new RangeError(`it has fewer than ${MIN_PASSPHRASE} characters`);
  }
  return passphrase;
}

/** Parses the number of an account. */
function parseAccount(text: string): string {
  if (!isAccountId(text)) throw new RangeError("it is not a number of 12 digits");
  return text;
}
