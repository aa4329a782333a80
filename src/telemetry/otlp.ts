/**
 * Sends spans to a collector: OTLP in JSON over HTTP, in batches.
 * See https://opentelemetry.io/docs/specs/otlp/#otlphttp
 *
 * Nobody waits for a collector: what it does not take in time is dropped and counted. A span becomes text as it is
 * added, so that the bytes that wait are known, and nothing of a request is held on to.
 * @module
 */

import type { Log } from "./log.ts";
import type { Attributes, Span } from "./tracing.ts";

/** Options of {@linkcode OtlpExporter}. */
export type OtlpOptions = {
  /** Where traces are posted: `http://collector:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Who sends: `service.name` and what else is the same for all spans. */
  readonly resource: Attributes;
  readonly version: string;
  readonly log: Pick<Log, "warn">;
  /** Milliseconds after which spans are sent that do not fill a batch; 5 s by default. */
  readonly delay?: number;
  /** Milliseconds after which the collector counts as not answering; 10 s by default. */
  readonly timeout?: number;
};

/** Numbers of spans. */
export type SpanCounts = {
  /** Spans that the collector accepted. */
  readonly exported: number;
  /** Spans that were dropped because the queue was full. */
  readonly dropped: number;
  /** Spans that the collector did not accept. */
  readonly failed: number;
};

/** The defaults that OpenTelemetry gives batches (`OTEL_BSP_*`). */
const BATCH = 512;
const QUEUE = 2048;
const DELAY = 5000;
const TIMEOUT = 10_000;
/** Characters that may wait. A span of a small object and its calls have about 600 each. */
const QUEUE_LENGTH = 4 * 1024 * 1024;
/** Characters of an attribute: a key's longest. */
const ATTRIBUTE_LENGTH = 1024;
/** Milliseconds between two warnings that the collector does not take spans. */
const WARNING_INTERVAL = 60_000;
/** Milliseconds that a collector has in the end. */
const PATIENCE = 2000;

/** Sends spans; disposing sends what waits, and ends soon whatever the collector does. */
export class OtlpExporter implements AsyncDisposable {
  readonly #options: OtlpOptions;
  readonly #head: string;
  readonly #counts = { exported: 0, dropped: 0, failed: 0 };
  readonly #end = new AbortController();
  #queue: string[] = [];
  #length = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;
  /** The collector did not take the last batch. */
  #isFailing = false;
  #warned = -Infinity;

  constructor(options: OtlpOptions) {
    this.#options = options;
    const { resource, version } = options;
    const scope = JSON.stringify({ name: "nats-s3", version });
    const attributes = JSON.stringify(keyValues(resource));
    this.#head =
      `{"resourceSpans":[{"resource":{"attributes":${attributes}},"scopeSpans":[{"scope":${scope},"spans":[`;
  }

  /** Spans so far, by what became of them. */
  get counts(): SpanCounts {
    return this.#counts;
  }

  /** Adds a span to those that are sent. */
  add(span: Span): void {
    const isFull = this.#queue.length >= QUEUE || this.#length >= QUEUE_LENGTH;
    if (isFull || this.#end.signal.aborted) {
      this.#counts.dropped++;
      return;
    }
    const text = JSON.stringify(otlpSpan(span));
    this.#queue.push(text);
    this.#length += text.length;
    if (this.#queue.length >= BATCH && !this.#isFailing) this.#send();
    else this.#sendLater();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    const timer = setTimeout(() => this.#end.abort(new Error("The gateway ends")), PATIENCE);
    await this.#sending;
    while (this.#queue.length > 0) await this.#sendBatch();
    clearTimeout(timer);
    clearTimeout(this.#timer);
    this.#end.abort();
  }

  #sendLater(): void {
    this.#timer ??= setTimeout(() => this.#send(), this.#options.delay ?? DELAY);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#sendBatches();
  }

  async #sendBatches(): Promise<void> {
    do await this.#sendBatch(); while (this.#queue.length >= BATCH && !this.#isFailing);
    this.#sending = undefined;
    if (this.#queue.length > 0) this.#sendLater();
  }

  async #sendBatch(): Promise<void> {
    const { url, headers, timeout = TIMEOUT } = this.#options;
    const spans = this.#queue.splice(0, BATCH);
    if (spans.length === 0) return;
    this.#length -= spans.reduce((sum, { length }) => sum + length, 0);
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: `${this.#head}${spans.join(",")}]}]}]}`,
        redirect: "error",
        signal: AbortSignal.any([AbortSignal.timeout(timeout), this.#end.signal]),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`It answered ${response.status}`);
      this.#counts.exported += spans.length;
      this.#isFailing = false;
    } catch (cause) {
      this.#counts.failed += spans.length;
      this.#isFailing = true;
      this.#warn(cause);
    }
  }

  #warn(cause: unknown): void {
    const now = performance.now();
    if (now - this.#warned < WARNING_INTERVAL) return;
    this.#warned = now;
    this.#options.log.warn("The collector does not take spans", {
      reason: describe(cause),
      ...this.#counts,
    });
  }
}

/** The runtime says what is wrong in the cause, and with it the collector's URL, which may hold a secret. */
function describe(cause: unknown): string {
  const { cause: deeper = cause } = cause instanceof Error ? cause : {};
  const text = deeper instanceof Error ? deeper.message : String(deeper);
  return text.replaceAll(/( for url )?\(?https?:\/\/\S+/g, ":");
}

const SAMPLED = 1;
const KNOWS_REMOTE = 1 << 8;
const IS_REMOTE = 1 << 9;
const ERROR = { code: 2 };

/** A span as OTLP writes it in JSON. */
function otlpSpan(span: Span): unknown {
  const { traceId, spanId, parentId, state, name, kind, failure } = span;
  return {
    traceId,
    spanId,
    parentSpanId: parentId,
    traceState: state,
    flags: SAMPLED | KNOWS_REMOTE | (span.isParentRemote ? IS_REMOTE : 0),
    name,
    kind,
    startTimeUnixNano: nanoseconds(span.began),
    endTimeUnixNano: nanoseconds(span.ended),
    attributes: keyValues({ ...span.attributes, "error.type": failure }),
    status: failure === undefined ? undefined : ERROR,
  };
}

/** More digits than a number holds, so as text. */
function nanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const rest = Math.floor((milliseconds - whole) * 1e6);
  return `${whole}${String(rest).padStart(6, "0")}`;
}

function keyValues(attributes: Attributes): unknown[] {
  const list: unknown[] = [];
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "string") list.push({ key, value: { stringValue: clip(value) } });
    else if (value !== undefined) list.push({ key, value: { intValue: String(value) } });
  }
  return list;
}

function clip(text: string): string {
  // What was cut apart is no character any more.
  return text.length <= ATTRIBUTE_LENGTH ? text : text.slice(0, ATTRIBUTE_LENGTH).toWellFormed();
}
