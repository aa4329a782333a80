/**
 * Accounts, users, groups, access keys and policies in the KV bucket `s3-users`.
 *
 * Changes are serial on all gateways: each expects that the stream still ends where the directory ends that it was planned on.
 * So names are unique and limits hold without a lock. A change of several records is one batch, which is stored as a whole or
 * not at all.
 * @module
 */

import { type Directory, keyOf } from "../../iam/directory.ts";
import type { Change } from "../../iam/entities.ts";
import { S3Error } from "../../s3/errors.ts";
import type { Users } from "../../store/users.ts";
import type { BatchMessage } from "../jetstream/messages.ts";
import { userSubject } from "../layout/user_subjects.ts";
import { translateErrors } from "../s3_errors.ts";
import { commitRecords } from "./commit.ts";
import { type LeaseContext, UsersLease } from "./lease.ts";
import type { Reading, ReadingCounts } from "./reading.ts";
import { formatUserRecord } from "./record.ts";
import { makeUsersStream, type UsersStreamSettings } from "./stream.ts";

/** What users on JetStream work with. */
export type KvUsersContext = LeaseContext & {
  readonly stream: UsersStreamSettings;
  /** Somebody administers all accounts. Without that there cannot be a first account, with which isolation begins. */
  readonly hasAdministrator: boolean;
};

/** Attempts at a change that others overtake. */
const ATTEMPTS = 20;
/** Records that are sealed again in one change. */
const SEALED_AT_ONCE = 100;
const NO_COUNTS: ReadingCounts = { usable: 0, locked: 0, outdated: 0, unreadable: 0 };

/** Users on JetStream, until they are disposed. */
export class KvUsers implements Users, Disposable {
  readonly #context: KvUsersContext;
  readonly #lease: UsersLease;
  /** Ends when all changes of this gateway so far have ended. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: KvUsersContext) {
    this.#context = context;
    this.#lease = new UsersLease(context);
  }

  /** Numbers of access keys and records. */
  get counts(): ReadingCounts {
    return this.#lease.reading?.counts ?? NO_COUNTS;
  }

  current(): Directory | undefined {
    return this.#lease.current();
  }

  read(): Promise<Directory> {
    return this.#lease.read();
  }

  change(plan: (directory: Directory) => readonly Change[]): Promise<Directory> {
    const work = this.#turn.then(() => translateErrors(this.#change(plan)));
    this.#turn = work.catch(() => {});
    return work;
  }

  /** Seals secrets again that are not sealed under the newest key, some at a time. Returns the number of changed records. */
  async reseal(): Promise<number> {
    await this.read();
    let count = 0;
    if (this.counts.outdated > 0) {
      await this.change(() => {
        const records = this.#lease.reading?.records() ?? [];
        const outdated = records.filter(({ locked, outdated }) => outdated > 0 && locked === 0)
          .slice(0, SEALED_AT_ONCE);
        count = outdated.length;
        return outdated.map(({ entity }) => ({ put: entity }));
      });
    }
    return count;
  }

  [Symbol.dispose](): void {
    this.#lease[Symbol.dispose]();
  }

  async #change(plan: (directory: Directory) => readonly Change[]): Promise<Directory> {
    const { requests, stream } = this.#context;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const directory = await this.read();
      const { reading, last, isDenied } = this.#lease;
      const changes = plan(directory);
      if (changes.length === 0) return directory;
      if (isDenied) throw denied("NATS does not permit the gateway to keep users.");
      this.#checkFirst(directory, changes);
      // Of several changes of one record, the last one counts.
      const messages = new Map(changes.map((change) => {
        const message = this.#messageOf(change, reading);
        return [message.subject, message];
      }));
      if (reading === undefined) {
        await makeUsersStream(requests, stream);
        this.#lease.doubt();
        continue;
      }
      const isStored = await commitRecords(requests, [...messages.values()], last);
      this.#lease.doubt();
      if (isStored) return await this.read().catch(() => directory.with(changes));
    }
    throw new S3Error("ServiceUnavailable", {}, { headers: { "Retry-After": "2" } });
  }

  #checkFirst(directory: Directory, changes: readonly Change[]): void {
    if (directory.accounts.size > 0 || this.#context.hasAdministrator) return;
    const isFirst = changes.some((change) => "put" in change && change.put.kind === "account");
    if (!isFirst) return;
    throw denied(
      "There cannot be a first account, because no access key of the configuration belongs to an administrator.",
    );
  }

  #messageOf(change: Change, reading: Reading | undefined): BatchMessage {
    const { secrets } = this.#context;
    if (secrets.close("", "") === undefined) {
      throw denied("Users cannot be changed: NATS_S3_USERS_KEY, which seals secrets, is not set.");
    }
    if ("remove" in change) {
      return { subject: userSubject(change.remove), data: "", isRemoval: true };
    }
    const subject = userSubject(keyOf(change.put));
    if (reading?.isUnreadable(subject) === true) {
      throw denied("The record cannot be changed, because it cannot be read.");
    }
    if ((reading?.record(subject)?.locked ?? 0) > 0) {
      throw denied("The record cannot be changed: no key of NATS_S3_USERS_KEY opens its secrets.");
    }
    return { subject, data: formatUserRecord(change.put, secrets) };
  }
}

function denied(message: string): S3Error {
  return new S3Error("AccessDenied", {}, { message });
}
