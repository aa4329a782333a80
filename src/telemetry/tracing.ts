/**
 * Spans, their ids, and which traces are kept.
 * See https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling
 * @module
 */

import type { TraceContext } from "./trace_context.ts";

/** What is said of a span; undefined values are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** On which side of what a span stands, as OTLP numbers it. */
export const SpanKind = { server: 2, client: 3, producer: 4 } as const;

/** A span that has ended. */
export type Span = {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the first of a trace. */
  readonly parentId: string | undefined;
  /** The parent is another process's. */
  readonly isParentRemote: boolean;
  readonly state: string | undefined;
  readonly name: string;
  readonly kind: typeof SpanKind[keyof typeof SpanKind];
  /** Milliseconds since 1970, with their fractions. */
  readonly began: number;
  readonly ended: number;
  readonly attributes: Attributes;
  /** What went wrong, in a word; undefined where nothing did. */
  readonly failure: string | undefined;
};

/** Which traces are kept. */
export type Sampler = {
  /** A trace that somebody else has begun is kept where its sender says so. */
  readonly followsParent: boolean;
  /** Share of the others, from 0 to 1. */
  readonly ratio: number;
};

/** Samplers by their names in `OTEL_TRACES_SAMPLER`; a missing ratio is the setting's. */
export const SAMPLERS = {
  always_on: { followsParent: false, ratio: 1 },
  always_off: { followsParent: false, ratio: 0 },
  traceidratio: { followsParent: false },
  parentbased_always_on: { followsParent: true, ratio: 1 },
  parentbased_always_off: { followsParent: true, ratio: 0 },
  parentbased_traceidratio: { followsParent: true },
} as const satisfies Record<string, Partial<Sampler>>;

/**
 * Whether a trace is kept. Who samples a share of traces by their ids keeps the same ones everywhere.
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

/** Digits at an id's end that are random, whoever made it. */
const RANDOM_DIGITS = 14;

/** A new trace's id. */
export function newTraceId(): string {
  return randomHex(16);
}

/** A new span's id. */
export function newSpanId(): string {
  return randomHex(8);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** Random bytes are fetched in bulk: each call for them costs more than a span. */
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
