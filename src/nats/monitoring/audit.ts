/**
 * The audit log: one JSON message for each request, on a subject that the operator's own stream captures.
 *
 * JetStream acknowledges each message. A message carries the request's id as `Nats-Msg-Id`, so that the stream keeps it
 * once even if it is sent again. S3 requests never wait for the log: messages wait in a bounded queue for a bounded time,
 * and the gateway drops and counts those that JetStream does not accept.
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics/registry.ts";
import {
  factsOf,
  type RequestOutcome,
  type RequestRecord,
} from "../../telemetry/request_record.ts";
import { monotonic, startTimer, stopTimer, type Timer, wallClock } from "../../world/world.ts";
import { failureOf } from "../jetstream/errors.ts";
import { Requests } from "../jetstream/requests.ts";
import { pagesOf } from "./audit_keys.ts";

/** Version of the messages; it changes when a field changes its meaning or disappears. */
const VERSION = 1;
/** Most messages in the queue. */
const MAX_WAITING = 10_000;
/** Most messages sent and not yet acknowledged. */
const MAX_UNACKNOWLEDGED = 64;
/** Milliseconds after which the log drops a message that JetStream did not accept. */
const MESSAGE_TIMEOUT = 10_000;
/** Milliseconds between two attempts. */
const PAUSE = 250;
/** Milliseconds in which the log sends the waiting messages when it ends. */
const STOP_TIMEOUT = 3000;
/** Milliseconds after which a publish counts as unanswered. */
const PUBLISH_TIMEOUT = 4000;
/** Milliseconds between two warnings. */
const WARNING_INTERVAL = 60_000;
/** Failures that may pass: JetStream elects a leader, the connection comes back, someone creates the stream. */
const PASSING = new Set(["unanswered", "not_connected", "unavailable", "no_responders"]);

/** Outcome of a request that wrote nothing. */
const NO_OUTCOME: Partial<RequestOutcome> = {};

/** Settings of an audit log. */
export type AuditOptions = {
  readonly subject: string;
  readonly apiPrefix: string;
  readonly inboxPrefix: string;
  /** Milliseconds after which the log drops a message that JetStream does not accept; ten seconds by default. */
  readonly timeout?: number;
  readonly log: Pick<Log, "warn">;
};

/** Numbers of messages. */
export type AuditStats = {
  readonly waiting: number;
  readonly published: number;
  /** By reason: `queue_full`, `stopping`, or the kind of JetStream's failure. */
  readonly dropped: ReadonlyMap<string, number>;
};

type Message = {
  readonly id: string;
  readonly text: string;
  /** Monotonic time when it was added. */
  readonly since: number;
};

/** Publishes requests on a connection, which stays the caller's. Disposing it sends the waiting messages. */
export class AuditLog implements AsyncDisposable {
  readonly #requests: Requests;
  readonly #options: AuditOptions;
  readonly #dropped = new Map<string, number>();
  #queue: Message[] = [];
  #published = 0;
  #unacknowledged = 0;
  #pause: Timer | undefined;
  #warned = -Infinity;
  /** Messages dropped since the last warning. */
  #unreported = 0;
  #isClosed = false;
  #isOver = false;
  #idle: (() => void) | undefined;

  constructor(connection: NatsConnection, options: AuditOptions) {
    const { apiPrefix, inboxPrefix } = options;
    this.#options = options;
    this.#requests = new Requests(connection, { apiPrefix, inboxPrefix, timeout: PUBLISH_TIMEOUT });
  }

  /** The numbers so far. */
  get stats(): AuditStats {
    return {
      waiting: this.#queue.length + this.#unacknowledged,
      published: this.#published,
      dropped: this.#dropped,
    };
  }

