/**
 * `nats-s3 buckets VERB`, `nats-s3 accounts VERB` and `nats-s3 users VERB`: show and change buckets, accounts and users
 * without a running gateway.
 *
 * To add a verb, add a row to {@linkcode VERBS}; a flag of its own goes into `config/commands.ts`.
 * @module
 */

import { storeOptionsOf } from "../compose.ts";
import { type Command, COMMAND_FLAGS, type CommandFlag } from "../config/commands.ts";
import type { Config } from "../config/config.ts";
import { formatHelp } from "../config/help.ts";
import { shown } from "../config/shown_text.ts";
import { closeConnection, connect, type NatsConnection } from "../nats/connection/connection.ts";
import { isFull, JetStreamCode, JetStreamError } from "../nats/jetstream/errors.ts";
import { waitForJetStream } from "../nats/jetstream/availability.ts";
import { createNatsStore } from "../nats/store.ts";
import { isS3Error } from "../s3/errors.ts";
import type { Log } from "../telemetry/log.ts";
import { COMPRESSION, PLACEMENT, QUOTA, REPLICAS } from "./bucket_changes.ts";
import { OWNER } from "./bucket_owner.ts";
import { LIST, SHOW } from "./bucket_reports.ts";
import { LIFECYCLE } from "./bucket_lifecycle.ts";
import { RESTORE } from "./bucket_restore.ts";
import { USAGE } from "./bucket_usage.ts";
import { VERSIONS } from "./bucket_versions.ts";
import { ADD_ACCOUNT, LIST_ACCOUNTS, SHOW_ACCOUNT } from "./accounts.ts";
import { ADD_USER, DISABLE_USER, REMOVE_USER, ROTATE } from "./user_changes.ts";
import { CHECK } from "./user_check.ts";
import { EXPLAIN } from "./user_explain.ts";
import { EXPORT, IMPORT } from "./user_export.ts";
import { POLICY } from "./user_policy.ts";
import { LIST_USERS, SHOW_USER } from "./user_reports.ts";
import type { Verb, VerbContext, VerbInput } from "./verb.ts";
import { WEBSITE } from "./bucket_website.ts";

/** The commands that have verbs. */
export type VerbCommand = "buckets" | "accounts" | "users";

/** The verbs of each command by name. */
export const VERBS: Readonly<Record<VerbCommand, Readonly<Record<string, Verb>>>> = {
  buckets: {
    list: LIST,
    show: SHOW,
    quota: QUOTA,
    replicas: REPLICAS,
    compression: COMPRESSION,
    placement: PLACEMENT,
    owner: OWNER,
    website: WEBSITE,
    usage: USAGE,
    lifecycle: LIFECYCLE,
    versions: VERSIONS,
    restore: RESTORE,
  },
  accounts: { add: ADD_ACCOUNT, list: LIST_ACCOUNTS, show: SHOW_ACCOUNT },
  users: {
    add: ADD_USER,
    list: LIST_USERS,
    show: SHOW_USER,
    disable: DISABLE_USER,
    rotate: ROTATE,
    remove: REMOVE_USER,
    policy: POLICY,
    check: CHECK,
    explain: EXPLAIN,
    export: EXPORT,
    import: IMPORT,
  },
};

/** What each command does, for its help. */
const PURPOSES: Readonly<Record<VerbCommand, string>> = {
  buckets: "Shows and changes buckets.",
  accounts: "Shows and adds accounts. An account is named by its number, its name or its alias.",
  users:
    "Shows and changes users. NATS_S3_USERS_KEY must be that of the gateways; an account is named by its number, its name or its alias.",
};

/** Returns whether a command has verbs. */
export function hasVerbs(command: Command): command is VerbCommand {
  return Object.hasOwn(VERBS, command);
}

/** Where a command prints its result, and its errors and warnings. */
export type Terminal = {
  readonly log: Log;
  readonly print: (line: string) => void;
  readonly fail: (line: string) => void;
  /** Reads the standard input to its end. */
  readonly readInput: () => Promise<string>;
};

/** Returns the settings of a log that is quiet unless something is wrong: the output of the command is for programs, too. */
export function quiet(settings: Config["log"]): Config["log"] {
  return { ...settings, level: settings.level === "error" ? "error" : "warn" };
}

