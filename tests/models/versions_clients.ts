/**
 * Clients of the versions model, and their messages.
 * @module
 */

import type { Call } from "./versions_history.ts";
import type { Operation } from "./versions_operations.ts";
import type { Steps } from "./versions_steps.ts";
import type { Publish, Request } from "./versions_world.ts";

/** What happens to a publish without an answer. */
export type Fault = "lost answer" | "delayed";

/** A client and the operation that it runs. */
export type Client = {
  readonly waiting: Operation[];
  /** The operation whose steps are next; its call begins with its first step. */
  operation: Operation | undefined;
  steps: Steps<Call["result"]> | undefined;
  pending: Request | undefined;
  call: Call | undefined;
};

/** Messages that are still on the way. */
export type Late = {
  readonly messages: readonly Publish[];
  /** When the operation began that sent them. */
  readonly start: number;
  readonly isNative: boolean;
};

/** Returns the messages that a request publishes. */
export function messagesOf(request: Request): readonly Publish[] {
  return request.kind === "batch" ? request.messages : request.kind === "publish" ? [request] : [];
}
