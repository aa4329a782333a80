/**
 * The spans of a request: one of the gateway's own, and below it one for each call of JetStream. The one place that
 * names them and what they say.
 * See https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and
 * https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 *
 * No query, no header but the user agent, no message of an error: a presigned request's signature stands in its query.
 * Chunks of an object are one span together, however many they are.
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
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

/** How requests are traced. */
export type TracingConfig = Pick<OtlpOptions, "url" | "headers" | "resource"> & {
  readonly sampler: Sampler;
};

/** A call of JetStream, as its span tells it. */
export type TracedCall = {
  readonly method: string;
  readonly stream: string | undefined;
  /** Bytes that are sent. */
  readonly size: number;
  /** It writes or reads one chunk of an object. */
  readonly isChunk: boolean;
};

/** How a call ended. */
export type CallEnd = {
  /** What kind of failure it was, in a word. */
  readonly failure: string | undefined;
  /** JetStream's error code. */
  readonly code: number | undefined;
  /** Bytes of messages that were read. */
  readonly received: number;
};

/** Traces requests. */
export type RequestTracing = AsyncDisposable & {
  /**
   * Begins the trace of a request, and notes its id; undefined where it is not kept, and then nothing is made.
   *
   * @param request Its headers say whose trace it belongs to.
   * @param scheme That by which a trusted proxy was asked.
   */
  readonly begin: (
    record: RequestRecord,
    request: Pick<Request, "url" | "headers">,
    scheme?: string,
  ) => RequestTrace | undefined;
  /** That of the request on whose behalf this is called. */
  readonly current: RequestTrace | undefined;
  /** Spans so far, by what became of them. */
  readonly counts: SpanCounts;
};

/** Options of {@linkcode createRequestTracing}. */
export type RequestTracingOptions = {
  readonly version: string;
  readonly log: Pick<Log, "info" | "warn">;
};

/** Calls of one request that have spans of their own; further ones are one span for each method. */
const MAX_CALLS = 64;

const running = new AsyncLocalStorage<RequestTrace>();

/** Makes what traces requests; undefined without a configuration. */
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

/** Calls that are one span together. */
type Together = {
  readonly call: TracedCall;
  readonly began: number;
  ended: number;
  count: number;
  bytes: number;
  /** That of the first one that failed. */
  failure: string | undefined;
};

/** The trace of one request, for as long as it is answered. */
export class RequestTrace {
  readonly #add: (span: Span) => void;
  readonly #id: Pick<Span, "traceId" | "spanId" | "parentId" | "isParentRemote" | "state">;
  readonly #attributes: Attributes;
  readonly #together = new Map<string, Together>();
  /** What turns the process's clock into the time of day, the same for all spans, or they would not fit together. */
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

  /** Does what is part of the request, and all that comes of it. */
  run<T>(work: () => T): T {
    return running.run(this, work);
  }

  /** Has a stream read as part of the request: servers pull answers on nobody's behalf. */
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

  /** A call of JetStream begins; undefined where it is no part of the request any more. */
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

  /** The answer was sent, or broken off. */
  end(record: RequestRecord): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { call, began, ended, count, bytes, failure } of this.#together.values()) {
      this.#addCall(call, began, ended, failure, {
        "messaging.batch.message_count": call.isChunk ? count : undefined,
        "nats_s3.calls": count,
        "nats_s3.bytes": bytes,
      });
    }
    this.#together.clear();
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
    let together = this.#together.get(name);
    if (together === undefined) {
      together = { call, began, ended: began, count: 0, bytes: 0, failure: undefined };
      this.#together.set(name, together);
    }
    const joined = together;
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
      attributes: {
        ...(isPublish(call) ? PUBLISH : { ...RPC, "rpc.method": call.method }),
        "messaging.destination.name": call.stream,
        ...attributes,
      },
      failure,
    });
  }
}

const PUBLISH = {
  "messaging.system.name": "nats",
  "messaging.operation.name": "publish",
  "messaging.operation.type": "send",
} as const;
const RPC = { "rpc.system.name": "nats.jetstream" } as const;

function isPublish({ method }: TracedCall): boolean {
  return method === "publish" || method === "publish_batch";
}

function nameOf(call: TracedCall): string {
  if (!call.isChunk) return call.method;
  return isPublish(call) ? "write chunks" : "read chunks";
}

const METHOD = "http.request.method";
const METHODS = /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH)$/;

/** The methods that HTTP knows; there is no end to others. */
function methodAttributes(method: string): Attributes {
  if (METHODS.test(method)) return { [METHOD]: method };
  return { [METHOD]: "_OTHER", "http.request.method_original": method };
}
