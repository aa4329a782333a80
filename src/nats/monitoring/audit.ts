/**
 * The audit log: one JSON message for each request on a subject that a stream of somebody's own keeps.
 *
 * Each message is acknowledged by JetStream, and bears the request's id as `Nats-Msg-Id`, so that one that is sent again
 * is kept once. S3 never waits for it: messages wait in a bounded queue, for a bounded time, and what JetStream does not
 * take is dropped and counted.
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
import { failureOf } from "../jetstream/errors.ts";
import { Requests } from "../jetstream/requests.ts";

/** Version of the messages: it changes when a field gets another meaning, or goes. */
const VERSION = 1;
/** Most messages that wait, and that are on their way. */
const MOST_WAITING = 10_000;
const AT_ONCE = 64;
/** Milliseconds after which a message that JetStream did not take is given up, and between attempts. */
const DEFAULT_PATIENCE = 10_000;
const PAUSE = 250;
/** Milliseconds in which what waits is sent in the end. */
const LAST_PATIENCE = 3000;
const TIMEOUT = 4000;
/** Milliseconds between two warnings. */
const WARNING_INTERVAL = 60_000;
/** What may pass: a leader is elected, the connection comes back, somebody makes the stream. */
const PASSING = new Set(["unanswered", "not_connected", "unavailable", "no_responders"]);

/** Of a request that wrote nothing. */
const NO_OUTCOME: Partial<RequestOutcome> = {};

/** What an audit log needs. */
export type AuditOptions = {
  readonly subject: string;
  readonly apiPrefix: string;
  readonly inboxPrefix: string;
  /** Milliseconds after which a message is given up that JetStream does not take; ten seconds by default. */
  readonly patience?: number;
  readonly log: Pick<Log, "warn">;
};

/** What became of messages. */
export type AuditFigures = {
  readonly waiting: number;
  readonly published: number;
  /** By reason: `queue_full`, `stopping`, or how JetStream failed. */
  readonly dropped: ReadonlyMap<string, number>;
};

type Message = {
  readonly id: string;
  readonly text: string;
  /** In `performance.now()`. */
  readonly since: number;
};

/** Publishes requests on a connection, which stays the caller's; disposing sends what waits. */
export class AuditLog implements AsyncDisposable {
  readonly #requests: Requests;
  readonly #options: AuditOptions;
  readonly #dropped = new Map<string, number>();
  #queue: Message[] = [];
  #published = 0;
  #onTheirWay = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #warned = -Infinity;
  #unsaid = 0;
  #isClosed = false;
  #isOver = false;
  #idle: (() => void) | undefined;

  constructor(connection: NatsConnection, options: AuditOptions) {
    const { apiPrefix, inboxPrefix } = options;
    this.#options = options;
    this.#requests = new Requests(connection, { apiPrefix, inboxPrefix, timeout: TIMEOUT });
  }

  /** What became of the messages so far. */
  get figures(): AuditFigures {
    return {
      waiting: this.#queue.length + this.#onTheirWay,
      published: this.#published,
      dropped: this.#dropped,
    };
  }

  /** Publishes a request that has ended. */
  add(record: RequestRecord): void {
    if (this.#isClosed) return this.#drop("stopping");
    if (this.#queue.length >= MOST_WAITING) {
      this.#drop("queue_full");
      return this.#warn("JetStream acknowledges fewer than there are requests");
    }
    const time = new Date(Date.now() - record.ended).toISOString();
    const { size, etag } = record.outcome ?? NO_OUTCOME;
    const text = JSON.stringify({ version: VERSION, time, ...factsOf(record), size, etag });
    this.#queue.push({ id: record.id, text, since: performance.now() });
    this.#send();
  }

  /** Sends what waits, for no longer than some seconds; what is left is dropped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, LAST_PATIENCE);
      this.#send();
    });
    this.#isOver = true;
    clearTimeout(timer);
    clearTimeout(this.#pause);
    const left = this.#queue.length + this.#onTheirWay;
    this.#queue = [];
    for (let i = 0; i < left; i++) this.#drop("stopping");
    if (this.#unsaid > 0) this.#warn("the gateway stops");
    this.#requests[Symbol.dispose]();
  }

  #send(): void {
    while (this.#pause === undefined && this.#onTheirWay < AT_ONCE) {
      const message = this.#queue.shift();
      if (message === undefined) break;
      this.#onTheirWay++;
      this.#publish(message);
    }
    if (this.#queue.length === 0 && this.#onTheirWay === 0) this.#idle?.();
  }

  async #publish(message: Message): Promise<void> {
    const { id, text, since } = message;
    const { patience = DEFAULT_PATIENCE } = this.#options;
    try {
      await this.#requests.publish(this.#options.subject, text, { id });
      this.#published++;
    } catch (cause) {
      if (this.#isOver) return; // counted already
      const reason = failureOf(cause) ?? "other";
      if (PASSING.has(reason) && performance.now() - since < patience) {
        this.#queue.unshift(message);
        this.#pause ??= setTimeout(() => {
          this.#pause = undefined;
          this.#send();
        }, PAUSE);
      } else {
        this.#drop(reason);
        this.#warn(cause instanceof Error ? cause.message : String(cause));
      }
    }
    this.#onTheirWay--;
    this.#send();
  }

  #drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
    this.#unsaid++;
  }

  #warn(reason: string): void {
    const now = performance.now();
    if (now - this.#warned < WARNING_INTERVAL && !this.#isClosed) return;
    this.#warned = now;
    const { log, subject } = this.#options;
    log.warn("Audit messages were dropped: is there a stream for the subject, with room?", {
      subject,
      messages: this.#unsaid,
      reason,
    });
    this.#unsaid = 0;
  }
}

/** Adds an audit log's metrics; they are there without one, too. */
export function addAuditMetrics(
  metrics: Metrics,
  audit: Pick<AuditLog, "figures"> | undefined,
): void {
  metrics.readCounter(
    "nats_s3_audit_published_total",
    "Messages of the audit log that JetStream has acknowledged.",
    [],
    () => audit?.figures.published ?? 0,
  );
  metrics.readCounter(
    "nats_s3_audit_dropped_total",
    "Messages of the audit log that are lost: no room in memory (queue_full), the gateway stopped (stopping), or how JetStream failed.",
    ["reason"],
    () => {
      const dropped = audit?.figures.dropped ?? new Map<string, number>();
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
    () => audit?.figures.waiting ?? 0,
  );
}
