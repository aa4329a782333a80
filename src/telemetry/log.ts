/**
 * Structured log lines: logfmt text or JSON.
 *
 * Warnings and errors go to standard error, other lines to standard output. They are written in the background, so that
 * a reader that stops reading does not block the gateway. Values are quoted where necessary: text from outside can
 * neither begin a new line nor change how a terminal shows other lines.
 * @module
 */

import { LineWriter } from "./line_writer.ts";

/** Levels, from the least to the most urgent. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** One of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Formats of lines. */
export const LOG_FORMATS = ["text", "json"] as const;
/** One of {@linkcode LOG_FORMATS}. */
export type LogFormat = typeof LOG_FORMATS[number];

/** Fields of a line; undefined fields are omitted. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A log. */
export type Log =
  & { readonly [L in LogLevel]: (message: string, fields?: LogFields) => void }
  & {
    /** Logs as `info` does, for frequent lines: they are written together, within some milliseconds. */
    readonly frequent: (message: string, fields?: LogFields) => void;
    /** Returns the same log with these fields on every line. */
    readonly with: (fields: LogFields) => Log;
    /** Resolves when the outputs have accepted all lines, or after two seconds. */
    readonly flush: () => Promise<void>;
    /** Returns the number of lines dropped so far because an output was not being read. */
    readonly dropped: () => number;
  };

/** Options of {@linkcode createLog}. */
export type LogOptions = {
  readonly format: LogFormat;
  /** Lines below this level are discarded. */
  readonly level: LogLevel;
  /** The process's outputs by default. */
  readonly write?: (level: LogLevel, line: string) => void;
  readonly now?: () => Date;
};

/**
 * Creates a log.
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
    // Many lines share a millisecond.
    if (date.getTime() !== at) [at, time] = [date.getTime(), date.toISOString()];
    return visible(render(time, level, msg, fields));
  };
  const { write, flush, dropped } = options.write === undefined
    ? outputs((lines) =>
      line("warn", "Log lines were dropped: the output was not being read", { lines })
    )
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

/** A log that discards everything. */
export const SILENT_LOG: Log = createLog({ format: "text", level: "error", write: () => {} });

/** Milliseconds for the outputs to accept the last lines. */
const FLUSH_TIMEOUT = 2000;

/** Writes to the outputs of the process. */
function outputs(formatDropped: (lines: number) => string): Pick<Log, "flush" | "dropped"> & {
  readonly write: (level: LogLevel, line: string, mayWait: boolean) => void;
} {
  const out = new LineWriter(Deno.stdout, { formatDropped });
  const err = new LineWriter(Deno.stderr, { formatDropped });
  return {
    write(level, line, mayWait) {
      if (level === "warn" || level === "error") {
        out.begin(); // the lines before this one
        err.add(line);
      } else out.add(line, mayWait);
    },
    async flush() {
      await Promise.all([out.flush(FLUSH_TIMEOUT), err.flush(FLUSH_TIMEOUT)]);
    },
    dropped: () => out.dropped + err.dropped,
  };
}

/** Returns the stack of an error and of its causes. */
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
  const encodable = toEncodable(value);
  return typeof encodable === "object" ? JSON.stringify(encodable) : String(encodable);
}

function quoted(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}

function renderJson(time: string, level: LogLevel, msg: string, fields: LogFields): string {
  const head = `{"time":"${time}","level":"${level}","msg":${JSON.stringify(msg)}`;
  const names = Object.keys(fields);
  const isEncodable = names.every((name) => toEncodable(fields[name]) === fields[name]);
  const rest = JSON.stringify(
    isEncodable
      ? fields
      : Object.fromEntries(names.map((name) => [name, toEncodable(fields[name])])),
  );
  return rest === "{}" ? `${head}}` : `${head},${rest.slice(1)}`;
}

/** Converts a value that JSON cannot encode. */
function toEncodable(value: unknown): unknown {
  if (typeof value !== "object" && typeof value !== "bigint") return value;
  if (value instanceof Error) return describeError(value);
  return typeof value === "bigint" ? String(value) : value;
}

/** Characters that JSON does not escape, although some viewers end a line or change the text direction at them. */
const HIDDEN = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function visible(line: string): string {
  return line.replace(HIDDEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
