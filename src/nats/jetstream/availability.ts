/**
 * Checks that a connection leads to a JetStream that is new enough, and waits for one.
 * @module
 */

import {
  type NatsConnection,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
} from "@nats-io/nats-core";
import type { Log } from "../../telemetry/log.ts";
import { pause } from "../../world/world.ts";
import { checkMaxPayload, MaxPayloadTooSmall } from "./max_payload.ts";
import type { Requests } from "./requests.ts";

/** Facts about a JetStream. */
export type JetStreamInfo = {
  /** API level: 2 is nats-server 2.12, 5 is 2.15. */
  readonly level: number;
  /** Undefined if it has none. */
  readonly domain: string | undefined;
};

/** Tells why JetStream does not respond; undefined if it does. */
export async function findProblem(
  requests: Pick<Requests, "call" | "maxPayload">,
): Promise<string | undefined> {
  try {
    checkMaxPayload(requests.maxPayload);
    await requests.call("INFO");
    return undefined;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return cause instanceof MaxPayloadTooSmall ? reason : `JetStream does not answer: ${reason}`;
  }
}

/** API level of nats-server 2.12, the oldest that has everything the store needs. */
const MINIMUM_LEVEL = 2;
/** Milliseconds before the next attempt: the first, doubled each time, and the longest. */
const FIRST_RETRY = 250;
const LAST_RETRY = 5000;

/** JetStream is missing but may come: it has no leader yet, a leaf node has lost its hub, or a server does not respond. */
export class JetStreamUnavailable extends Error {
  override readonly name = "JetStreamUnavailable";
}

/**
 * Requests the API level of JetStream. The server behind the connection may be a leaf node of another version, so its own
 * version proves nothing.
 *
 * @throws JetStreamUnavailable if JetStream may still come; Error if it is too old, NATS does not permit the request, or
 *   the server accepts only small messages
 */
export async function checkJetStream(
  connection: NatsConnection,
  apiPrefix: string,
): Promise<JetStreamInfo> {
  const subject = `${apiPrefix}.INFO`;
  if (connection.info !== undefined) checkMaxPayload(connection.info.max_payload);
  const server = connection.info?.version ?? "unknown";
  let response: InfoResponse;
  try {
    response = (await connection.request(subject, "", { timeout: 5000 })).json();
  } catch (cause) {
    throw explain(cause, subject);
  }
  if (response.error !== undefined) {
    const { description, err_code } = response.error;
    throw new JetStreamUnavailable(
      `JetStream responds to ${subject} with "${description}" (${err_code})`,
    );
  }
  const level = response.api?.level ?? 0;
  if (level < MINIMUM_LEVEL) {
    throw new Error(
      `JetStream is too old: its API level is ${level}, but level ${MINIMUM_LEVEL} is needed, which is nats-server 2.12 ` +
        `or newer (the server we are connected to is ${server})`,
    );
  }
  return { level, domain: response.domain };
}

type InfoResponse = {
  readonly api?: { readonly level?: number };
  readonly domain?: string;
  readonly error?: { readonly description: string; readonly err_code: number };
};

function explain(cause: unknown, subject: string): Error {
  const inner = cause instanceof RequestError ? cause.cause : cause;
  if (inner instanceof PermissionViolationError) {
    const action = inner.operation === "publish" ? "publish to" : "subscribe to";
    return new Error(`NATS does not permit this user to ${action} "${inner.subject}"`, { cause });
  }
  if (inner instanceof NoRespondersError) {
    return new JetStreamUnavailable(
      `No one responds to ${subject}: JetStream is not enabled there, or its domain or API prefix is another`,
      { cause },
    );
  }
  if (inner instanceof TimeoutError) {
    return new JetStreamUnavailable(
      `No response to ${subject} in time: JetStream is busy, or this user lacks the permission to publish to it or to ` +
        "subscribe to the inbox prefix",
      { cause },
    );
  }
  const reason = inner instanceof Error ? inner.message : inner;
  return new JetStreamUnavailable(`Cannot request ${subject}: ${reason}`, { cause });
}

/**
 * Repeats {@linkcode checkJetStream} until JetStream is there.
 *
 * @throws the errors of checkJetStream, and JetStreamUnavailable only if the connection is closed; the signal's reason
 */
export async function waitForJetStream(
  connection: NatsConnection,
  apiPrefix: string,
  { log, signal }: { readonly log: Log; readonly signal?: AbortSignal },
): Promise<JetStreamInfo> {
  for (let attempt = 0;; attempt++) {
    signal?.throwIfAborted();
    try {
      return await checkJetStream(connection, apiPrefix);
    } catch (cause) {
      if (!(cause instanceof JetStreamUnavailable) || connection.isClosed()) throw cause;
      log.warn("JetStream is not available, trying again", { reason: cause.message });
      await pause(Math.min(FIRST_RETRY * 2 ** attempt, LAST_RETRY), signal).catch(() => {});
    }
  }
}
