/**
 * State that the bucket room owns, shared by all parts of a store on one connection.
 *
 * A room's context is that of the room below and what the room owns. Functions ask for the fields that they use; only
 * `nats/store.ts` sees a whole one.
 * @module
 */

import type { ByteBudget } from "../../streams/byte_budget.ts";
import type { Requests } from "../jetstream/requests.ts";
import type { Documents } from "./documents.ts";
import type { Followers } from "./follower.ts";
import type { Streams } from "./streams.ts";

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
  readonly now: () => Date;
  /** Access key id that owns buckets without an owner record. */
  readonly defaultOwner: string | undefined;
};
