/**
 * Runs commands that have verbs on a nats-server, as the command line would.
 * @module
 */

import { Buffer } from "node:buffer";
import type { NatsServer } from "../../scripts/nats_server.ts";
import { planVerb, type VerbCommand } from "../../src/commands/verbs.ts";
import { parseInvocation } from "../../src/config/command_line.ts";
import { createConfig } from "../../src/config/config.ts";
import { SILENT_LOG } from "../../src/telemetry/log.ts";

/** The key that seals secrets. */
export const KEY = `k1:${Buffer.alloc(32, 1).toString("base64")}`;
const CREDENTIALS = JSON.stringify({
  credentials: [
    { accessKey: "ops", secretKey: "s", admin: true },
    { accessKey: "backup", secretKey: "s" },
    { accessKey: "reports", secretKey: "s", account: "111122223333" },
  ],
});

/** What a command printed. */
export type Printed = { readonly code: number; readonly output: string; readonly errors: string };
/** Runs the command of a line, with more operands that contain blanks. */
export type Run = (line: string, more?: {
  readonly operands?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}) => Promise<Printed>;

/** Returns a function that runs commands on a server. */
export function commandsOn({ url }: Pick<NatsServer, "url">): Run {
  return async (line, { operands = [], env = {}, input = "" } = {}) => {
    const invocation = parseInvocation({
      args: [...line.split(" "), ...operands],
      env: {
        NATS_S3_NATS_SERVERS: url,
        NATS_S3_CREDENTIALS: CREDENTIALS,
        NATS_S3_USERS_KEY: KEY,
        ...env,
      },
      readTextFile: () => "",
    });
    if (invocation.kind !== "run") throw new TypeError(invocation.kind);
    const printed = { output: "", errors: "" };
    const work = planVerb(
      invocation.command as VerbCommand,
      invocation,
      createConfig(invocation.values),
      {
        log: SILENT_LOG,
        print: (text) => void (printed.output += `${text}\n`),
        fail: (text) => void (printed.errors += `${text}\n`),
        readInput: () => Promise.resolve(input),
      },
    );
    return { code: await work(), ...printed };
  };
}
