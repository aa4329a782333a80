/**
 * The spans of a request: one for the request itself and, below it, one for each JetStream call.
 * See https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 *
 * Spans contain no query, no header except the user agent and no error message, because the query of a presigned request
 * contains its signature. All chunks of an object share one span.
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { callAttributes, type CallEnd, isPublish, nameOf, type TracedCall } from "./call_span.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics/registry.ts";
import { OtlpExporter, type OtlpOptions, type SpanCounts } from "./otlp.ts";
import { redact } from "./redact.ts";
import type { RequestRecord } from "./request_record.ts";
import { parseTraceContext, type TraceContext } from "./trace_context.ts";
import {
  type Attributes,
  isSampled,
  newSpanId,
  newTraceId,
  type Sampler,
  type Span,
  SpanKind,
} from "./tracing.ts";

/** Configuration of tracing. */
export type TracingConfig = Pick<OtlpOptions, "url" | "headers" | "resource"> & {
  readonly sampler: Sampler;
};

/** Traces requests. */
export type RequestTracing = AsyncDisposable & {
  /**
   * Begins the trace of a request and sets the trace id of its record. Returns undefined for a trace that is not kept.
   *
   * @param request Its headers name the trace that it belongs to.
   * @param scheme The scheme that the client used with a trusted proxy.
   */
  readonly begin: (
    record: RequestRecord,
    request: Pick<Request, "url" | "headers">,
    scheme?: string,
  ) => RequestTrace | undefined;
  /** The trace of the request that the current call belongs to. */
  readonly current: RequestTrace | undefined;
  /** Spans so far, by what became of them. */
  readonly counts: SpanCounts;
};

/** Options of {@linkcode createRequestTracing}. */
export type RequestTracingOptions = {
  readonly version: string;
  readonly log: Pick<Log, "info" | "warn">;
};

/** Maximum number of calls of a request with their own spans. Further calls share one span per method. */
const MAX_CALLS = 64;

const running = new AsyncLocalStorage<RequestTrace>();

/** Creates the tracing of requests. Returns undefined without a configuration. */
export function createRequestTracing(
  config: TracingConfig | undefined,
  { version, log }: RequestTracingOptions,
): RequestTracing | undefined {
  if (config === undefined) return undefined;
  const exporter = new OtlpExporter({ ...config, version, log });
  const { sampler } = config;
  log.info("Requests are traced", { ...sampler, collector: config.url.replace(/\?.*$/s, "") });
  return {
    begin(record, { url, headers }, scheme = url.slice(0, url.indexOf(":"))) {
      const parent = parseTraceContext(headers.get("traceparent"), headers.get("tracestate"));
      const traceId = parent?.traceId ?? newTraceId();
      const isKept = isSampled(sampler, traceId, parent);
      if (isKept || parent !== undefined) record.trace = traceId;
      if (!isKept) return undefined;
      return new RequestTrace((span) => exporter.add(span), traceId, parent, {
        ...methodAttributes(record.method),
        "url.scheme": scheme,
        "url.path": redact(record.path),
        "client.address": record.client,
        "user_agent.original": redact(headers.get("user-agent") ?? undefined),
        "aws.request_id": record.id,
      });
    },
    get current() {
      return running.getStore();
    },
    get counts() {
      return exporter.counts;
    },
    [Symbol.asyncDispose]: () => exporter[Symbol.asyncDispose](),
  };
}

/** Adds the metrics of tracing; they also exist without tracing. */
export function addTraceMetrics(
  registry: Metrics,
  tracing: Pick<RequestTracing, "counts"> | undefined,
): void {
  registry.readCounter(
    "nats_s3_spans_total",
    "Spans that the collector accepted (exported), did not accept (failed), or that were dropped because the queue was full (dropped).",
    ["result"],
    () => Object.entries(tracing?.counts ?? {}).map(([result, count]) => [[result], count]),
  );
}

/** Calls that share one span. */
type CallGroup = {
  readonly call: TracedCall;
  readonly began: number;
  ended: number;
  count: number;
  bytes: number;
  /** Failure of the first call that failed. */
  failure: string | undefined;
};

/** The trace of one request, until its response has ended. */
export class RequestTrace {
  readonly #add: (span: Span) => void;
  readonly #id: Pick<Span, "traceId" | "spanId" | "parentId" | "isParentRemote" | "state">;
  readonly #attributes: Attributes;
  readonly #groups = new Map<string, CallGroup>();
  /** Offset from the process's clock to the time of day. All spans use the same one, so that they fit together. */
  readonly #origin = Date.now() - performance.now();
  #calls = 0;
  #isOver = false;

