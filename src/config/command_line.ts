/**
 * Reads the command line `nats-s3 [command] [flags]` and its environment, according to the table in `settings.ts`.
 *
 * Flags follow Go's `flag` package (`-listen :5222`, `--listen=:5222`), for users who come from the Go gateway nats-s3.
 * An empty value counts as not set. A flag overrides its variable.
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };
import { parseArguments } from "./arguments.ts";
import { type Command, type CommandFlagName, COMMANDS } from "./commands.ts";
import { isPem } from "./secret_values.ts";
import { type Setting, type SettingName, SETTINGS, type Values } from "./settings.ts";
import { looksLikePath, looksSecret, shown } from "./shown_text.ts";
import { unknownVariables } from "./unknown_variables.ts";

/** The version of the gateway. */
export const VERSION: string = manifest.version;

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** The meaning of a command line. */
export type Invocation =
  | { readonly kind: "help"; readonly command: Command }
  | { readonly kind: "version" }
  | {
    readonly kind: "run";
    readonly command: Command;
    /** The arguments that are not flags; only some commands take them. */
    readonly operands: readonly string[];
    /** The flags of this command alone: "true" for one without a value. */
    readonly flags: ReadonlyMap<CommandFlagName, string>;
    /** All values of each of these flags, in order; `flags` has the last. */
    readonly repeated: ReadonlyMap<CommandFlagName, readonly string[]>;
    readonly values: Values;
    /** Variables that look like settings and are none, to be warned of. */
    readonly unknown: readonly string[];
  };

/** The sources that {@linkcode parseInvocation} reads. */
export type Sources = {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly readTextFile: (path: string) => string;
};

/**
 * Parses a command line and its environment.
 *
 * @throws RangeError, TypeError for unknown, malformed or unreadable input; the message is for the user
 */
export function parseInvocation({ args, env, readTextFile }: Sources): Invocation {
  const [first = "", ...rest] = args;
  const named = !first.startsWith("-") && first !== "";
  if (named && !Object.hasOwn(COMMANDS, first)) {
    throw new RangeError(
      `Unknown command${shown(first)}: the commands are ${Object.keys(COMMANDS).join(", ")}`,
    );
  }
  const command = named ? first as Command : "serve";

  const parsed = parseArguments(command, named ? rest : args);
  if (parsed === "help") return { kind: "help", command };
  if (parsed === "version") return { kind: "version" };
  const { settings, flags, repeated, operands } = parsed;

  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of NAMES) {
    values[name] = readSetting(
      SETTINGS[name] as Setting<unknown>,
      settings.get(name),
      env,
      readTextFile,
    );
  }
  const unknown = unknownVariables(env, VARIABLES);
  if (unknown.length > 0 && values["configUnknown"] === "refuse") {
    throw new RangeError(
      `Unknown variable ${unknown.join(", ")}: --config.unknown warn ignores it`,
    );
  }
  return { kind: "run", command, operands, flags, repeated, values: values as Values, unknown };
}

/** The variables of all settings. */
const VARIABLES: ReadonlySet<string> = new Set(
  NAMES.flatMap((name) => {
    const { flag, file } = SETTINGS[name] as Setting<unknown>;
    return file === undefined ? [variableName(flag)] : [file.env, file.text];
  }),
);

function readSetting<T>(
  setting: Setting<T>,
  flag: string | undefined,
  env: Sources["env"],
  readTextFile: Sources["readTextFile"],
): T | undefined {
  const found = findText(setting, flag, env);
  if (found === undefined) {
    return setting.default === undefined ? undefined : setting.parse(setting.default);
  }
  const { source, text, isPath } = found;
  const content = isPath
    ? readFile(source, text, setting.file?.text ?? "the environment", readTextFile)
    : text;
  try {
    return setting.parse(content);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    // The content of a file is not shown, and its path only if it looks like one.
    const isShown = isPath ? looksLikePath(text) : setting.secret !== true;
    const value = isShown ? shown(text) : "";
    throw new RangeError(`Cannot use ${source}${value}: ${hidden(reason, text)}`);
  }
}

type Found = { readonly source: string; readonly text: string; readonly isPath: boolean };

function findText(
  setting: Setting<unknown>,
  flag: string | undefined,
  env: Sources["env"],
): Found | undefined {
  const { file } = setting;
  if (flag) return { source: `--${setting.flag}`, text: flag, isPath: file !== undefined };
  const variable = file?.env ?? variableName(setting.flag);
  const value = env[variable];
  if (file === undefined) {
    return value ? { source: variable, text: value, isPath: false } : undefined;
  }
  const text = env[file.text];
  if (file.text === file.env) {
    return value ? { source: variable, text: value, isPath: !isPem(value) } : undefined;
  }
  if (value && text) {
    throw new RangeError(`Cannot use both ${file.env} and ${file.text}: they set the same thing`);
  }
  if (text) return { source: file.text, text, isPath: false };
  return value ? { source: file.env, text: value, isPath: true } : undefined;
}

function readFile(
  source: string,
  path: string,
  text: string,
  readTextFile: Sources["readTextFile"],
): string {
  try {
    return readTextFile(path);
  } catch (cause) {
    if (!looksLikePath(path)) {
      // The cause would repeat the path.
      throw new RangeError(
        `Cannot read ${source}: its value, which is not shown, is not a path; the text itself goes into ${text}`,
      );
    }
    const reason = cause instanceof Error && cause.name === "NotCapable"
      ? `the gateway may not read it: run it with --allow-read=${path}, or put the text in the environment`
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw new RangeError(`Cannot read ${source}${shown(path)}: ${reason}`, { cause });
  }
}

/** Returns a reason without the value that it repeats, if that looks like a secret. */
function hidden(reason: string, text: string): string {
  return looksSecret(text) ? reason.replaceAll(/"[^"]*"/g, "it") : reason;
}

/**
 * Returns the environment variable of a flag. A flag `otel.…` has the variable that OpenTelemetry specifies.
 *
 * @example Usage
 * ```ts
 * import { variableName } from "./command_line.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(variableName("nats.js-domain"), "NATS_S3_NATS_JS_DOMAIN");
 * strictEqual(variableName("natsNKeyFile"), "NATS_S3_NATS_NKEY_FILE");
 * strictEqual(variableName("otel.service-name"), "OTEL_SERVICE_NAME");
 * ```
 */
export function variableName(flag: string): string {
  const words = flag.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").replaceAll(/[.-]/g, "_");
  const name = words.toUpperCase();
  return flag.startsWith("otel.") ? name : `NATS_S3_${name}`;
}
