/**
 * `nats-s3 buckets VERB`: shows and changes buckets.
 *
 * To add a verb, add a row to {@linkcode VERBS}; a flag of its own goes into `config/commands.ts`.
 * @module
 */

import { storeOptionsOf } from "../compose.ts";
import { COMMAND_FLAGS, type CommandFlag, type CommandFlagName } from "../config/commands.ts";
import type { Config } from "../config/config.ts";
import { shown } from "../config/shown_text.ts";
import { closeConnection, connect } from "../nats/connection/connection.ts";
import { waitForJetStream } from "../nats/jetstream/availability.ts";
import { createNatsStore, type NatsStore } from "../nats/store.ts";
import { type BucketName, parseBucketName } from "../s3/names.ts";
import type { Log } from "../telemetry/log.ts";

/** The operands and flags of a verb. */
export type VerbInput = {
  readonly operands: readonly string[];
  readonly flags: ReadonlyMap<CommandFlagName, string>;
};

/** The buckets that a verb works on. */
export type VerbContext = {
  readonly store: NatsStore;
  readonly print: (line: string) => void;
};

/** A verb of `nats-s3 buckets`. */
export type Verb = {
  /** Placeholders of the operands; one in brackets may be absent. */
  readonly usage: string;
  readonly help: string;
  readonly flags: readonly CommandFlagName[];
  /**
   * Checks operands and flags, and returns the work.
   *
   * @throws RangeError for the user
   */
  readonly plan: (input: VerbInput) => (context: VerbContext) => Promise<void>;
};

/** The verbs by name. */
export const VERBS: Readonly<Record<string, Verb>> = {
  list: {
    usage: "",
    help: "Lists all buckets",
    flags: ["json"],
    plan: () => async ({ store, print }) => {
      for (const { name } of await store.listBuckets()) print(name);
    },
  },
};

/** The work of a command: it returns the exit code. */
export type Run = (
  config: Config,
  terminal: {
    readonly log: Log;
    readonly print: (line: string) => void;
    readonly fail: (line: string) => void;
  },
) => Promise<number>;

/**
 * Checks the arguments after `nats-s3 buckets` and returns the work.
 *
 * @throws RangeError for the user
 */
export function planBuckets({ operands: [name = "", ...operands], flags }: VerbInput): Run {
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) {
    const problem = name === "" ? "Missing verb" : `Unknown verb${shown(name)}`;
    throw new RangeError(`${problem}: the verbs are ${Object.keys(VERBS).join(", ")}`);
  }
  const placeholders = verb.usage.split(" ").filter((word) => word !== "");
  const required = placeholders.filter((word) => !word.startsWith("["));
  if (operands.length < required.length || operands.length > placeholders.length) {
    throw new RangeError(`Wrong number of operands: ${usageOf(name, verb)}`);
  }
  for (const flag of flags.keys()) {
    if (!verb.flags.includes(flag)) {
      throw new RangeError(`Unexpected flag "--${flag}": ${usageOf(name, verb)}`);
    }
  }
  const work = verb.plan({ operands, flags });
  return (config, terminal) => runVerb(config, terminal, work);
}

/**
 * Parses an operand that names a bucket.
 *
 * @throws RangeError for the user
 */
export function parseBucket(text: string): BucketName {
  try {
    return parseBucketName(text);
  } catch (cause) {
    throw new RangeError(`Cannot use bucket${shown(text)}: it is not the name of a bucket`, {
      cause,
    });
  }
}

/** Returns the text of `nats-s3 buckets --help`. */
export function formatBucketsHelp(): string {
  const verbs = Object.entries(VERBS).map(([name, verb]) => [
    `  ${usageOf(name, verb)}`,
    `        ${verb.help}`,
  ]);
  const flags = (Object.entries(COMMAND_FLAGS) as [string, CommandFlag][])
    .filter(([, { command }]) => command === "buckets")
    .map(([name, { value, help }]) => [
      `  --${name}${value === undefined ? "" : ` ${value}`}`,
      `        ${help}`,
    ]);
  return [
    "Shows and changes buckets. The settings of nats-s3 --help name the NATS servers and the login.",
    "",
    "Verbs:",
    ...verbs.flat(),
    "",
    "Flags:",
    ...flags.flat(),
  ].join("\n");
}

function usageOf(name: string, { usage, flags }: Verb): string {
  const own = flags.map((flag) => {
    const { value }: CommandFlag = COMMAND_FLAGS[flag];
    return `[--${flag}${value === undefined ? "" : ` ${value}`}]`;
  });
  return ["nats-s3 buckets", name, usage, ...own].filter((word) => word !== "").join(" ");
}

async function runVerb(
  config: Config,
  { log, print, fail }: Parameters<Run>[1],
  work: (context: VerbContext) => Promise<void>,
): Promise<number> {
  const connection = await connect(config.nats, { log });
  try {
    await waitForJetStream(connection, config.nats.apiPrefix, { log });
    using store = createNatsStore(connection, { ...storeOptionsOf(config), log });
    await work({ store, print });
    return 0;
  } catch (cause) {
    fail(cause instanceof Error ? cause.message : String(cause));
    return 1;
  } finally {
    await closeConnection(connection);
    await log.flush();
  }
}
