/**
 * Structured log lines: logfmt text or JSON.
 *
 * Warnings and errors go to the error output, other lines to the standard output, all in the background: who reads them
 * and stops holds nothing up. Values are quoted where they must be: no text from outside can begin a new line, or change
 * how a terminal shows the others.
 * @module
 */

import { LineWriter } from "./line_writer.ts";

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
    /** As `info`, for what comes often: such lines are written together, within some milliseconds. */
    readonly frequent: (message: string, fields?: LogFields) => void;
    /** The same log with these fields on every line. */
    readonly with: (fields: LogFields) => Log;
    /** Resolves when all lines were taken, or nobody took them for two seconds. */
    readonly flush: () => Promise<void>;
    /** Lines so far for which there was no room, because nobody took those before them. */
    readonly dropped: () => number;
  };

/** Options of {@linkcode createLog}. */
export type LogOptions = {
  readonly format: LogFormat;
  /** Lines below it are dropped. */
  readonly level: LogLevel;
  /** The process's outputs by default. */
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
  const { format, level, now = () => new Date() } = options;
  const lowest = LOG_LEVELS.indexOf(level);
  const render = format === "json" ? renderJson : renderText;
  let at = NaN;
  let time = "";
  const line = (level: LogLevel, msg: string, fields: LogFields = {}): string => {
    const date = now();
    // Many lines are of the same millisecond.
    if (date.getTime() !== at) [at, time] = [date.getTime(), date.toISOString()];
    return visible(render(time, level, msg, fields));
  };
  const { write, flush, dropped } = options.write === undefined
    ? outputs((lines) => line("warn", "Log lines were dropped: nobody took them", { lines }))
    : { write: options.write, flush: () => Promise.resolve(), dropped: () => 0 };

  function create(common: LogFields | undefined): Log {
    const to = (level: LogLevel, mayWait = false): Log["info"] => {
      if (LOG_LEVELS.indexOf(level) < lowest) return () => {};
      return (msg, fields) => {
        const all = common === undefined ? fields : { ...common, ...fields };
        write(level, line(level, msg, all), mayWait);
      };
    };
    return {
      debug: to("debug"),
      info: to("info"),
      warn: to("warn"),
      error: to("error"),
      frequent: to("info", true),
      with: (fields) => create({ ...common, ...fields }),
      flush,
      dropped,
    };
  }
  return create(undefined);
}

/** A log that drops everything. */
export const SILENT_LOG: Log = createLog({ format: "text", level: "error", write: () => {} });

/** Milliseconds that whoever reads the log has to take its last lines. */
const LAST_PATIENCE = 2000;

/** The process's own outputs. */
function outputs(sayDropped: (lines: number) => string): Pick<Log, "flush" | "dropped"> & {
  readonly write: (level: LogLevel, line: string, mayWait: boolean) => void;
} {
  const out = new LineWriter(Deno.stdout, { sayDropped });
  const err = new LineWriter(Deno.stderr, { sayDropped });
  return {
    write(level, line, mayWait) {
      if (level === "warn" || level === "error") {
        out.begin(); // what came before
        err.add(line);
      } else out.add(line, mayWait);
    },
    async flush() {
      await Promise.all([out.flush(LAST_PATIENCE), err.flush(LAST_PATIENCE)]);
    },
    dropped: () => out.dropped + err.dropped,
  };
}

/** The stack of an error and of its causes. */
function describeError(error: Error): string {
  const text = error.stack ?? String(error);
  if (error.cause === undefined) return text;
  const cause = error.cause instanceof Error ? describeError(error.cause) : String(error.cause);
  return `${text}\nCaused by: ${cause}`;
}

function renderText(time: string, level: LogLevel, msg: string, fields: LogFields): string {
  let line = `time=${time} level=${level} msg=${quoted(msg)}`;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (value === undefined) continue;
    line += ` ${name}=${typeof value === "number" ? value : quoted(textOf(value))}`;
  }
  return line;
}

const PLAIN = /^[\w./:@+,*-]+$/;

function textOf(value: unknown): string {
  const said = sayable(value);
  return typeof said === "object" ? JSON.stringify(said) : String(said);
}

function quoted(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}

function renderJson(time: string, level: LogLevel, msg: string, fields: LogFields): string {
  const head = `{"time":"${time}","level":"${level}","msg":${JSON.stringify(msg)}`;
  const names = Object.keys(fields);
  const isSayable = names.every((name) => sayable(fields[name]) === fields[name]);
  const rest = JSON.stringify(
    isSayable ? fields : Object.fromEntries(names.map((name) => [name, sayable(fields[name])])),
  );
  return rest === "{}" ? `${head}}` : `${head},${rest.slice(1)}`;
}

/** Only what JSON can say. */
function sayable(value: unknown): unknown {
  if (typeof value !== "object" && typeof value !== "bigint") return value;
  if (value instanceof Error) return describeError(value);
  return typeof value === "bigint" ? String(value) : value;
}

/** What JSON leaves as it is, though it ends a line somewhere, or turns the direction of text. */
const HIDDEN = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function visible(line: string): string {
  return line.replace(HIDDEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
