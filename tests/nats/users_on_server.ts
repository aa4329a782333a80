/**
 * Users of several gateways on one nats-server.
 * @module
 */

import { Buffer } from "node:buffer";
import type { NatsConnection } from "@nats-io/nats-core";
import { parseSealingKeys, Sealing } from "../../src/crypto/sealing.ts";
import { createAccessKey } from "../../src/iam/changes/keys.ts";
import { createUser, deleteUser } from "../../src/iam/changes/users.ts";
import type { Directory } from "../../src/iam/directory.ts";
import type { Change } from "../../src/iam/entities.ts";
import type { Sources } from "../../src/iam/identifiers.ts";
import type { NatsStoreOptions } from "../../src/nats/store.ts";
import type { UserSettings } from "../../src/nats/users/create_users.ts";
import { randomBytes } from "../../src/world/world.ts";
import { call } from "../contract/nats_store.ts";

export const ACCOUNT = "111122223333";
export const STREAM = "KV_s3-users";
/** Milliseconds for which a directory may be used after the leader said that it is current. */
export const LEASE = 1000;

/** Time and randomness of changes. */
export const sources: Sources = { now: new Date("2026-11-28T12:00:00Z"), random: randomBytes };

/** Returns the text of keys that seal secrets, newest first. */
export function sealingOf(...bytes: readonly number[]): Sealing {
  const keys = bytes.map((byte) => `k${byte}:${Buffer.alloc(32, byte).toString("base64")}`);
  return new Sealing(parseSealingKeys(keys.join()));
}

/** Returns store options for users whose secrets are sealed. */
export function withUsers(
  settings: Partial<UserSettings> = {},
  more: Partial<NatsStoreOptions> = {},
): Partial<NatsStoreOptions> {
  const users = { sealing: sealingOf(1), plaintext: false, hasAdministrator: true, ...settings };
  return { users, ...more };
}

/** Plans a user with an access key of the same name. */
export function addUser(name: string): (directory: Directory) => readonly Change[] {
  return (directory) => {
    const user = { account: ACCOUNT, name };
    const created = createUser(directory, user, sources);
    const pair = { id: keyOf(name), secret: `secret of ${name}` };
    return [
      ...created,
      ...createAccessKey(directory.with(created), { ...user, pair }, sources),
    ];
  };
}

/** Plans the end of a user. */
export function removeUser(name: string): (directory: Directory) => readonly Change[] {
  return (directory) => deleteUser(directory, { account: ACCOUNT, name, force: true });
}

/** Returns the id of a user's access key. */
export function keyOf(name: string): string {
  return `AKIAKEYOF${name.toUpperCase()}`;
}

/** Returns the names of all users, sorted. */
export function namesOf(directory: Directory): readonly string[] {
  return directory.membersOf(ACCOUNT).users.map(({ name }) => name);
}

/** Deletes every consumer of the stream of users, and returns their number. */
export async function loseConsumers(connection: NatsConnection): Promise<number> {
  const { consumers } = await call<{ readonly consumers: readonly string[] | null }>(
    connection,
    `CONSUMER.NAMES.${STREAM}`,
  );
  for (const name of consumers ?? []) await call(connection, `CONSUMER.DELETE.${STREAM}.${name}`);
  return consumers?.length ?? 0;
}
