/**
 * The connection to NATS: made with retries and kept forever.
 *
 * `nats://` and `tls://` use TCP; `ws://` and `wss://` use WebSocket, for hosts without raw TCP. Certificates and keys
 * are PEM texts; this module reads no files.
 * @module
 */

import {
  AuthorizationError,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  wsconnect,
} from "@nats-io/nats-core";
import type { Log } from "../../telemetry/log.ts";
import { pause, startTimer, stopTimer, type Timer } from "../../world/world.ts";
import { keepAlive, LIBRARY_INTERVAL } from "./heartbeat.ts";
import { connectByTcp } from "./tcp_transport.ts";
import { explainTls } from "./tls_errors.ts";

export type { NatsConnection } from "@nats-io/nats-core";

/** TLS settings for NATS servers. */
export type NatsTls = {
  /** PEM texts. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** TLS begins before the server greets, as its `handshake_first` demands. */
  readonly handshakeFirst?: true;
};

/** Login to NATS. */
export type NatsLogin =
  | { readonly kind: "none" }
  | { readonly kind: "user"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string }
  /** Text of an NKey seed. */
  | { readonly kind: "nkey"; readonly seed: string }
  /** Text of a credentials file: a JWT and a seed. */
  | { readonly kind: "creds"; readonly creds: string };

/** Servers, login and TLS of a connection. */
export type ConnectionSettings = {
  /** URLs that begin with `nats://`, `tls://`, `ws://` or `wss://`; either all are WebSocket or none. */
  readonly servers: readonly string[];
  readonly login: NatsLogin;
  /** If undefined, the connection uses TLS if the server requires it; otherwise it demands TLS. */
  readonly tls: NatsTls | undefined;
  readonly inboxPrefix: string;
};

/** Log and end of the attempts to connect. */
export type ConnectOptions = {
  readonly log: Log;
  /** Ends the attempts. */
  readonly signal?: AbortSignal;
};

/** Milliseconds before the next attempt: the first, doubled each time, and the longest. */
const FIRST_RETRY = 250;
const LAST_RETRY = 5000;
/** Milliseconds in which a connection that closes sends all pending data. */
const DRAIN_TIMEOUT = 2000;

/**
 * Connects, trying again until a server responds. Once made, the connection reconnects forever.
 *
 * @returns a connection that the caller drains or closes
 * @throws Error if the server refuses the login, if the gateway may not use the network, or for TLS options that a
 *   WebSocket cannot have; the signal's reason
 */
export async function connect(
  settings: ConnectionSettings,
  { log, signal }: ConnectOptions,
): Promise<NatsConnection> {
  const { servers } = settings;
  const isWebSocket = servers.some((server) => /^wss?:/.test(server));
  if (isWebSocket && settings.tls !== undefined) {
    throw new RangeError(
      "Cannot use NATS TLS settings with a WebSocket: the runtime alone decides which certificates it trusts",
    );
  }
  const options = connectionOptions(settings);
  for (let attempt = 0;; attempt++) {
    signal?.throwIfAborted();
    try {
      const connection = isWebSocket ? await wsconnect(options) : await connectByTcp(options);
      log.info("Connected to NATS", {
        server: connection.getServer(),
        version: connection.info?.version,
      });
      logStatus(connection, log);
      keepAlive(connection);
      return connection;
    } catch (cause) {
      if (cause instanceof AuthorizationError) {
        throw new Error(
          `NATS refuses the login at ${
            servers.join(", ")
          }: check user and password, token, NKey or credentials`,
          { cause },
        );
      }
      // Another attempt would lack the permission as well.
      if (cause instanceof Error && cause.name === "NotCapable") throw cause;
      log.warn("Cannot reach NATS, trying again", {
        servers: servers.join(","),
        reason: (cause instanceof Error && explainTls(cause)) || reasonOf(cause),
        ...(attempt === 0 && { hint: "Does a nats-server run there? --natsServers names others" }),
      });
      await pause(Math.min(FIRST_RETRY * 2 ** attempt, LAST_RETRY), signal).catch(() => {});
    }
  }
}

function connectionOptions(
  { servers, login, tls, inboxPrefix }: ConnectionSettings,
): ConnectionOptions {
  const isTls = tls !== undefined || servers.some((server) => server.startsWith("tls://"));
  const text = new TextEncoder();
  const options: ConnectionOptions = {
    servers: [...servers],
    name: "nats-s3",
    timeout: 5000,
    inboxPrefix,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    reconnectJitter: 250,
    // An account may come back after an outage of the server's account resolver.
    ignoreAuthErrorAbort: true,
    pingInterval: LIBRARY_INTERVAL, // keepAlive() pings instead
    ...(isTls && { tls: { ...tls } }),
  };
  switch (login.kind) {
    case "none":
      return options;
    case "user":
      return { ...options, user: login.user, pass: login.password };
    case "token":
      return { ...options, token: login.token };
    case "nkey":
      return { ...options, authenticator: nkeyAuthenticator(text.encode(login.seed)) };
    case "creds":
      return { ...options, authenticator: credsAuthenticator(text.encode(login.creds)) };
  }
}

async function logStatus(connection: NatsConnection, log: Log): Promise<void> {
  for await (const status of connection.status()) {
    switch (status.type) {
      case "disconnect":
        log.warn("Lost the connection to NATS", { server: status.server });
        break;
      case "reconnect":
        log.info("Connected to NATS again", { server: status.server });
        break;
      case "error":
        log.warn("NATS reports an error", { reason: reasonOf(status.error) });
        break;
      case "ldm":
        log.info("NATS server is about to shut down", { server: status.server });
        break;
      case "slowConsumer":
        log.warn("Slow consumer", { pending: status.pending });
        break;
      default:
        log.debug("NATS connection", { status: status.type });
    }
  }
}

/** Sends all pending data and closes; without a server it waits only a moment. */
export async function closeConnection(connection: NatsConnection): Promise<void> {
  if (connection.isClosed()) return;
  let timer: Timer | undefined;
  const timeout = new Promise((resolve) => {
    timer = startTimer(DRAIN_TIMEOUT, () => resolve(undefined));
  });
  await Promise.race([connection.drain(), timeout]);
  stopTimer(timer);
  await connection.close();
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
