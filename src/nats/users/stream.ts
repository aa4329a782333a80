/**
 * The stream of the KV bucket `s3-users`: made with the first record, and asked for its last sequence.
 * @module
 */

import { pause, wallClock } from "../../world/world.ts";
import { JetStreamCode, JetStreamError } from "../jetstream/errors.ts";
import { stampOf } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import { USERS_STREAM, USERS_SUBJECTS } from "../layout/user_subjects.ts";

/** Settings of the stream when it is made. */
export type UsersStreamSettings = {
  /** Number of copies that JetStream keeps, 1 to 5. */
  readonly replicas: number;
};

/** The state of the stream, as its leader sees it. */
export type UsersState = {
  /** When the stream was created, in JetStream's words. */
  readonly created: string;
  readonly last: number;
  /** When the last message was stored, see `stampOf()`. */
  readonly lastStamp: string;
  readonly messages: number;
  /** The stream keeps one message of each subject, so that none vanishes without a change of the number. */
  readonly keepsOne: boolean;
};

type Info = {
  readonly created: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly cluster?: { readonly leader?: string };
  readonly state: {
    readonly messages: number;
    readonly last_seq: number;
    readonly last_ts: string;
  };
};

/** Sequences begin with the time in microseconds, so they lie far from those of an earlier stream of the same name. */
const SEQUENCES_PER_MS = 1000;
/** Looks at a new stream until it has a leader, and milliseconds between them. */
const LOOKS = 20;
const LOOK_INTERVAL = 200;

/** Asks the leader for the state of the stream; undefined if there is no stream. Throws errors of JetStream. */
export async function readUsersState(
  requests: Pick<Requests, "call">,
): Promise<UsersState | undefined> {
  const info = await readInfo(requests);
  if (info === undefined) return undefined;
  const { created, config, state } = info;
  return {
    created,
    last: state.last_seq,
    lastStamp: stampOf(state.last_ts),
    messages: state.messages,
    keepsOne: config["max_msgs_per_subject"] === 1,
  };
}

/** Makes the stream, unless there is one, and waits until it has a leader. Throws errors of JetStream. */
export async function makeUsersStream(
  requests: Pick<Requests, "call">,
  { replicas }: UsersStreamSettings,
): Promise<void> {
  try {
    await requests.call(`STREAM.CREATE.${USERS_STREAM}`, {
      name: USERS_STREAM,
      description: "Accounts, users, groups and policies of nats-s3",
      subjects: [USERS_SUBJECTS],
      retention: "limits",
      discard: "new",
      storage: "file",
      num_replicas: replicas,
      max_consumers: -1,
      max_msgs: -1,
      max_msgs_per_subject: 1,
      max_bytes: -1,
      max_age: 0,
      max_msg_size: -1,
      allow_rollup_hdrs: true,
      deny_delete: true,
      // A replica may lag behind, and only the leader's answers decide.
      allow_direct: false,
      allow_atomic: true,
      first_seq: wallClock().getTime() * SEQUENCES_PER_MS,
    });
  } catch (cause) {
    const exists = cause instanceof JetStreamError && cause.code === JetStreamCode.StreamNameInUse;
    if (!exists) throw cause;
  }
  for (let look = 1; look < LOOKS; look++) {
    const info = await readInfo(requests);
    if (info !== undefined && (info.cluster === undefined || info.cluster.leader)) return;
    await pause(LOOK_INTERVAL);
  }
}

/** Lets a stream that somebody else made store batches. Throws errors of JetStream. */
export async function allowBatches(requests: Pick<Requests, "call">): Promise<void> {
  const info = await readInfo(requests);
  if (info === undefined) return;
  await requests.call(`STREAM.UPDATE.${USERS_STREAM}`, { ...info.config, allow_atomic: true });
}

async function readInfo(requests: Pick<Requests, "call">): Promise<Info | undefined> {
  try {
    return await requests.call<Info>(`STREAM.INFO.${USERS_STREAM}`);
  } catch (cause) {
    if (cause instanceof JetStreamError && cause.code === JetStreamCode.StreamNotFound) {
      return undefined;
    }
    throw cause;
  }
}
