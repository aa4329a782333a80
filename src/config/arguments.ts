/**
 * The arguments after the command: flags and operands. An argument that may be a part of a secret is never shown.
 * @module
 */

import {
  type Command,
  COMMAND_FLAGS,
  type CommandFlag,
  type CommandFlagName,
  COMMANDS_WITH_OPERANDS,
} from "./commands.ts";
import { type Setting, type SettingName, SETTINGS } from "./settings.ts";
import { shown } from "./shown_text.ts";

const NAMES = Object.keys(SETTINGS) as SettingName[];
const NAME_BY_FLAG = new Map(NAMES.map((name) => [SETTINGS[name].flag as string, name]));

/** The arguments after the command, as texts. */
type Arguments = {
  readonly settings: ReadonlyMap<SettingName, string>;
  readonly flags: ReadonlyMap<CommandFlagName, string>;
  readonly repeated: ReadonlyMap<CommandFlagName, readonly string[]>;
  readonly operands: readonly string[];
};

/**
 * Splits the arguments after a command into settings, flags of the command and operands.
 *
 * @throws RangeError for an argument that the command does not take; the message is for the user
 */
export function parseArguments(
  command: Command,
  args: readonly string[],
): Arguments | "help" | "version" {
  const settings = new Map<SettingName, string>();
  const flags = new Map<CommandFlagName, string>();
  const repeated = new Map<CommandFlagName, readonly string[]>();
  const operands: string[] = [];
  const takesOperands = COMMANDS_WITH_OPERANDS.includes(command);
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const match = /^--?([^-=][^=]*)(?:=([^]*))?$/.exec(arg);
    if (match === null) {
      // After a secret, an operand may be the rest of the secret.
      if (!takesOperands || arg.startsWith("-") || namesSecret(args.slice(0, i))) {
        throw unexpected(args, i);
      }
      operands.push(arg);
      continue;
    }
    const [, flag = "", inline] = match;
    if (flag === "help" || flag === "h") return "help";
    if (flag === "version" || flag === "v") return "version";
    const name = NAME_BY_FLAG.get(flag);
    const own = name === undefined ? findOwn(command, flag) : undefined;
    if (name === undefined && own === undefined) {
      if (namesSecret(args.slice(0, i))) throw unexpected(args, i);
      throw new RangeError(`Unknown flag${shown(`--${flag}`)}: see --help`);
    }
    const { value }: { readonly value?: string } = name === undefined
      ? COMMAND_FLAGS[own as CommandFlagName] as CommandFlag
      : SETTINGS[name] as Setting<unknown>;
    if (inline === undefined && value !== undefined && i + 1 === args.length) {
      throw new RangeError(`Flag "--${flag}" needs a value: --${flag} ${value}`);
    }
    const text = inline ?? (value === undefined ? "true" : args[++i] ?? "");
    if (name !== undefined) settings.set(name, text);
    else if (own !== undefined) {
      flags.set(own, text);
      repeated.set(own, [...repeated.get(own) ?? [], text]);
    }
  }
  return { settings, flags, repeated, operands };
}

/** Returns the name of a flag that belongs to a command alone. */
function findOwn(command: Command, flag: string): CommandFlagName | undefined {
  if (!Object.hasOwn(COMMAND_FLAGS, flag)) return undefined;
  const name = flag as CommandFlagName;
  return (COMMAND_FLAGS[name] as CommandFlag).commands.includes(command) ? name : undefined;
}

/** Returns whether one of some arguments names a flag whose value is secret. A later argument may then be a part of it. */
function namesSecret(args: readonly string[]): boolean {
  return NAMES.some((name) => {
    const { flag, secret, file } = SETTINGS[name] as Setting<unknown>;
    if (secret !== true && file === undefined) return false;
    return args.some((arg) => arg.replace(/^--?/, "").split("=", 1)[0] === flag);
  });
}

/** Returns the error for an argument that belongs to no flag. */
function unexpected(args: readonly string[], at: number): RangeError {
  if (!namesSecret(args.slice(0, at))) {
    return new RangeError(`Unexpected argument${shown(args[at] ?? "")}: flags begin with --`);
  }
  return new RangeError(
    `Unexpected argument ${
      at + 1
    }, which is not shown: put a value with blanks in quotes, also if it may be empty, and operands before flags`,
  );
}
