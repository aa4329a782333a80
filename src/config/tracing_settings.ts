/**
 * The settings of tracing, which have OpenTelemetry's names.
 * @module
 */

import { SAMPLERS } from "../telemetry/tracing.ts";
import { parseHeaders, parseHttpUrl } from "./network_values.ts";
import { setting } from "./setting.ts";
import { oneOf, parseBoolean, parsePairs, parseRatio, parseText } from "./values.ts";

/** Where spans are exported to. */
const EXPORTERS = ["otlp", "none"] as const;

/** Every setting of tracing, in the order of `--help`. */
export const TRACING_SETTINGS = {
  otelEndpoint: setting({
    flag: "otel.exporter-otlp-endpoint",
    value: "URL",
    help:
      "Traces requests and sends their spans to /v1/traces of this OpenTelemetry collector, as OTLP/JSON over HTTP",
    parse: parseHttpUrl,
    secret: true, // it may contain a key
  }),
  otelTracesEndpoint: setting({
    flag: "otel.exporter-otlp-traces-endpoint",
    value: "URL",
    help: "Exact URL to send spans to, instead of /v1/traces of the collector",
    parse: parseHttpUrl,
    secret: true,
  }),
  otelHeaders: setting({
    flag: "otel.exporter-otlp-headers",
    value: "NAME=VALUE,…",
    help: "Headers for the collector, such as its key",
    parse: parseHeaders,
    secret: true,
  }),
  otelExporter: setting({
    flag: "otel.traces-exporter",
    value: EXPORTERS.join("|"),
    help: "otlp sends spans to http://localhost:4318 if no collector is set; none disables tracing",
    parse: oneOf(EXPORTERS),
  }),
  otelDisabled: setting({
    flag: "otel.sdk-disabled",
    default: "false",
    help: "Disables tracing, overriding all other tracing settings",
    parse: parseBoolean,
  }),
  otelServiceName: setting({
    flag: "otel.service-name",
    value: "TEXT",
    help: "service.name of the spans; nats-s3 if the attributes have none",
    parse: parseText,
  }),
  otelAttributes: setting({
    flag: "otel.resource-attributes",
    value: "NAME=VALUE,…",
    help: "Attributes of this gateway on all spans, such as deployment.environment.name=production",
    parse: parsePairs,
  }),
  otelSampler: setting({
    flag: "otel.traces-sampler",
    value: "NAME",
    default: "parentbased_always_on",
    help:
      "Which requests are traced: always_on, always_off or traceidratio, each also with the prefix parentbased_",
    parse: oneOf(Object.keys(SAMPLERS) as (keyof typeof SAMPLERS)[]),
  }),
  otelSamplerArg: setting({
    flag: "otel.traces-sampler-arg",
    value: "RATIO",
    default: "1",
    help: "Share of traces that a ratio sampler keeps, from 0 to 1",
    parse: parseRatio,
  }),
} as const;
