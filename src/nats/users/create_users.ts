/**
 * Creates users on JetStream from settings and the context of buckets.
 * @module
 */

import type { Sealing } from "../../crypto/sealing.ts";
import type { BucketsContext, BucketsObserver, BucketsOptions } from "../buckets/context.ts";
import { secretsOf } from "./secrets.ts";
import { KvUsers } from "./users.ts";

export type { KvUsers };

/** Settings of users. */
export type UserSettings = {
  /** Undefined without `NATS_S3_USERS_KEY`. */
  readonly sealing: Sealing | undefined;
  /** Secrets in the clear are accepted, and written if there is no key (`--users.plaintext`). */
  readonly plaintext: boolean;
  /** An access key of the configuration belongs to an administrator. */
  readonly hasAdministrator: boolean;
};

const NO_SECRETS: UserSettings = { sealing: undefined, plaintext: false, hasAdministrator: false };

/** Creates users, who are looked for when somebody asks for them. */
export function createKvUsers(
  { requests, budget, log }: Pick<BucketsContext, "requests" | "budget" | "log">,
  settings: UserSettings | undefined,
  { replicas, observe }: Pick<BucketsOptions, "replicas"> & {
    readonly observe?: BucketsObserver | undefined;
  },
): KvUsers {
  const { hasAdministrator } = settings ?? NO_SECRETS;
  return new KvUsers({
    requests,
    budget,
    log,
    secrets: secretsOf(settings ?? NO_SECRETS),
    stream: { replicas },
    hasAdministrator,
    unreadable(subject, reason) {
      observe?.unreadable?.("users");
      log.warn("record cannot be read", { kind: "users", subject, reason });
    },
  });
}
