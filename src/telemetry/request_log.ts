/**
 * The request log: one line for each request that has ended.
 * @module
 */

import type { Log } from "./log.ts";
import { factsOf, type RequestObserver } from "./request_record.ts";

/** Requests to log: all, failed ones, or none. */
export const REQUEST_LOGS = ["all", "errors", "off"] as const;
/** One of {@linkcode REQUEST_LOGS}. */
export type RequestLog = typeof REQUEST_LOGS[number];

/** Returns an observer that logs requests at level info. */
export function createRequestLog(which: RequestLog, log: Log): RequestObserver {
  if (which === "off") return () => {};
  const isAll = which === "all";
  return (record) => {
    if (isAll || record.status >= 400 || record.broken) log.frequent("Request", factsOf(record));
  };
}
