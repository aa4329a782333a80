/**
 * `deno task dev`: runs a gateway with development credentials, on a nats-server whose data survives restarts.
 *
 * It accepts the gateway's flags and variables. `NATS_URL` names a server to use instead of starting one;
 * `NATS_S3_DEV_NATS_PORT` and `NATS_S3_DEV_DATA` set the port and the data folder of the server that it starts.
 * @module
 */

// deno-lint-ignore-file no-console

import { createGateway } from "../main.ts";
import { serve } from "../src/commands/serve.ts";
import { parseInvocation } from "../src/config/command_line.ts";
import { type Config, createConfig } from "../src/config/config.ts";
import { createLog } from "../src/telemetry/log.ts";
import { findNatsServer, NATS_FOLDER } from "./find_nats_server.ts";
import { isFree, type NatsServer, startNatsServer } from "./nats_server.ts";

/** S3 access key id of the development gateway. */
export const ACCESS_KEY = "dev";
/** S3 secret access key of the development gateway. */
export const SECRET_KEY = "dev-secret-key";
/** Seals the secrets of users on a server that this script starts. It is public, as the other secret is. */
export const USERS_KEY = "ZGV2LWtleSB0aGF0IHNlYWxzIHNlY3JldHMgb2YgdXM=";
/** The key is an administrator's, so that accounts and users can be tried. */
export const CREDENTIALS: string = JSON.stringify({
  credentials: [{ accessKey: ACCESS_KEY, secretKey: SECRET_KEY, admin: true }],
});

const DEFAULTS = {
  NATS_S3_LISTEN: "127.0.0.1:5222",
  NATS_S3_LOG_LEVEL: "warn",
  NATS_S3_DRAIN_DELAY: "0s",
};

/** Variables that override the environment. */
const FIXED = {
  NATS_S3_CREDENTIALS: CREDENTIALS,
  NATS_S3_CREDENTIALS_FILE: "",
};

async function dev(args: readonly string[], env: Record<string, string>): Promise<number> {
  const given = readConfig(args, env, env["NATS_URL"] ?? "nats://127.0.0.1:4222");
  if (!isFree(given.listen)) {
    throw new Error(
      `Port ${given.listen.port} is in use: stop the program that listens there, or choose another port: ` +
        "deno task dev --listen 127.0.0.1:5224",
    );
  }
  if (!isLoopback(given.listen.hostname)) {
    console.warn(
      `Anybody who reaches ${given.listen.hostname} can use this gateway: its access key "${ACCESS_KEY}" and its secret ` +
        "are public. deno task dev is meant for 127.0.0.1.",
    );
  }
  await using server = env["NATS_URL"] ? undefined : await startOwnServer(env);
  const config = server === undefined
    ? given
    : readConfig(args, { NATS_S3_USERS_KEY: USERS_KEY, ...env }, server.url);
  return await serve(config, {
    createGateway,
    log: createLog(config.log),
    onListen: () => printWelcome(config, server),
  });
}

/** Returns whether only this machine reaches an address. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || hostname.startsWith("127.");
}

function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  natsUrl: string,
): Config {
  const invocation = parseInvocation({
    args,
    env: { ...DEFAULTS, ...env, ...FIXED, NATS_S3_NATS_SERVERS: natsUrl },
    readTextFile: Deno.readTextFileSync,
  });
  if (invocation.kind !== "run") {
    throw new RangeError(
      "deno task dev accepts the flags of serve: see deno run main.ts --help",
    );
  }
  return createConfig(invocation.values);
}

async function startOwnServer(env: Readonly<Record<string, string>>): Promise<NatsServer> {
  const { version, path } = await findNatsServer({ note: console.log });
  const port = Number(env["NATS_S3_DEV_NATS_PORT"] ?? 4222);
  const storeDir = env["NATS_S3_DEV_DATA"] ?? `${NATS_FOLDER}/data`;
  if (!isFree({ hostname: "127.0.0.1", port })) {
    throw new Error(
      `Port ${port} is in use. To use the nats-server that runs there: NATS_URL=nats://127.0.0.1:${port} deno task dev. ` +
        "To start one on another port: NATS_S3_DEV_NATS_PORT=4223 deno task dev",
    );
  }
  // The gateway must end first, so a Ctrl-C must not reach the server.
  const server = await startNatsServer({ port, storeDir, detached: true });
  console.log(
    `nats-server ${version} (${path}) runs at ${server.url} and keeps its data in ${storeDir}`,
  );
  return server;
}

function printWelcome(
  { listen: { hostname, port }, region }: Config,
  server: NatsServer | undefined,
): void {
  const endpoint = `http://${hostname === "0.0.0.0" ? "127.0.0.1" : hostname}:${port}`;
  const aws = `aws --endpoint-url ${endpoint}`;
  console.log(`
S3 is served at ${endpoint}. In another terminal:

  export AWS_ACCESS_KEY_ID=${ACCESS_KEY} AWS_SECRET_ACCESS_KEY=${SECRET_KEY} AWS_DEFAULT_REGION=${region}
  ${aws} s3 mb s3://demo
  ${aws} s3 cp README.md s3://demo/
  ${aws} s3 ls s3://demo
${server === undefined ? "" : formatUserSettings(server)}
Ctrl-C stops it.
`);
}

/** Returns the settings with which `nats-s3 users` works on the same server. */
function formatUserSettings({ url }: NatsServer): string {
  return `
nats-s3 accounts and nats-s3 users (docs/users.md) need these settings:

  export NATS_S3_NATS_SERVERS=${url} NATS_S3_USERS_KEY=${USERS_KEY}
  export NATS_S3_CREDENTIALS='${CREDENTIALS}'
`;
}

if (import.meta.main) {
  try {
    Deno.exit(await dev(Deno.args, Deno.env.toObject()));
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause);
    Deno.exit(1);
  }
}
