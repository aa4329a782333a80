/**
 * Spans, their ids, and the sampling of traces.
 * See https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling
 * @module
 */

import type { TraceContext } from "./trace_context.ts";

/** Attributes of a span; undefined values are omitted. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Roles of a span, as OTLP numbers them. */
export const SpanKind = { server: 2, client: 3, producer: 4 } as const;

/** A span that has ended. */
export type Span = {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the first span of a trace. */
  readonly parentId: string | undefined;
  /** The parent belongs to another process. */
  readonly isParentRemote: boolean;
  readonly state: string | undefined;
  readonly name: string;
  readonly kind: typeof SpanKind[keyof typeof SpanKind];
  /** Milliseconds since 1970, with fractions. */
  readonly began: number;
  readonly ended: number;
  readonly attributes: Attributes;
  /** The failure in one word; undefined for success. */
  readonly failure: string | undefined;
};

/** A rule that decides which traces are kept. */
export type Sampler = {
  /** Whether to follow the decision of the process that began the trace. */
  readonly followsParent: boolean;
  /** Share of the other traces, from 0 to 1. */
  readonly ratio: number;
};

/** Samplers by their names in `OTEL_TRACES_SAMPLER`. The setting supplies a missing ratio. */
export const SAMPLERS = {
  always_on: { followsParent: false, ratio: 1 },
  always_off: { followsParent: false, ratio: 0 },
  traceidratio: { followsParent: false },
  parentbased_always_on: { followsParent: true, ratio: 1 },
  parentbased_always_off: { followsParent: true, ratio: 0 },
  parentbased_traceidratio: { followsParent: true },
} as const satisfies Record<string, Partial<Sampler>>;

/**
 * Returns whether a trace is kept. All processes that sample by trace id keep the same traces.
 * See https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 *
 * @example Usage
 * ```ts
 * import { isSampled } from "./tracing.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const half = { followsParent: false, ratio: 0.5 };
 * strictEqual(isSampled(half, "0af7651916cd43dd84c0000000000000", undefined), true);
 * strictEqual(isSampled(half, "0af7651916cd43dd8440000000000000", undefined), false);
 * ```
 */
export function isSampled(
  { followsParent, ratio }: Sampler,
  traceId: string,
  parent: Pick<TraceContext, "isSampled"> | undefined,
): boolean {
  if (followsParent && parent !== undefined) return parent.isSampled;
  if (ratio <= 0 || ratio >= 1) return ratio >= 1;
  return Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16) >= (1 - ratio) * 16 ** RANDOM_DIGITS;
}

/** Number of digits at the end of a trace id that every implementation makes random. */
const RANDOM_DIGITS = 14;

/** Returns a new trace id. */
export function newTraceId(): string {
  return randomHex(16);
}

/** Returns a new span id. */
export function newSpanId(): string {
  return randomHex(8);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** Random bytes, fetched in bulk: each call for them costs more than a span. */
const pool = new Uint8Array(4096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let text = "";
  for (const end = used + bytes; used < end; used++) text += HEX[pool[used] ?? 0];
  return text;
}
