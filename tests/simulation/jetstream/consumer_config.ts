/**
 * What a consumer is given: its configuration, and what it needs of the server.
 * @module
 */

import type { ServerClock } from "./server_clock.ts";
import type { WireMessage } from "./wire.ts";

/** What consumers need of the server. */
export type ConsumerContext = {
  readonly clock: ServerClock;
  readonly send: (message: WireMessage) => void;
  readonly hasInterest: (subject: string) => boolean;
  /** Tells whether a new consumer counts a message too many. */
  readonly miscounts: () => boolean;
};

/** The fields of a consumer's configuration that the simulation acts on. */
export type ConsumerConfig = {
  readonly name: string;
  readonly filter_subjects?: readonly string[];
  readonly filter_subject?: string;
  readonly deliver_policy: string;
  readonly opt_start_seq?: number;
  readonly ack_policy: string;
  readonly deliver_subject?: string;
  readonly flow_control?: boolean;
  /** Nanoseconds. */
  readonly idle_heartbeat?: number;
  readonly inactive_threshold?: number;
  readonly headers_only?: boolean;
  readonly [field: string]: unknown;
};
