/**
 * Variables that begin with `NATS_S3_` and are no setting: misspelt ones.
 * @module
 */

import { setting } from "./setting.ts";
import { oneOf } from "./values.ts";

const MODES = ["refuse", "warn"] as const;

/** What happens to an unknown variable: the start ends, or goes on with a warning. */
export const UNKNOWN_SETTING = setting({
  flag: "config.unknown",
  value: MODES.join("|"),
  default: "refuse",
  help:
    "What to do about variables that begin with NATS_S3_ and are not settings; warn is for going back to an older release",
  parse: oneOf(MODES),
});

const PREFIX = "NATS_S3_";

/**
 * Variables that Kubernetes makes for a Service named `nats-s3…` in the same namespace.
 * See https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const OF_A_SERVICE: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/_SERVICE_HOST$/, /^[\da-fA-F.:]+$/],
  [/_SERVICE_PORT(?:_[A-Z0-9_]+)?$/, /^\d{1,5}$/],
  [/_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/, /^(?:tcp|udp|sctp):\/\//],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_PROTO$/, /^(?:tcp|udp|sctp)$/],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_PORT$/, /^\d{1,5}$/],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_ADDR$/, /^[\da-fA-F.:]+$/],
];
/** Variables of `deno task dev`, which passes its environment on. */
const OF_DEV: readonly string[] = ["NATS_S3_DEV_NATS_PORT", "NATS_S3_DEV_DATA"];

/**
 * Returns the names of the variables that are neither settings nor known otherwise, sorted.
 *
 * @param known The variables of all settings.
 *
 * @example Usage
 * ```ts
 * import { unknownVariables } from "./unknown_variables.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const env = { NATS_S3_LISTEN: ":1", NATS_S3_LISTEM: ":1", NATS_S3_SERVICE_HOST: "10.0.0.1", HOME: "/" };
 * deepStrictEqual(unknownVariables(env, new Set(["NATS_S3_LISTEN"])), ["NATS_S3_LISTEM"]);
 * ```
 */
export function unknownVariables(
  env: Readonly<Record<string, string>>,
  known: ReadonlySet<string>,
): readonly string[] {
  return Object.entries(env).filter(([name, value]) =>
    name.startsWith(PREFIX) && !known.has(name) && !OF_DEV.includes(name) &&
    !OF_A_SERVICE.some(([names, values]) => names.test(name) && values.test(value))
  ).map(([name]) => name).sort();
}
