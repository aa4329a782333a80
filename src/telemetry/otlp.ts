/**
 * Sends spans to a collector: OTLP in JSON over HTTP, in batches.
 * See https://opentelemetry.io/docs/specs/otlp/#otlphttp
 *
 * Requests never wait for the collector: spans that it does not accept in time are dropped and counted. A span is encoded
 * when it is added, so that the size of the queue is known and no part of a request stays in memory.
 * @module
 */

import type { Log } from "./log.ts";
import type { Attributes, Span } from "./tracing.ts";

/** Options of {@linkcode OtlpExporter}. */
export type OtlpOptions = {
  /** URL to post traces to: `http://collector:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Attributes that all spans share, such as `service.name`. */
  readonly resource: Attributes;
  readonly version: string;
  readonly log: Pick<Log, "warn">;
  /** Milliseconds after which an incomplete batch is sent; 5 s by default. */
  readonly delay?: number;
  /** Milliseconds to wait for the collector's response; 10 s by default. */
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

/** OpenTelemetry's defaults for batches (`OTEL_BSP_*`). */
const BATCH = 512;
const QUEUE = 2048;
const DELAY = 5000;
const TIMEOUT = 10_000;
/** Maximum number of queued characters. Each span of a small object and its calls has about 600. */
const QUEUE_LENGTH = 4 * 1024 * 1024;
/** Maximum number of characters of an attribute: the length of the longest key. */
const ATTRIBUTE_LENGTH = 1024;
/** Milliseconds between two warnings that the collector does not accept spans. */
const WARNING_INTERVAL = 60_000;
/** Milliseconds for the collector to accept the last spans. */
const CLOSE_TIMEOUT = 2000;

/** Sends spans. Disposing sends the queued spans, and ends soon even if the collector does not respond. */
export class OtlpExporter implements AsyncDisposable {
  readonly #options: OtlpOptions;
  readonly #head: string;
  readonly #counts = { exported: 0, dropped: 0, failed: 0 };
  readonly #end = new AbortController();
  #queue: string[] = [];
  #length = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;
  /** The collector did not accept the last batch. */
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

  /** Queues a span. */
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
    const timer = setTimeout(
      () => this.#end.abort(new Error("The gateway is stopping")),
      CLOSE_TIMEOUT,
    );
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
      if (!response.ok) throw new Error(`The collector responded with status ${response.status}`);
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
    this.#options.log.warn("The collector does not accept spans", {
      reason: describe(cause),
      ...this.#counts,
    });
  }
}

/** Returns the reason of a failure. The runtime states it in the cause, with the collector's URL, which may contain a secret. */
function describe(cause: unknown): string {
  const { cause: deeper = cause } = cause instanceof Error ? cause : {};
  const text = deeper instanceof Error ? deeper.message : String(deeper);
  return text.replaceAll(/( for url )?\(?https?:\/\/\S+/g, ":");
}

const SAMPLED = 1;
const KNOWS_REMOTE = 1 << 8;
const IS_REMOTE = 1 << 9;
const ERROR = { code: 2 };

/** Returns a span in OTLP's JSON encoding. */
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

/** Formats nanoseconds as text, because a number does not have enough digits. */
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
  // The cut may split a surrogate pair.
  return text.length <= ATTRIBUTE_LENGTH ? text : text.slice(0, ATTRIBUTE_LENGTH).toWellFormed();
}
