/**
 * Deno's own spans, which must be off.
 * @module
 */

import type { Sources } from "./command_line.ts";

/**
 * Checks that Deno itself does not trace. Its spans contain whole URLs, including the signatures of presigned requests,
 * and nothing can remove them.
 *
 * @throws RangeError if it traces; the message is for the user
 */
export function refuseRuntimeSpans(env: Sources["env"]): void {
  const {
    OTEL_DENO: deno = "",
    OTEL_SDK_DISABLED: disabled = "",
    OTEL_TRACES_SAMPLER: sampler = "",
  } = env;
  if (!/^true$/i.test(deno) || disabled === "true" || sampler === "always_off") return;
  throw new RangeError(
    `Cannot serve with OTEL_DENO=${deno}: the spans of Deno contain whole URLs, with the signatures of presigned ` +
      "requests. Unset it: with OTEL_EXPORTER_OTLP_ENDPOINT alone, the gateway itself traces requests",
  );
}
