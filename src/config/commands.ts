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
} as const;
/** A key of {@linkcode COMMANDS}. */
export type Command = keyof typeof COMMANDS;

/** A flag of one command. It is not a setting, so it has no variable. */
export type CommandFlag = {
  readonly command: Command;
  /** Placeholder of the value. A flag without one turns something on. */
  readonly value?: string;
  readonly help: string;
};

/** The flags that belong to one command, by name. */
export const COMMAND_FLAGS = {
  json: { command: "buckets", help: "Prints JSON instead of text" },
  objects: { command: "buckets", value: "N|none", help: "Limits the number of objects" },
  public: { command: "buckets", help: "Stores the policy that lets everybody read" },
  private: { command: "buckets", help: "Deletes the policy of the bucket" },
} as const satisfies Readonly<Record<string, CommandFlag>>;
/** A key of {@linkcode COMMAND_FLAGS}. */
export type CommandFlagName = keyof typeof COMMAND_FLAGS;

/** The commands that take operands: arguments that are not flags. */
export const COMMANDS_WITH_OPERANDS: readonly Command[] = ["buckets"];
