/**
 * The name and the attributes of a JetStream call's span.
 * See https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 * @module
 */

import type { Attributes } from "./tracing.ts";

/** A JetStream call, as its span describes it. */
export type TracedCall = {
  readonly method: string;
  readonly stream: string | undefined;
  /** Bytes to send. */
  readonly size: number;
  /** The call writes or reads one chunk of an object. */
  readonly isChunk: boolean;
};

/** The end of a call. */
export type CallEnd = {
  /** The kind of failure in one word; undefined for success. */
  readonly failure: string | undefined;
  /** JetStream's error code. */
  readonly code: number | undefined;
  /** Bytes of messages received. */
  readonly received: number;
};

const PUBLISH = {
  "messaging.system.name": "nats",
  "messaging.operation.name": "publish",
  "messaging.operation.type": "send",
} as const;
const RPC = { "rpc.system.name": "nats.jetstream" } as const;

/** Returns whether a call publishes messages. */
export function isPublish({ method }: TracedCall): boolean {
  return method === "publish" || method === "publish_batch";
}

/** Returns the name of a call's span. */
export function nameOf(call: TracedCall): string {
  if (!call.isChunk) return call.method;
  return isPublish(call) ? "write chunks" : "read chunks";
}

/** Returns the attributes of a call's span, with those that are known at its end. */
export function callAttributes(call: TracedCall, atEnd: Attributes): Attributes {
  return {
    ...(isPublish(call) ? PUBLISH : { ...RPC, "rpc.method": call.method }),
    "messaging.destination.name": call.stream,
    ...atEnd,
  };
}
