/**
 * The names of all settings, for checks of files that use them.
 * @module
 */

import { variableName } from "../src/config/command_line.ts";
import { type Setting, SETTINGS } from "../src/config/settings.ts";

const ALL = Object.values(SETTINGS) as readonly Setting<unknown>[];

/** Every flag, without its dashes. */
export const FLAGS: ReadonlySet<string> = new Set(ALL.map(({ flag }) => flag));

/** Every variable with its setting. The setting of a file has one for the path and one for the text, or one for both. */
export const VARIABLES: ReadonlyMap<string, Setting<unknown>> = new Map(
  ALL.flatMap((setting) => {
    const { flag, file } = setting;
    const names = file === undefined ? [variableName(flag)] : [file.env, file.text];
    return names.map((name) => [name, setting] as const);
  }),
);