  /** Publishes a request that has ended. */
  add(record: RequestRecord): void {
    if (this.#isClosed) return this.#drop("stopping");
    if (this.#queue.length >= MAX_WAITING) {
      this.#drop("queue_full");
      return this.#warn("JetStream acknowledges messages more slowly than requests arrive");
    }
    const time = new Date(wallClock().getTime() - record.ended).toISOString();
    const { size, etag } = record.outcome ?? NO_OUTCOME;
    const { account, userName } = record;
    const facts = { version: VERSION, time, ...factsOf(record), account, userName, size, etag };
    const since = monotonic();
    let part = 0;
    for (const keys of pagesOf(record.keys?.())) {
      part++;
      const id = part === 1 ? record.id : `${record.id}.${part}`;
      const text = JSON.stringify({ ...facts, keys, part: part === 1 ? undefined : part });
      this.#queue.push({ id, text, since });
    }
    this.#send();
  }

  /** Sends the waiting messages for a few seconds and drops the rest. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = startTimer(STOP_TIMEOUT, resolve);
      this.#send();
    });
    this.#isOver = true;
    stopTimer(timer);
    stopTimer(this.#pause);
    const left = this.#queue.length + this.#unacknowledged;
    this.#queue = [];
    for (let i = 0; i < left; i++) this.#drop("stopping");
    if (this.#unreported > 0) this.#warn("the gateway stops");
    this.#requests[Symbol.dispose]();
  }

  #send(): void {
    while (this.#pause === undefined && this.#unacknowledged < MAX_UNACKNOWLEDGED) {
      const message = this.#queue.shift();
      if (message === undefined) break;
      this.#unacknowledged++;
      this.#publish(message);
    }
    if (this.#queue.length === 0 && this.#unacknowledged === 0) this.#idle?.();
  }

  async #publish(message: Message): Promise<void> {
    const { id, text, since } = message;
    const { timeout = MESSAGE_TIMEOUT } = this.#options;
    try {
      await this.#requests.publish(this.#options.subject, text, { id });
      this.#published++;
    } catch (cause) {
      if (this.#isOver) return; // already counted as dropped
      const reason = failureOf(cause) ?? "other";
      if (PASSING.has(reason) && monotonic() - since < timeout) {
        this.#queue.unshift(message);
        this.#pause ??= startTimer(PAUSE, () => {
          this.#pause = undefined;
          this.#send();
        });
      } else {
        this.#drop(reason);
        this.#warn(cause instanceof Error ? cause.message : String(cause));
      }
    }
    this.#unacknowledged--;
    this.#send();
  }

  #drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
    this.#unreported++;
  }

  #warn(reason: string): void {
    const now = monotonic();
    if (now - this.#warned < WARNING_INTERVAL && !this.#isClosed) return;
    this.#warned = now;
    const { log, subject } = this.#options;
    log.warn("Audit messages were dropped: is there a stream for the subject, with room?", {
      subject,
      messages: this.#unreported,
      reason,
    });
    this.#unreported = 0;
  }
}

/** Adds the metrics of an audit log; without one, they are zero. */
export function addAuditMetrics(
  metrics: Metrics,
  audit: Pick<AuditLog, "stats"> | undefined,
): void {
  metrics.readCounter(
    "nats_s3_audit_published_total",
    "Messages of the audit log that JetStream has acknowledged.",
    [],
    () => audit?.stats.published ?? 0,
  );
  metrics.readCounter(
    "nats_s3_audit_dropped_total",
    "Messages of the audit log that were lost: the queue was full (queue_full), the gateway stopped (stopping), or JetStream failed.",
    ["reason"],
    () => {
      const dropped = audit?.stats.dropped ?? new Map<string, number>();
      const reasons = new Set([
        "queue_full",
        "stopping",
        "full",
        "no_responders",
        ...dropped.keys(),
      ]);
      return [...reasons].map((reason) => [[reason], dropped.get(reason) ?? 0] as const);
    },
  );
  metrics.gauge(
    "nats_s3_audit_waiting_messages",
    "Messages of the audit log that JetStream has not acknowledged yet.",
    [],
    () => audit?.stats.waiting ?? 0,
  );
}
