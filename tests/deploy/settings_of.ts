/**
 * Whether an environment makes a configuration, as the gateway itself would say.
 * @module
 */

import { parseInvocation } from "../../src/config/command_line.ts";
import { type Config, createConfig } from "../../src/config/config.ts";
import { VARIABLES } from "../../scripts/setting_names.ts";

/**
 * The configuration that comes of an environment, without a file being read.
 *
 * @throws RangeError with the gateway's own message; also for a variable that no setting has
 */
export function configOf(env: Readonly<Record<string, string>>): Config {
  for (const name of Object.keys(env)) {
    if (/^(NATS_S3|OTEL)_/.test(name) && !VARIABLES.has(name)) {
      throw new RangeError(`There is no variable ${name}`);
    }
  }
  const invocation = parseInvocation({
    args: [],
    env,
    readTextFile(path) {
      throw new RangeError(`It would read "${path}"`);
    },
  });
  if (invocation.kind !== "run") throw new TypeError("An environment asked for help");
  return createConfig(invocation.values);
}

/** Milliseconds that a gateway of this configuration may take to end. */
export function longestEnd({ drain }: Config): number {
  return drain.delay + drain.timeout + 3000;
}
