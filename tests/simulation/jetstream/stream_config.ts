/**
 * Configurations of streams: the fields that the simulation acts on, and those that it only keeps.
 * @module
 */

import { invalidConfig, notSimulated, Refused } from "./api_errors.ts";

/** The configuration of a stream, as JetStream's JSON has it, complete with defaults. */
export type Config = {
  readonly name: string;
  readonly subjects?: readonly string[];
  readonly retention: "limits";
  readonly max_consumers: number;
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_age: number;
  readonly max_msgs_per_subject: number;
  readonly max_msg_size: number;
  readonly discard: "old" | "new";
  readonly discard_new_per_subject?: boolean;
  readonly storage: "file" | "memory";
  readonly num_replicas: number;
  readonly duplicate_window: number;
  readonly compression: "none" | "s2";
  readonly allow_direct: boolean;
  readonly mirror_direct: boolean;
  readonly sealed: boolean;
  readonly deny_delete: boolean;
  readonly deny_purge: boolean;
  readonly allow_rollup_hdrs: boolean;
  readonly allow_atomic?: boolean;
  readonly allow_msg_ttl?: boolean;
  readonly first_seq?: number;
  readonly mirror?: { readonly name: string; readonly filter_subject?: string };
  readonly metadata?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
};

/** Nanoseconds for which the server knows the ids of messages. */
const DUPLICATE_WINDOW = 120_000_000_000;

const DEFAULTS = {
  retention: "limits",
  max_consumers: -1,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  discard: "old",
  storage: "file",
  num_replicas: 1,
  compression: "none",
  allow_direct: false,
  mirror_direct: false,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  allow_msg_ttl: false,
  consumer_limits: {},
} as const;

/** Fields that Go leaves out if they are false or nothing. */
const OMITTED = [
  "allow_atomic",
  "discard_new_per_subject",
  "first_seq",
  "no_ack",
  "mirror",
  "sources",
  "placement",
  "description",
];
/** Fields that would change what a stream does in ways that are not simulated. */
const UNKNOWN = [
  "sources",
  "subject_transform",
  "republish",
  "no_ack",
  "allow_msg_counter",
  "allow_msg_schedules",
  "allow_batched",
  "subject_delete_marker_ttl",
  "persist_mode",
];
const UNLIMITED = [
  "max_consumers",
  "max_msgs",
  "max_bytes",
  "max_msgs_per_subject",
  "max_msg_size",
];

/**
 * Returns a configuration with its defaults.
 *
 * @throws Refused
 */
export function complete(sent: Readonly<Record<string, unknown>>): Config {
  for (const field of UNKNOWN) {
    const value = sent[field];
    if (value !== undefined && value !== null && value !== false && value !== 0) {
      throw new Refused(notSimulated(field));
    }
  }
  const config: Record<string, unknown> = { ...DEFAULTS, ...sent };
  if (config["retention"] !== "limits") throw new Refused(notSimulated("retention"));
  for (const field of UNLIMITED) if (config[field] === 0) config[field] = -1;
  if (config["num_replicas"] === 0) config["num_replicas"] = 1;
  if (!config["duplicate_window"]) {
    const age = Number(config["max_age"]);
    if (config["mirror"]) config["duplicate_window"] = 0;
    else config["duplicate_window"] = age > 0 ? Math.min(age, DUPLICATE_WINDOW) : DUPLICATE_WINDOW;
  }
  if (config["subjects"] === undefined && !config["mirror"]) config["subjects"] = [config["name"]];
  if (Array.isArray(config["subjects"]) && config["subjects"].length === 0) {
    delete config["subjects"];
  }
  for (const field of OMITTED) if (!config[field]) delete config[field];
  const checked = config as Config;
  if (checked.deny_purge && checked.allow_rollup_hdrs) {
    throw new Refused(invalidConfig("roll-ups require the purge permission"));
  }
  if (checked.discard_new_per_subject === true) {
    if (checked.discard !== "new") {
      throw new Refused(
        invalidConfig("discard new per subject requires discard new policy to be set"),
      );
    }
    if (checked.max_msgs_per_subject <= 0) {
      throw new Refused(
        invalidConfig("discard new per subject requires max msgs per subject > 0"),
      );
    }
  }
  return checked;
}

/**
 * Returns the configuration of a stream after an update.
 *
 * @throws Refused
 */
export function update(before: Config, config: Config): Config {
  if (config.storage !== before.storage) {
    throw new Refused(invalidConfig("stream configuration update can not change storage type"));
  }
  for (const [field, reason] of FOREVER) {
    if (before[field] === true && config[field] !== true) throw new Refused(invalidConfig(reason));
  }
  if (!config.sealed) return config;
  return {
    ...config,
    max_age: 0,
    discard: "new",
    deny_delete: true,
    deny_purge: true,
    allow_rollup_hdrs: false,
  };
}

/** What cannot be taken back. */
const FOREVER: readonly (readonly [field: string, reason: string])[] = [
  ["sealed", "stream configuration update can not unseal a sealed stream"],
  ["deny_delete", "stream configuration update can not cancel deny message deletes"],
  ["deny_purge", "stream configuration update can not cancel deny purge"],
  ["allow_msg_ttl", "message TTL status can not be disabled"],
];
