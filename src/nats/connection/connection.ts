/**
 * The connection to NATS: made with retries, kept for ever, and checked for a JetStream that is new enough.
 *
 * `nats://` and `tls://` use TCP; `ws://` and `wss://` use WebSocket, for hosts without raw TCP. Certificates and keys
 * are PEM texts: no file is read here.
 * @module
 */

import {
  AuthorizationError,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
  wsconnect,
} from "@nats-io/nats-core";
import type { Log } from "../../telemetry/log.ts";
import { connectByTcp } from "./tcp_transport.ts";
import { explainTls } from "./tls_errors.ts";

export type { NatsConnection } from "@nats-io/nats-core";

/** TLS with NATS servers. */
export type NatsTls = {
  /** PEM texts. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** TLS begins before the server says anything, as its `handshake_first` has it. */
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

/** Where and how to connect. */
export type ConnectionSettings = {
  /** URLs that begin with `nats://`, `tls://`, `ws://` or `wss://`; not WebSocket and others together. */
  readonly servers: readonly string[];
  readonly login: NatsLogin;
  /** Undefined to take TLS where the server wants it, anything else to demand it. */
  readonly tls: NatsTls | undefined;
  readonly inboxPrefix: string;
};

/** What a NATS operation of the start needs beside its settings. */
export type ConnectOptions = {
  readonly log: Log;
  /** Ends the retries. */
  readonly signal?: AbortSignal;
};

const FIRST_RETRY = 250;
const LAST_RETRY = 5000;

/**
 * Connects, trying again until a server answers. Once made, the connection reconnects for ever.
 *
 * @returns A connection that the caller drains or closes.
 * @throws Error when the server refuses the login, when the gateway may not use the network, or for TLS options a
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
      // Trying again gives no permission.
      if (cause instanceof Error && cause.name === "NotCapable") throw cause;
      log.warn("Cannot reach NATS, trying again", {
        servers: servers.join(","),
        reason: (cause instanceof Error && explainTls(cause)) || reasonOf(cause),
        ...(attempt === 0 && { hint: "Does a nats-server run there? --natsServers names others" }),
      });
      await pause(attempt, signal);
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
    // An account may come back after an outage of whatever tells the server about accounts.
    ignoreAuthErrorAbort: true,
    // Finds a dead peer within seconds: requests would wait for it.
    pingInterval: 2000,
    maxPingOut: 2,
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

/** What JetStream says about itself. */
export type JetStreamInfo = {
  /** API level: 2 is nats-server 2.12, 5 is 2.15. */
  readonly level: number;
  /** Undefined where it has none. */
  readonly domain: string | undefined;
};

/** API level of nats-server 2.12, the oldest that has what the store needs. */
const MINIMUM_LEVEL = 2;

/** JetStream is not there, but may come: no leader yet, a leaf node without its hub, a server that does not answer. */
export class JetStreamUnavailable extends Error {
  override readonly name = "JetStreamUnavailable";
}

/**
 * Asks JetStream for its API level. The server we are connected to may be a leaf node of another version, so its own
 * version says nothing.
 *
 * @throws JetStreamUnavailable for what may pass; Error when JetStream is too old, or the request is not permitted
 */
export async function checkJetStream(
  connection: NatsConnection,
  apiPrefix: string,
): Promise<JetStreamInfo> {
  const subject = `${apiPrefix}.INFO`;
  const server = connection.info?.version ?? "unknown";
  let answer: JetStreamAnswer;
  try {
    answer = (await connection.request(subject, "", { timeout: 5000 })).json();
  } catch (cause) {
    throw explain(cause, subject);
  }
  if (answer.error !== undefined) {
    throw new JetStreamUnavailable(
      `JetStream answers "${answer.error.description}" (${answer.error.err_code}) to ${subject}`,
    );
  }
  const level = answer.api?.level ?? 0;
  if (level < MINIMUM_LEVEL) {
    throw new Error(
      `JetStream is too old: its API level is ${level}, but level ${MINIMUM_LEVEL} is needed, which is nats-server 2.12 ` +
        `or newer (the server we are connected to is ${server})`,
    );
  }
  return { level, domain: answer.domain };
}

type JetStreamAnswer = {
  readonly api?: { readonly level?: number };
  readonly domain?: string;
  readonly error?: { readonly description: string; readonly err_code: number };
};

function explain(cause: unknown, subject: string): Error {
  const inner = cause instanceof RequestError ? cause.cause : cause;
  if (inner instanceof PermissionViolationError) {
    return new Error(
      `NATS does not permit this user to ${
        inner.operation === "publish" ? "publish to" : "subscribe to"
      } "${inner.subject}"`,
      { cause },
    );
  }
  if (inner instanceof NoRespondersError) {
    return new JetStreamUnavailable(
      `Nobody answers ${subject}: JetStream is not enabled there, or its domain or API prefix is another`,
      { cause },
    );
  }
  if (inner instanceof TimeoutError) {
    return new JetStreamUnavailable(
      `No answer to ${subject} in time: JetStream is busy, or this user lacks the permission to publish to it or to ` +
        "subscribe to the inbox prefix",
      { cause },
    );
  }
  return new JetStreamUnavailable(`Cannot ask ${subject}: ${reasonOf(cause)}`, { cause });
}

/**
 * {@linkcode checkJetStream}, repeated for as long as JetStream may still come.
 *
 * @throws Error as checkJetStream does, but for JetStreamUnavailable; the signal's reason
 */
export async function waitForJetStream(
  connection: NatsConnection,
  apiPrefix: string,
  { log, signal }: ConnectOptions,
): Promise<JetStreamInfo> {
  for (let attempt = 0;; attempt++) {
    signal?.throwIfAborted();
    try {
      return await checkJetStream(connection, apiPrefix);
    } catch (cause) {
      if (!(cause instanceof JetStreamUnavailable) || connection.isClosed()) throw cause;
      log.warn("JetStream is not available, trying again", { reason: cause.message });
      await pause(attempt, signal);
    }
  }
}

/** Sends what waits to be sent and closes; without a server it waits no longer than a moment. */
export async function closeConnection(connection: NatsConnection): Promise<void> {
  if (connection.isClosed()) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const moment = new Promise((resolve) => {
    timer = setTimeout(resolve, 2000);
  });
  await Promise.race([connection.drain(), moment]);
  clearTimeout(timer);
  await connection.close();
}

/** Waits longer from attempt to attempt; ends early on the signal. */
async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const milliseconds = Math.min(FIRST_RETRY * 2 ** attempt, LAST_RETRY);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
  });
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
