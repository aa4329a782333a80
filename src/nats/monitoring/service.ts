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
import { uniqueId, wallClock } from "../../world/world.ts";

/** Name of all gateways. */
const NAME = "nats-s3";
const ENDPOINT = { name: "s3", subject: `${NAME}.http`, queue_group: "" } as const;

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

/** Responds on the connection, which stays the caller's, until it is disposed. */
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

  const subscriptions: Subscription[] = [];
  const subscribe = (verb: keyof typeof responses, rest = ""): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    subscriptions.push(connection.subscribe(`$SRV.${verb}${rest}`, {
      callback(error: Error | null, message: Msg) {
        if (error !== null) resolve();
        else if (message.reply) message.respond(JSON.stringify(responses[verb]()));
      },
    }));
    return promise;
  };
  const begin = async (): Promise<void> => {
    // One subject first, so that NATS logs one refusal and not nine if the user lacks the permission.
    const refused = subscribe("PING").then(() => true);
    const isRefused = await Promise.race([refused, connection.flush().then(() => false)]);
    if (isRefused) {
      return log.info("Not shown as a NATS micro service: this user may not subscribe to $SRV.>");
    }
    if (isOver) return;
    subscribe("INFO");
    subscribe("STATS");
    for (const verb of Object.keys(responses) as (keyof typeof responses)[]) {
      for (const rest of [`.${NAME}`, `.${NAME}.${id}`]) subscribe(verb, rest);
    }
    log.debug("Answering as a NATS micro service", { name: NAME, service: id });
  };
  let isOver = false;
  begin().catch((cause) => log.debug("Not shown as a NATS micro service", { cause }));
  return {
    [Symbol.dispose]() {
      isOver = true;
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}
