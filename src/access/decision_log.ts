/**
 * The log of decisions, at level debug: which statement allowed a request or denied it. Nothing of it reaches the client.
 * @module
 */

import type { Log } from "../telemetry/log.ts";
import type { AccessServices } from "./asked_request.ts";

/** Creates the function that logs a decision. The line has the id of the request's own line. */
export function createDecisionLog(log: Pick<Log, "debug">): AccessServices["decided"] {
  return ({ action, resource }, { allowed, because, statement }, id) => {
    log.debug(allowed ? "Access allowed" : "Access denied", {
      id,
      action,
      bucket: "bucket" in resource ? resource.bucket : undefined,
      key: resource.on === "object" ? resource.key : undefined,
      because,
      policy: statement?.origin,
      statement: statement?.sid ?? statement?.number,
    });
  };
}
