/**
 * Chooses how requests are traced from OpenTelemetry's settings.
 * @module
 */

import type { TracingConfig } from "../telemetry/request_trace.ts";
import { SAMPLERS } from "../telemetry/tracing.ts";
import { given, type Values } from "./settings.ts";

/** The collector if no setting names one, as OpenTelemetry specifies. */
const DEFAULT_COLLECTOR = "http://localhost:4318";

/** Returns the configuration of tracing, or undefined if requests are not traced. */
export function chooseTracing(values: Values): TracingConfig | undefined {
  const { otelExporter, otelTracesEndpoint, otelServiceName, otelAttributes } = values;
  const collector = values.otelEndpoint ??
    (otelExporter === "otlp" ? DEFAULT_COLLECTOR : undefined);
  const url = otelTracesEndpoint ?? (collector && `${collector.replace(/\/$/, "")}/v1/traces`);
  const sampler = {
    ratio: given(values, "otelSamplerArg"),
    ...SAMPLERS[given(values, "otelSampler")],
  };
  const isOff = given(values, "otelDisabled") || otelExporter === "none" ||
    (sampler.ratio === 0 && !sampler.followsParent);
  if (url === undefined || isOff) return undefined;
  return {
    url,
    headers: values.otelHeaders ?? {},
    resource: {
      "service.name": "nats-s3",
      ...otelAttributes,
      ...(otelServiceName !== undefined && { "service.name": otelServiceName }),
    },
    sampler,
  };
}
