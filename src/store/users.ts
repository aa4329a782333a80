/**
 * The part of a store that keeps accounts, users, groups, access keys and policies.
 * @module
 */

import type { Directory } from "../iam/directory.ts";
import type { Change } from "../iam/entities.ts";

/** Everything that IAM keeps, as one directory that changes as a whole. */
export interface Users {
  /**
   * Returns the directory if it is known to be current: a change on any gateway is in it within a second. Undefined if it
   * must be asked for with {@linkcode read}.
   */
  current(): Directory | undefined;
  /**
   * Returns the directory as of at most a second ago.
   *
   * @throws S3Error `ServiceUnavailable` if JetStream does not say within two seconds that it is current
   */
  read(): Promise<Directory>;
  /**
   * Changes the directory. Changes are serial: `plan` sees every change before it, and is called again if another one came
   * in between.
   *
   * @param plan Returns the records to change, none for nothing; what it throws is thrown.
   * @returns The directory with the changes, which is in force on this gateway.
   * @throws S3Error `ServiceUnavailable`; `AccessDenied` with the reason if secrets cannot be sealed
   */
  change(plan: (directory: Directory) => readonly Change[]): Promise<Directory>;
}