/**
 * Checks the arguments after a command and returns the work, whose result is the exit code.
 *
 * @throws RangeError for the user
 */
export function planVerb(
  command: VerbCommand,
  { operands: [name = "", ...operands], flags, repeated }: VerbInput,
  config: Config,
  terminal: Terminal,
): () => Promise<number> {
  const verbs = VERBS[command];
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb === undefined) {
    const problem = name === "" ? "Missing verb" : `Unknown verb${shown(name)}`;
    throw new RangeError(`${problem}: the verbs are ${Object.keys(verbs).join(", ")}`);
  }
  const placeholders = verb.usage.split(" ").filter((word) => word !== "");
  const required = placeholders.filter((word) => !word.startsWith("["));
  if (operands.length < required.length || operands.length > placeholders.length) {
    throw new RangeError(`Wrong number of operands: ${usageOf(command, name, verb)}`);
  }
  for (const flag of flags.keys()) {
    if (!verb.flags.includes(flag)) {
      throw new RangeError(`Unexpected flag "--${flag}": ${usageOf(command, name, verb)}`);
    }
  }
  const work = verb.plan({ operands, flags, repeated });
  return () => runVerb(config, terminal, work);
}

/** Returns the text of `--help` behind a command. */
export function helpOf(command: Command): string {
  return hasVerbs(command) ? formatVerbHelp(command) : formatHelp();
}

function formatVerbHelp(command: VerbCommand): string {
  const verbs = Object.entries(VERBS[command]).map(([name, verb]) => [
    `  ${usageOf(command, name, verb)}`,
    `        ${verb.help}`,
  ]);
  const flags = (Object.entries(COMMAND_FLAGS) as [string, CommandFlag][])
    .filter(([, { commands }]) => commands.includes(command))
    .map(([name, { value, help }]) => [
      `  --${name}${value === undefined ? "" : ` ${value}`}`,
      `        ${help}`,
    ]);
  return [
    `${PURPOSES[command]} The settings of nats-s3 --help name the NATS servers and the login.`,
    "",
    "Verbs:",
    ...verbs.flat(),
    "",
    "Flags:",
    ...flags.flat(),
  ].join("\n");
}

function usageOf(command: VerbCommand, name: string, { usage, flags }: Verb): string {
  const own = flags.map((flag) => {
    const { value }: CommandFlag = COMMAND_FLAGS[flag];
    return `[--${flag}${value === undefined ? "" : ` ${value}`}]`;
  });
  return [`nats-s3 ${command}`, name, usage, ...own].filter((word) => word !== "").join(" ");
}

async function runVerb(
  config: Config,
  { log, print, fail, readInput }: Terminal,
  work: (context: VerbContext) => Promise<void>,
): Promise<number> {
  let connection: NatsConnection | undefined;
  try {
    connection = await connect(config.nats, { log });
    await waitForJetStream(connection, config.nats.apiPrefix, { log });
    using store = createNatsStore(connection, { ...storeOptionsOf(config), log });
    await work({
      store,
      config,
      settings: config.bucket,
      print,
      readInput,
      warn: (line) => fail(`Warning: ${line}`),
    });
    return 0;
  } catch (cause) {
    fail(explain(cause));
    return 1;
  } finally {
    if (connection !== undefined) await closeConnection(connection);
    await log.flush();
  }
}

/** Returns an error as a sentence for the operator. */
function explain(cause: unknown): string {
  if (isS3Error(cause, "NoSuchBucket")) {
    return `There is no bucket "${cause.fields["BucketName"] ?? ""}"`;
  }
  if (cause instanceof JetStreamError) {
    const { code, description } = cause;
    const reason = code === JetStreamCode.NoSuitablePeers
      ? "Too few NATS servers fit the number of replicas and the placement"
      : code === JetStreamCode.ReplicasNotSupported
      ? "The NATS server runs alone, so it keeps one replica"
      : isFull(cause)
      ? "The JetStream account or the servers have no room for this"
      : "JetStream refused the change";
    return `${reason}: ${description} (${code})`;
  }
  if (isS3Error(cause, "AccessDenied") || !isS3Error(cause)) return messageOf(cause);
  if (cause.cause instanceof Error) return cause.cause.message;
  return messageOf(cause);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
