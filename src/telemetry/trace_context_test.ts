import { strictEqual } from "node:assert/strict";
import { parseTraceContext } from "./trace_context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

Deno.test("parseTraceContext() parses the examples of the specification", () => {
  for (
    const [header, isSampled] of [
      [`00-${TRACE}-${SPAN}-01`, true],
      [`00-${TRACE}-${SPAN}-00`, false],
      [`00-${TRACE}-${SPAN}-03`, true], // the id is random
      [`00-${TRACE}-${SPAN}-fe`, false],
      [`cc-${TRACE}-${SPAN}-01`, true], // a later version
      [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, true],
    ] as const
  ) {
    const context = parseTraceContext(header, null);
    strictEqual(context?.traceId, TRACE, header);
    strictEqual(context.spanId, SPAN, header);
    strictEqual(context.isSampled, isSampled, header);
  }
});

Deno.test("parseTraceContext() ignores malformed headers", () => {
  for (
    const header of [
      null,
      "",
      "garbage",
      `ff-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE}-${SPAN}-1`,
      `00-${TRACE}-${SPAN}`,
      `00-${"0".repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${"0".repeat(16)}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${TRACE}x-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`, // the client sent the header twice
      `cc-${TRACE}-${SPAN}-01.more`,
    ]
  ) strictEqual(parseTraceContext(header, "a=b"), undefined, String(header));
});

Deno.test("parseTraceContext() passes on a tracestate, unless it is malformed", () => {
  const stateOf = (text: string): string | undefined =>
    parseTraceContext(`00-${TRACE}-${SPAN}-01`, text)?.state;
  strictEqual(
    stateOf("rojo=00f067aa0ba902b7, congo=t61rcWkgMzE"),
    "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
  );
  strictEqual(stateOf("fw529a3039@dt=FfAQ,"), "fw529a3039@dt=FfAQ");
  for (const text of ["", ",", "novalue", "A=b", "a=b\u00e9", "a=" + "x".repeat(511)]) {
    strictEqual(stateOf(text), undefined, text);
  }
});
