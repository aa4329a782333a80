/**
 * Checks an environment by creating a configuration from it, as the gateway does.
 * @module
 */

import { parseInvocation } from "../../src/config/command_line.ts";
import { type Config, createConfig } from "../../src/config/config.ts";
import { VARIABLES } from "../../scripts/setting_names.ts";

/**
 * Creates the configuration of an environment, without reading files.
 *
 * @throws RangeError with the gateway's own message, or for a variable that no setting has
 */
export function configOf(env: Readonly<Record<string, string>>): Config {
  for (const name of Object.keys(env)) {
    if (/^(NATS_S3|OTEL)_/.test(name) && !VARIABLES.has(name)) {
      throw new RangeError(`No setting has the variable ${name}`);
    }
  }
  const invocation = parseInvocation({
    args: [],
    env,
    readTextFile(path) {
      throw new RangeError(`The gateway would read "${path}"`);
    },
  });
  if (invocation.kind !== "run") throw new TypeError("An environment asked for help");
  return createConfig(invocation.values);
}

/** Returns the milliseconds that a gateway of this configuration may take to end. */
export function longestEnd({ drain }: Config): number {
  return drain.delay + drain.timeout + 3000;
}
