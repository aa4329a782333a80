/**
 * A gateway with users, put together as the command does it.
 * @module
 */

import { Buffer } from "node:buffer";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import type { NatsServer } from "../../scripts/nats_server.ts";
import type { Gateway } from "../../src/commands/serve.ts";
import { createGateway } from "../../src/compose.ts";
import { parseInvocation } from "../../src/config/command_line.ts";
import { createConfig } from "../../src/config/config.ts";
import { SILENT_LOG } from "../../src/telemetry/log.ts";

const KEY = `k1:${Buffer.alloc(32, 1).toString("base64")}`;
/** The pair of the configuration. */
export const OPS = { accessKeyId: "ops", secret: "ops-secret" };

/** Starts a gateway; disposing ends it. */
export async function startGateway(
  { url }: NatsServer,
  entries: readonly object[] = [{ admin: true }],
  args: readonly string[] = [],
): Promise<{ readonly gateway: Gateway; readonly connection: NatsConnection } & AsyncDisposable> {
  const credentials = entries.map((entry) => ({
    accessKey: OPS.accessKeyId,
    secretKey: OPS.secret,
    ...entry,
  }));
  const invocation = parseInvocation({
    args: ["--auth.sigv2", "on", ...args],
    env: {
      NATS_S3_NATS_SERVERS: url,
      NATS_S3_CREDENTIALS: JSON.stringify({ credentials }),
      NATS_S3_USERS_KEY: KEY,
    },
    readTextFile: () => "",
  });
  if (invocation.kind !== "run") throw new TypeError(invocation.kind);
  const connection = await connect({ servers: url, maxReconnectAttempts: -1 });
  const gateway = createGateway(createConfig(invocation.values), connection, SILENT_LOG);
  return {
    gateway,
    connection,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await connection.close();
    },
  };
}
