/**
 * An S3 server on NATS JetStream: {@linkcode createGateway} and {@linkcode parseConfig} for embedding, and the command
 * `nats-s3` when this file is run. The request pipeline is in `src/gateway.ts`, the settings in `src/config/settings.ts`.
 *
 * ```sh
 * deno run --allow-net --allow-env main.ts --natsUser ann --natsPassword secret
 * ```
 * @module
 */

import { checkHealth } from "./src/commands/health.ts";
import { type Gateway, serve } from "./src/commands/serve.ts";
import { sweep } from "./src/commands/sweep.ts";
import { hasVerbs, helpOf, planVerb, quiet } from "./src/commands/verbs.ts";
import { createGateway } from "./src/compose.ts";
import { parseInvocation, type Sources, VERSION } from "./src/config/command_line.ts";
import { type Config, createConfig } from "./src/config/config.ts";
import { refuseRuntimeSpans } from "./src/config/runtime_spans.ts";
import { given } from "./src/config/settings.ts";
import type { NatsConnection } from "./src/nats/connection/connection.ts";
import { createLog, type Log } from "./src/telemetry/log.ts";

export { createGateway };
export type { Config, Gateway, Log, NatsConnection };

/**
 * Returns the configuration that variables describe, for programs that embed the gateway. Defaults are those of `serve`.
 *
 * @param variables Values by name, such as `NATS_S3_S3_REGION`. Pass `Deno.env.toObject()` for the environment's.
 * @throws RangeError, TypeError for a missing or malformed value; the message is for the user
 *
 * @example Usage
 * ```ts
 * import { parseConfig } from "./main.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const credentials = [{ accessKey: "ann", secretKey: "a long secret" }];
 * const config = parseConfig({ NATS_S3_CREDENTIALS: JSON.stringify({ credentials }) });
 * strictEqual(config.region, "us-east-1");
 * ```
 */
export function parseConfig(variables: Readonly<Record<string, string>>): Config {
  const sources = { args: [], env: variables, readTextFile: Deno.readTextFileSync };
  const invocation = parseInvocation(sources);
  if (invocation.kind !== "run") throw new TypeError(`Unexpected invocation: ${invocation.kind}`);
  return createConfig(invocation.values);
}

/** Checks a command line and returns a function that runs it to an exit code. */
function plan(sources: Sources): () => number | Promise<number> {
  const invocation = parseInvocation(sources);
  if (invocation.kind === "help") return () => print(helpOf(invocation.command));
  if (invocation.kind === "version") return () => print(`nats-s3 ${VERSION}`);
  const { command, values, unknown } = invocation;
  if (command === "health") {
    return async () => {
      const problem = await checkHealth(given(values, "listen"), values.serverCert !== undefined);
      return problem === undefined ? 0 : fail(problem);
    };
  }
  const config = createConfig(values);
  const log = createLog(hasVerbs(command) ? quiet(config.log) : config.log);
  for (const name of unknown) log.warn("Ignored a variable that is not a setting", { name });
  if (command === "sweep") return () => sweep(config, { log, print });
  if (hasVerbs(command)) {
    const readInput = (): Promise<string> => new Response(Deno.stdin.readable).text();
    return planVerb(command, invocation, config, { log, print, fail, readInput });
  }
  refuseRuntimeSpans(sources.env);
  return () => serve(config, { createGateway, log });
}

/** Runs a command line and returns the exit code: 2 for an invalid one. */
async function main(readSources: () => Sources): Promise<number> {
  let run: ReturnType<typeof plan>;
  try {
    run = plan(readSources());
  } catch (cause) {
    return fail(cause instanceof Error ? cause.message : String(cause), 2);
  }
  return await run();
}

function print(text: string): number {
  // deno-lint-ignore no-console
  console.log(text);
  return 0;
}

function fail(text: string, code = 1): number {
  // deno-lint-ignore no-console
  console.error(text);
  return code;
}

if (import.meta.main) {
  const { args, readTextFileSync: readTextFile } = Deno;
  Deno.exit(await main(() => ({ args, env: Deno.env.toObject(), readTextFile })));
}
