/**
 * The position of a request in a trace, as its headers state it.
 * See https://www.w3.org/TR/trace-context/
 * @module
 */

/** The span of another process that is the parent of ours. */
export type TraceContext = {
  /** 32 and 16 hexadecimal digits, lower case. */
  readonly traceId: string;
  readonly spanId: string;
  /** Whether the trace is kept. */
  readonly isSampled: boolean;
  /** Data of tracing vendors, passed on unchanged. */
  readonly state: string | undefined;
};

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** A member `key=value` in printable ASCII. */
const TRACESTATE = /^[a-z0-9][\w@/*-]*=[\x20-\x7e]+$/;
const MAX_STATE = 512;

/**
 * Parses the headers `traceparent` and `tracestate`. Returns undefined for a malformed header, as for a missing one.
 *
 * @example Usage
 * ```ts
 * import { parseTraceContext } from "./trace_context.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const context = parseTraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", null);
 * strictEqual(context?.traceId, "0af7651916cd43dd8448eb211c80319c");
 * strictEqual(context?.isSampled, true);
 * strictEqual(parseTraceContext("00-0-0-01", null), undefined);
 * ```
 */
export function parseTraceContext(
  traceparent: string | null,
  tracestate: string | null,
): TraceContext | undefined {
  const match = traceparent === null ? null : TRACEPARENT.exec(traceparent);
  if (match === null) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = match;
  // Later versions may append fields; this one may not.
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return {
    traceId,
    spanId,
    isSampled: (Number.parseInt(flags, 16) & 1) === 1,
    state: parseState(tracestate),
  };
}

function parseState(text: string | null): string | undefined {
  if (text === null || text.length > MAX_STATE) return undefined;
  const members = text.split(",").map((member) => member.trim()).filter((member) => member !== "");
  return members.length > 0 && members.every((member) => TRACESTATE.test(member))
    ? members.join(",")
    : undefined;
}
