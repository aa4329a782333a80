/**
 * Structured log lines: logfmt text or JSON.
 *
 * Lines go to the console's method of their level: a runtime that forwards the console (OpenTelemetry in Deno) keeps
 * the severity. Values are quoted where they must be: no text from outside can begin a new line.
 * @module
 */

/** Levels, from the least to the most urgent. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** One of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** How lines look. */
export const LOG_FORMATS = ["text", "json"] as const;
/** One of {@linkcode LOG_FORMATS}. */
export type LogFormat = typeof LOG_FORMATS[number];

/** What a line says beside its message; undefined fields are left out. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A log. */
export type Log =
  & { readonly [L in LogLevel]: (message: string, fields?: LogFields) => void }
  & {
    /** The same log with these fields on every line. */
    readonly with: (fields: LogFields) => Log;
  };

/** Options of {@linkcode createLog}. */
export type LogOptions = {
  readonly format: LogFormat;
  /** Lines below it are dropped. */
  readonly level: LogLevel;
  /** The console by default. */
  readonly write?: (level: LogLevel, line: string) => void;
  readonly now?: () => Date;
};

/**
 * Makes a log.
 *
 * @example Usage
 * ```ts
 * import { createLog } from "./log.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const lines: string[] = [];
 * const log = createLog({
 *   format: "text",
 *   level: "info",
 *   write: (_level, line) => lines.push(line),
 *   now: () => new Date(0),
 * });
 * log.debug("Not shown");
 * log.info("Listening", { port: 5222, host: "a b" });
 * deepStrictEqual(lines, [
 *   'time=1970-01-01T00:00:00.000Z level=info msg=Listening port=5222 host="a b"',
 * ]);
 * ```
 */
export function createLog(options: LogOptions): Log {
  const { format, level, write = writeToConsole, now = () => new Date() } = options;
  const lowest = LOG_LEVELS.indexOf(level);
  const render = format === "json" ? JSON.stringify : formatLogfmt;

  function create(common: LogFields): Log {
    const at = (level: LogLevel): Log["info"] => {
      if (LOG_LEVELS.indexOf(level) < lowest) return () => {};
      return (msg, fields) => {
        const time = now().toISOString();
        write(level, render(plain({ time, level, msg, ...common, ...fields })));
      };
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      with: (fields) => create({ ...common, ...fields }),
    };
  }
  return create({});
}

/** A log that drops everything. */
export const SILENT_LOG: Log = createLog({ format: "text", level: "error", write: () => {} });

function writeToConsole(level: LogLevel, line: string): void {
  // deno-lint-ignore no-console
  console[level](line);
}

/** Only what JSON can say. */
function plain(fields: LogFields): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (value instanceof Error) result[name] = describeError(value);
    else if (typeof value === "bigint") result[name] = String(value);
    else result[name] = value;
  }
  return result;
}

/** The stack of an error and of its causes. */
function describeError(error: Error): string {
  const text = error.stack ?? String(error);
  if (error.cause === undefined) return text;
  const cause = error.cause instanceof Error ? describeError(error.cause) : String(error.cause);
  return `${text}\nCaused by: ${cause}`;
}

function formatLogfmt(fields: Record<string, unknown>): string {
  return Object.entries(fields).map(([name, value]) => {
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return `${name}=${/^[\w./:@+,*-]+$/.test(text) ? text : JSON.stringify(text)}`;
  }).join(" ");
}
