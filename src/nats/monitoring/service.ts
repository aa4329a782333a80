/**
 * The gateway as a NATS micro service: it responds to PING, INFO and STATS, so that `nats micro ls` shows every gateway.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-32.md
 *
 * Its one endpoint is HTTP. The endpoint has a subject only because the schema requires one; no one listens on it. There
 * is no queue group, so every gateway responds.
 * @module
 */

import type { Msg, NatsConnection, Subscription } from "@nats-io/nats-core";
import type { Log } from "../../telemetry/log.ts";
import type { RequestRecord } from "../../telemetry/request_record.ts";
import { startTimer, stopTimer, type Timer, uniqueId, wallClock } from "../../world/world.ts";

/** Name of all gateways. */
const NAME = "nats-s3";
const ENDPOINT = { name: "s3", subject: `${NAME}.http`, queue_group: "" } as const;

/** Milliseconds before the service is shown again: the first time, doubled each time, and the longest. */
const FIRST_PAUSE = 500;
const LAST_PAUSE = 60_000;

/** The counters that STATS shows. */
export class Traffic {
  #requests = 0;
  #errors = 0;
  #lastError = "";
  #milliseconds = 0;

  /** Counts a request that has ended. A mistake of the client is not an error of the service. */
  add({ status, code, operation, ended }: RequestRecord): void {
    this.#requests++;
    this.#milliseconds += ended;
    if (status < 500 || code === "NotImplemented") return;
    this.#errors++;
    this.#lastError = [operation, status, code].filter((part) => part !== undefined).join(" ");
  }

  /** The counters in the terms of the schema, with times in nanoseconds. */
  get stats(): Readonly<Record<string, string | number>> {
    const nanoseconds = this.#milliseconds * 1e6;
    return {
      num_requests: this.#requests,
      num_errors: this.#errors,
      last_error: this.#lastError,
      processing_time: Math.round(nanoseconds),
      average_processing_time: Math.round(nanoseconds / Math.max(1, this.#requests)),
    };
  }
}

/** Settings of the service. */
export type ServiceOptions = {
  /** Semantic version. */
  readonly version: string;
  /** Public: every user who may send requests to the service can read it. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly traffic: Traffic;
  readonly log: Log;
};

/**
 * Responds on the connection, which stays the caller's, until it is disposed. A service that NATS denied is shown again
 * when it may be.
 */
export function announceService(
  connection: NatsConnection,
  { version, metadata, traffic, log }: ServiceOptions,
): Disposable {
  const id = uniqueId();
  const started = wallClock().toISOString();
  const about = (type: string): Readonly<Record<string, unknown>> => {
    return { type: `io.nats.micro.v1.${type}_response`, name: NAME, id, version, metadata };
  };
  const responses = {
    PING: () => about("ping"),
    INFO: () => ({
      ...about("info"),
      description: "An S3 server on NATS JetStream",
      endpoints: [{ ...ENDPOINT, metadata: { transport: "http" } }],
    }),
    STATS: () => ({ ...about("stats"), started, endpoints: [{ ...ENDPOINT, ...traffic.stats }] }),
  } as const;

  let subscriptions: Subscription[] = [];
  const subscribe = (verb: keyof typeof responses, rest = ""): Subscription => {
    const subscription = connection.subscribe(`$SRV.${verb}${rest}`, {
      callback(error: Error | null, message: Msg) {
        if (error === null) {
          if (message.reply) message.respond(JSON.stringify(responses[verb]()));
        } else if (subscriptions.includes(subscription)) lose();
      },
    });
    subscriptions.push(subscription);
    return subscription;
  };
  let wasShown = false;
  let isRefusalLogged = false;
  let isOver = false;
  let wait = FIRST_PAUSE;
  let timer: Timer | undefined;
  const hide = (): void => {
    for (const subscription of subscriptions) subscription.unsubscribe();
    subscriptions = [];
    stopTimer(timer);
  };
  const lose = (): void => {
    hide();
    if (!isRefusalLogged) {
      log.info("Not shown as a NATS micro service: this user may not subscribe to $SRV.>");
    }
    isRefusalLogged = true;
    // A user who never had the permission is asked for again only after a reconnection, so that NATS logs few refusals.
    if (wasShown) timer = startTimer(wait, begin);
    wait = Math.min(wait * 2, LAST_PAUSE);
  };
  const show = async (): Promise<void> => {
    if (isOver || subscriptions.length > 0) return;
    // One subject first, so that NATS logs one refusal and not nine if the user lacks the permission.
    const first = subscribe("PING");
    await connection.flush(); // a refusal arrives before the response
    if (isOver || !subscriptions.includes(first)) return;
    subscribe("INFO");
    subscribe("STATS");
    for (const verb of Object.keys(responses) as (keyof typeof responses)[]) {
      for (const rest of [`.${NAME}`, `.${NAME}.${id}`]) subscribe(verb, rest);
    }
    wasShown = true;
    isRefusalLogged = false;
    log.debug("Answering as a NATS micro service", { name: NAME, service: id });
  };
  const begin = (): void => {
    show().catch((cause) => {
      hide(); // the connection was lost: it begins again with the next one
      log.debug("Not shown as a NATS micro service", { cause });
    });
  };
  const beginAgain = async (): Promise<void> => {
    for await (const { type } of connection.status()) if (type === "reconnect") begin();
  };
  begin();
  beginAgain();
  return {
    [Symbol.dispose]() {
      isOver = true;
      hide();
    },
  };
}
