/**
 * Formats the settings as the text of `--help`, and as the table of docs/configuration.md.
 * @module
 */

import { variableName, VERSION } from "./command_line.ts";
import { COMMANDS } from "./commands.ts";
import { type Setting, SETTINGS } from "./settings.ts";

const ALL: readonly Setting<unknown>[] = Object.values(SETTINGS);

/** Returns the text of `--help`. */
export function formatHelp(): string {
  const commands = Object.entries(COMMANDS).map(([name, help]) => `  ${name.padEnd(9)} ${help}`);
  const flags = ALL.map((setting) => {
    const head = `  --${setting.flag}${setting.value === undefined ? "" : ` ${setting.value}`}`;
    const fallback = setting.default === undefined ? "" : ` (default ${setting.default})`;
    return `${head}\n        ${setting.help}${fallback}\n        ${formatVariables(setting)}`;
  });
  return [
    `nats-s3 ${VERSION}: an S3 server on NATS JetStream`,
    "",
    "Usage: nats-s3 [command] [flags]",
    "",
    "Commands:",
    ...commands,
    "",
    "Flags, each with its environment variable:",
    ...flags,
    "  --help, -h",
    "        Prints this help",
    "  --version, -v",
    "        Prints the version",
    "",
    "Write a flag as -flag value, --flag value or --flag=value. A flag overrides its variable.",
  ].join("\n");
}

/** Returns the settings as a Markdown table. */
export function formatSettingsTable(): string {
  const rows = ALL.map((setting) => {
    const value = setting.value === undefined ? "" : ` ${setting.value}`;
    const cells = [
      `\`--${setting.flag}${value}\``,
      formatVariables(setting).replaceAll(/(NATS_S3|OTEL)_\w+/g, "`$&`"),
      setting.default === undefined ? "" : `\`${setting.default}\``,
      setting.help.replace(/\{.*\}/, "`$&`"),
    ];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return ["| Flag | Variable | Default | Meaning |", "| --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

function formatVariables({ flag, file }: Setting<unknown>): string {
  if (file === undefined) return variableName(flag);
  if (file.env === file.text) return `${file.env} (a path or the PEM text itself)`;
  return `${file.env}, or the text itself in ${file.text}`;
}
