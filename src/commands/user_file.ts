/**
 * The encrypted file of `nats-s3 users export`: every account, user, group and policy, with the secrets.
 *
 * It is JSON. Its `data` is sealed with AES-256-GCM, under the newest key of `NATS_S3_USERS_KEY`, or under a key that scrypt
 * derives from a passphrase.
 * @module
 */

import { Buffer } from "node:buffer";
import { keyOfPassphrase, SCRYPT } from "../crypto/passphrase.ts";
import { keyIdOf, Sealing } from "../crypto/sealing.ts";
import { keyOf } from "../iam/directory.ts";
import type { Entity } from "../iam/entities.ts";
import { isRecord, parseJson } from "../nats/layout/json.ts";
import { parseUserSubject, userSubject } from "../nats/layout/user_subjects.ts";
import { formatUserRecord, parseUserRecord } from "../nats/users/record.ts";
import { secretsOf } from "../nats/users/secrets.ts";
import { randomBytes } from "../world/world.ts";

/** What seals and opens a file: the keys of the gateways, or a passphrase, which comes first. */
export type FileKeys = {
  readonly sealing: Sealing | undefined;
  readonly passphrase: string | undefined;
};

const FORMAT = "nats-s3 users";
const VERSION = 1;
const SALT_SIZE = 16;
const IN_THE_CLEAR = secretsOf({ sealing: undefined, plaintext: true });

/**
 * Returns the text of a file.
 *
 * @throws RangeError for the user if nothing can seal it
 */
export function formatUserFile(
  entities: Iterable<Entity>,
  created: Date,
  { sealing, passphrase }: FileKeys,
): string {
  const salt = passphrase === undefined ? undefined : Buffer.from(randomBytes(SALT_SIZE));
  const seals = salt === undefined
    ? sealing
    : new Sealing([keyOfPassphrase(passphrase ?? "", salt)]);
  if (seals === undefined) {
    throw new RangeError("Set NATS_S3_USERS_KEY or NATS_S3_USERS_PASSPHRASE, which seals the file");
  }
  const records = Array.from(entities, (entity) => ({
    key: userSubject(keyOf(entity)),
    record: formatUserRecord(entity, IN_THE_CLEAR),
  })).sort((a, b) => a.key < b.key ? -1 : 1);
  const head = {
    format: FORMAT,
    version: VERSION,
    created: created.toISOString(),
    ...(salt !== undefined && { scrypt: { ...SCRYPT, salt: salt.toString("base64") } }),
  };
  const data = seals.seal(JSON.stringify(records), contextOf(head));
  return JSON.stringify({ ...head, data }, null, 2);
}

/**
 * Returns the entities of a file.
 *
 * @throws RangeError for the user
 */
export function parseUserFile(
  text: string,
  { sealing, passphrase }: FileKeys,
): readonly Entity[] {
  const json = parseJson(text);
  if (!isRecord(json) || json["format"] !== FORMAT) {
    throw new RangeError("It is not a file of nats-s3 users export");
  }
  if (json["version"] !== VERSION) throw new RangeError("The file is of a newer version");
  const { data, ...head } = json;
  if (typeof data !== "string") throw new RangeError("The file has no data");
  const opens = head["scrypt"] === undefined ? sealing : sealingOf(head["scrypt"], passphrase);
  if (opens === undefined) {
    throw new RangeError(
      head["scrypt"] === undefined
        ? "The file is sealed under NATS_S3_USERS_KEY, which is not set"
        : "The file is sealed with a passphrase: set NATS_S3_USERS_PASSPHRASE",
    );
  }
  const opened = opens.open(data, contextOf(head));
  if (opened === undefined) {
    throw new RangeError(`The file cannot be opened: key "${keyIdOf(data)}" is another one`);
  }
  const records = parseJson(opened);
  if (!Array.isArray(records)) throw new RangeError("The file does not contain records");
  return records.map(parseEntry);
}

function sealingOf(scrypt: unknown, passphrase: string | undefined): Sealing | undefined {
  if (!isRecord(scrypt) || Object.entries(SCRYPT).some(([name, value]) => scrypt[name] !== value)) {
    throw new RangeError("The file has other parameters of scrypt");
  }
  if (passphrase === undefined || typeof scrypt["salt"] !== "string") return undefined;
  return new Sealing([keyOfPassphrase(passphrase, Buffer.from(scrypt["salt"], "base64"))]);
}

function parseEntry(entry: unknown, index: number): Entity {
  const { key, record } = isRecord(entry) ? entry : {};
  const subject = typeof key === "string" ? parseUserSubject(key) : undefined;
  const parsed = subject !== undefined && typeof record === "string"
    ? parseUserRecord(subject, record, IN_THE_CLEAR)
    : undefined;
  if (parsed?.kind === "record") return parsed.record.entity;
  throw new RangeError(
    `Record ${index + 1} of the file cannot be read: ${parsed?.reason ?? "it has no key"}`,
  );
}

/** Nobody can put the data under another head. */
function contextOf(head: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(head).sort(([a], [b]) => a < b ? -1 : 1));
}