  /** Use {@linkcode RequestTracing.begin}. */
  constructor(
    add: (span: Span) => void,
    traceId: string,
    parent: TraceContext | undefined,
    attributes: Attributes,
  ) {
    this.#add = add;
    this.#attributes = attributes;
    this.#id = {
      traceId,
      spanId: newSpanId(),
      parentId: parent?.spanId,
      isParentRemote: parent !== undefined,
      state: parent?.state,
    };
  }

  /** Runs work, and everything that it starts, as part of the request. */
  run<T>(work: () => T): T {
    return running.run(this, work);
  }

  /** Returns a stream that is read as part of the request, because servers read responses outside of it. */
  follow<T>(source: ReadableStream<T>): ReadableStream<T> {
    const reader = source.getReader();
    return new ReadableStream<T>({
      pull: (controller) =>
        this.run(async () => {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        }),
      cancel: (reason) => this.run(() => reader.cancel(reason)),
    }, { highWaterMark: 0 });
  }

  /** Begins the span of a JetStream call. Returns undefined if the request has already ended. */
  call(call: TracedCall): ((end: CallEnd) => void) | undefined {
    if (this.#isOver) return undefined;
    const began = performance.now();
    const isAlone = !call.isChunk && call.method !== "direct_batch" && this.#calls < MAX_CALLS;
    if (!isAlone) return this.#join(call, began);
    this.#calls++;
    return ({ failure, code }) => {
      this.#addCall(call, began, performance.now(), failure, {
        "messaging.message.body.size": isPublish(call) ? call.size : undefined,
        "rpc.status_code": code === undefined ? undefined : String(code),
      });
    };
  }

  /** Ends the trace: the response was sent, or cut short. */
  end(record: RequestRecord): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { call, began, ended, count, bytes, failure } of this.#groups.values()) {
      this.#addCall(call, began, ended, failure, {
        "messaging.batch.message_count": call.isChunk ? count : undefined,
        "nats_s3.calls": count,
        "nats_s3.bytes": bytes,
      });
    }
    this.#groups.clear();
    const { method, operation, status, code, broken } = record;
    const { [METHOD]: shown } = this.#attributes;
    const verb = shown === method ? method : "HTTP";
    this.#add({
      ...this.#id,
      name: operation === undefined ? verb : `${verb} ${operation}`,
      kind: SpanKind.server,
      began: this.#origin + record.began,
      ended: this.#origin + record.began + record.ended,
      attributes: {
        ...this.#attributes,
        "http.response.status_code": status,
        "http.request.body.size": record.received || undefined,
        "http.response.body.size": record.sent || undefined,
        "aws.s3.bucket": record.bucket,
        "aws.s3.key": redact(record.key),
        "nats_s3.operation": operation,
        "nats_s3.error_code": code,
      },
      failure: status >= 500 ? code ?? String(status) : broken ? code ?? "broken" : undefined,
    });
  }

  #join(call: TracedCall, began: number): (end: CallEnd) => void {
    const name = nameOf(call);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { call, began, ended: began, count: 0, bytes: 0, failure: undefined };
      this.#groups.set(name, group);
    }
    const joined = group;
    return ({ failure, received }) => {
      joined.ended = performance.now();
      joined.count++;
      joined.bytes += isPublish(call) ? call.size : received;
      joined.failure ??= failure;
    };
  }

  #addCall(
    call: TracedCall,
    began: number,
    ended: number,
    failure: string | undefined,
    attributes: Attributes,
  ): void {
    const { traceId, spanId, state } = this.#id;
    this.#add({
      traceId,
      spanId: newSpanId(),
      parentId: spanId,
      isParentRemote: false,
      state,
      name: nameOf(call),
      kind: isPublish(call) ? SpanKind.producer : SpanKind.client,
      began: this.#origin + began,
      ended: this.#origin + ended,
      attributes: callAttributes(call, attributes),
      failure,
    });
  }
}

const METHOD = "http.request.method";
const METHODS = /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH)$/;

/** Returns attributes of the method. Only HTTP's own methods are values, because the number of others is unlimited. */
function methodAttributes(method: string): Attributes {
  if (METHODS.test(method)) return { [METHOD]: method };
  return { [METHOD]: "_OTHER", "http.request.method_original": method };
}
