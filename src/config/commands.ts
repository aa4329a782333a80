/**
 * The commands of `nats-s3`, and the flags that belong to one command.
 * @module
 */

/** The commands by the first argument, with their help. */
export const COMMANDS = {
  serve: "Serves S3 on NATS JetStream (the default)",
  sweep: "Scans every bucket once for data left by crashes, frees it and prints a report",
  health: "Checks the gateway that runs at --listen; exits with 0 if it responds",
  buckets: "Shows and changes buckets: see nats-s3 buckets --help",
  accounts: "Shows and adds accounts: see nats-s3 accounts --help",
  users: "Shows and changes users: see nats-s3 users --help",
} as const;
/** A key of {@linkcode COMMANDS}. */
export type Command = keyof typeof COMMANDS;

/** A flag of some commands. It is not a setting, so it has no variable. */
export type CommandFlag = {
  readonly commands: readonly Command[];
  /** Placeholder of the value. A flag without one turns something on. */
  readonly value?: string;
  readonly help: string;
};

/** The flags that belong to some commands, by name. */
export const COMMAND_FLAGS = {
  json: { commands: ["buckets", "accounts", "users"], help: "Prints JSON instead of text" },
  profile: {
    commands: ["accounts", "users"],
    value: "NAME",
    help: "Prints the new key as a profile of this name, to be appended to ~/.aws/credentials",
  },
  id: {
    commands: ["accounts"],
    value: "NUMBER",
    help: "Gives the account this number of 12 digits",
  },
  path: { commands: ["users"], value: "PATH", help: "Gives the user this path, such as /staff/" },
  undo: { commands: ["users"], help: "Lets a disabled user do again what policies allow" },
  finish: { commands: ["users"], help: "Removes all access keys except the newest" },
  attach: { commands: ["users"], value: "ARN", help: "Attaches a managed policy" },
  detach: { commands: ["users"], value: "ARN", help: "Detaches a managed policy" },
  delete: { commands: ["users"], help: "Deletes the inline policy of this name" },
  replace: {
    commands: ["users", "buckets"],
    help: "Replaces entities that are there and differ, or another policy of the bucket",
  },
  context: {
    commands: ["users"],
    value: "KEY=VALUE",
    help:
      "Gives a condition key this value, such as aws:SourceIp=192.0.2.1. May be repeated; a key that is repeated has a list of values",
  },
  "as-of": {
    commands: ["buckets"],
    value: "TIME",
    help:
      "Restores objects as they were at this time, such as 2026-01-31T09:30:00Z, or so long ago: 2h",
  },
  exact: { commands: ["buckets"], help: "Takes the prefix as one key" },
  objects: { commands: ["buckets"], value: "N|none", help: "Limits the number of objects" },
  public: { commands: ["buckets"], help: "Stores the policy that lets everybody read" },
  private: { commands: ["buckets"], help: "Deletes the policy of the bucket" },
} as const satisfies Readonly<Record<string, CommandFlag>>;
/** A key of {@linkcode COMMAND_FLAGS}. */
export type CommandFlagName = keyof typeof COMMAND_FLAGS;

/** The commands that take operands: arguments that are not flags. */
export const COMMANDS_WITH_OPERANDS: readonly Command[] = ["buckets", "accounts", "users"];
