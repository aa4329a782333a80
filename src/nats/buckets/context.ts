/**
 * State that the bucket room owns, shared by all parts of a store on one connection.
 *
 * A room's context is that of the room below plus the state that the room owns. Functions ask for the fields that they use; only
 * `nats/store.ts` sees a whole one.
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { ByteBudget } from "../../streams/byte_budget.ts";
import type { CallObserver } from "../jetstream/call_observer.ts";
import { Requests } from "../jetstream/requests.ts";
import { Documents } from "./documents.ts";
import { Followers } from "./follower.ts";
import { ForgetfulBuckets } from "./forgets.ts";
import { ServerClock } from "./server_clock.ts";
import type { StreamSettings } from "./stream_config.ts";
import { Streams } from "./streams.ts";
import {
  createUnreadableReports,
  type ReportUnreadable,
  type UnreadableObserver,
} from "./unreadable.ts";

/** A log for the store's warnings. */
export interface StoreLog {
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** State of the bucket room. */
export type BucketsContext = {
  readonly requests: Requests;
  readonly streams: Streams;
  readonly followers: Followers;
  readonly documents: Documents;
  /** Bytes that may be requested and not yet have arrived. */
  readonly budget: ByteBudget;
  readonly log: StoreLog;
  readonly reportUnreadable: ReportUnreadable;
  readonly forgetful: Pick<ForgetfulBuckets, "count">;
  /** Returns the time of nats-server. */
  readonly now: () => Date;
  /** Access key id that owns buckets without an owner record. */
  readonly defaultOwner: string | undefined;
};

/** Options of the bucket room. */
export type BucketsOptions = StreamSettings & {
  /** `$JS.API`, or `$JS.<domain>.API`. */
  readonly apiPrefix: string;
  readonly inboxPrefix: string;
  /** Milliseconds after which a request counts as unanswered; 4 seconds by default. */
  readonly timeout?: number;
  /** Access key id that owns buckets without an owner record: those of native clients. */
  readonly defaultOwner: string | undefined;
  readonly log: StoreLog;
  readonly now?: () => Date;
};

const TIMEOUT = 4000;
/** Bytes that one connection may have requested: well below the 64 MiB at which the server closes it. */
const READ_BUDGET = 24 * 1024 * 1024;

/** Observers of the bucket room's work, which return at once and do not throw. */
export type BucketsObserver = {
  readonly call?: CallObserver;
  readonly unreadable?: UnreadableObserver;
};

/** Creates the state on a connection, which stays the caller's. */
export function createBucketsContext(
  connection: NatsConnection,
  options: BucketsOptions,
  { call: observe, unreadable }: BucketsObserver = {},
): BucketsContext {
  const { apiPrefix, inboxPrefix, timeout = TIMEOUT, defaultOwner, log } = options;
  const requests = new Requests(connection, { apiPrefix, inboxPrefix, timeout, observe });
  const reportUnreadable = createUnreadableReports(log, unreadable);
  const clock = new ServerClock();
  const forgetful = new ForgetfulBuckets(log);
  const observers = { report: reportUnreadable, clock, forgetful };
  const streams = new Streams(requests, options, observers);
  const budget = new ByteBudget(READ_BUDGET);
  return {
    requests,
    streams,
    followers: new Followers({ requests, streams, budget }),
    documents: new Documents(requests),
    budget,
    log,
    reportUnreadable,
    forgetful,
    now: options.now ?? (() => clock.now()),
    defaultOwner,
  };
}
