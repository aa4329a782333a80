import { match, ok } from "node:assert/strict";
import { variableName } from "./command_line.ts";
import { formatHelp, formatSettingsTable } from "./help.ts";
import { SETTINGS } from "./settings.ts";

Deno.test("formatHelp() and formatSettingsTable() name every flag and variable", () => {
  for (const { flag, file } of Object.values(SETTINGS) as { flag: string; file?: object }[]) {
    const variables = file === undefined ? [variableName(flag)] : Object.values(file);
    for (const text of [formatHelp(), formatSettingsTable()]) {
      ok(text.includes(`--${flag}`), flag);
      for (const variable of variables) ok(text.includes(variable), variable);
    }
  }
  match(formatHelp(), /--version/);
});
