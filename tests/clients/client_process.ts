/**
 * Runs an outside client with the test's credentials and without the user's own configuration.
 * @module
 */

import type { Tool } from "../../scripts/client_tools.ts";
import { CREDENTIALS, type GatewayProcess, REGION } from "./gateway_process.ts";

/** The exit code and output of a client. */
export type Outcome = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Options of {@linkcode run}. */
export type RunOptions = {
  readonly gateway: GatewayProcess;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Empty by default. */
  readonly stdin?: ReadableStream<Uint8Array<ArrayBuffer>>;
};

/** Runs a client until it exits. */
export async function run(
  { command, args: first, env }: Tool,
  args: readonly string[],
  { gateway, cwd, stdin, env: more }: RunOptions,
): Promise<Outcome> {
  const child = new Deno.Command(command, {
    args: [...first, ...args],
    env: {
      ...env,
      ...cwd !== undefined && { HOME: cwd },
      AWS_ENDPOINT_URL: gateway.url,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_PAGER: "",
      NO_PROXY: "127.0.0.1",
      PYTHONUTF8: "1",
      // Without awscrt, as after a plain `pip install`: the client signs with its own code.
      BOTO_DISABLE_CRT: "true",
      ...more,
    },
    ...cwd !== undefined && { cwd },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // A client that exits early does not read the rest of its input.
  const sent = stdin?.pipeTo(child.stdin).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  await sent;
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
