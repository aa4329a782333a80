/**
 * The request log: one line for each request, when it has ended.
 * @module
 */

import type { Log } from "./log.ts";
import { factsOf, type RequestObserver } from "./request_record.ts";

/** Which requests are logged: all, those that failed, or none. */
export const REQUEST_LOGS = ["all", "errors", "off"] as const;
/** One of {@linkcode REQUEST_LOGS}. */
export type RequestLog = typeof REQUEST_LOGS[number];

/** Logs requests, as `info`. */
export function createRequestLog(which: RequestLog, log: Log): RequestObserver {
  if (which === "off") return () => {};
  const isAll = which === "all";
  return (record) => {
    if (isAll || record.status >= 400 || record.broken) log.frequent("Request", factsOf(record));
  };
}
